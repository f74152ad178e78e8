//! The built program, over a socket.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod support;

use std::{path::Path, process::Command};

use reqwest::{Method, StatusCode};
use session_test_servers::{MariadbServer, PostgresServer, RedisRecipe, StartError};
use support::{
    client::{Answer, Client, PAGE},
    program::Demo,
};
use tempfile::tempdir;
use tokio::task::JoinSet;

#[tokio::test]
async fn a_visitor_who_only_looks_gets_nothing_stored_and_no_cookie() {
    let folder = tempdir().unwrap();
    let demo = Demo::with_files(folder.path());
    let visitor = Client::new(&demo.url);
    for path in ["/", "/cart", "/devices", "/session", "/nowhere"] {
        let answer = visitor.get(path).await;
        assert!(!answer.headers.contains_key("set-cookie"), "{path}: {answer:?}");
        assert!(answer.header("x-session-report").contains("nothing changed"), "{path}");
    }
    assert_eq!(records_in(&folder.path().join("sessions")), 0);
    assert!(!visitor.get("/assets/site.css").await.headers.contains_key("vary"), "assets are for everybody");

    let form = visitor.get("/sign-in").await;
    assert!(form.header("set-cookie").starts_with("id="));
    assert!(form.header("set-cookie").ends_with("; Path=/; HttpOnly; SameSite=Lax"));
    assert!(form.text.contains("Set-Cookie: id=(secret); Path=/; HttpOnly; SameSite=Lax"));
    assert_eq!(records_in(&folder.path().join("sessions")), 1);
}

#[tokio::test]
async fn nothing_comes_from_elsewhere_and_nothing_is_inline() {
    let demo = Demo::start("memory");
    let visitor = Client::new(&demo.url);
    visitor.sign_in("Ada").await;
    for path in ["/", "/tea/mint", "/cart", "/sign-in", "/delivery", "/devices", "/nowhere"] {
        let answer = visitor.get(path).await;
        let policy = answer.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none';") && !policy.contains("unsafe"), "{policy}");
        for inline in ["<style", "style=\"", "onclick=", "javascript:", "<script>", "http://", "https://"] {
            assert!(!answer.text.contains(inline), "{path} has {inline}");
        }
        for asset in ["/assets/site.css", "/assets/site.js", "/assets/leaf.svg"] {
            assert!(answer.text.contains(asset), "{path} lacks {asset}");
        }
    }
}

#[tokio::test]
async fn a_sign_in_changes_the_id_and_is_told_once() {
    let demo = Demo::start("memory");
    let visitor = Client::new(&demo.url);
    let token = visitor.token().await;
    visitor.add("mint", &token).await;
    let before = visitor.session().await;

    let page = visitor.sign_in("<b>Ada</b> & \"Co\"").await;
    assert_eq!(signed_in(&page), Some("&lt;b&gt;Ada&lt;/b&gt; &amp; &quot;Co&quot;"));
    assert!(page.text.contains("Your session has a new id."), "the message is shown");
    let receipt = page.between("id=\"session-panel\"", "</aside>");
    assert!(receipt.contains("GET /"), "the receipt is about the page itself");
    assert!(receipt.contains("POST /sign-in") && receipt.contains("new id"), "and tells what was before");
    assert!(!visitor.get("/").await.text.contains("Your session has a new id."), "the message is shown once");

    let after = visitor.session().await;
    assert_eq!(after["signed_in_as"], "<b>Ada</b> & \"Co\"");
    assert_eq!(after["cart"], 1, "the cart stays");
    assert_ne!(before["handle"], after["handle"]);
    let stale = visitor.request(Method::POST, "/delivery").header("x-csrf-token", token);
    let stale = visitor.send(stale.form(&[("address", "here"), ("note", "")])).await;
    assert_eq!(stale.status, StatusCode::FORBIDDEN, "a token from before the sign-in is worth nothing");

    let refused = visitor.post("/sign-in", &[("name", "  ")]).await;
    assert!(visitor.get(refused.header("location")).await.text.contains("Please tell us a name"));
}

#[tokio::test]
async fn parallel_requests_lose_nothing() {
    let folder = tempdir().unwrap();
    let demo = Demo::with_files(folder.path());
    let visitor = Client::new(&demo.url);
    let token = visitor.token().await;
    let mut requests = JoinSet::new();
    for _ in 0..64 {
        let (visitor, token) = (visitor.clone(), token.clone());
        requests.spawn(async move { visitor.add("sencha", &token).await });
    }
    let mut counts = requests.join_all().await;
    counts.sort_unstable();
    assert_eq!(counts.last(), Some(&64), "the last to be stored saw all");
    let page = visitor.get("/cart").await;
    assert_eq!(page.between("data-count=\"", "\""), "64");
    assert!(page.text.contains("POST /cart/add<b> ×64</b>"), "the receipt counts them: {}", page.text);
}

#[tokio::test]
async fn forged_requests_are_refused() {
    let demo = Demo::start("memory");
    let visitor = Client::new(&demo.url);
    visitor.sign_in("Ada").await;
    let saved = visitor.post("/delivery", &[("address", "12 Kettle Lane"), ("note", "ring twice")]).await;
    assert_eq!(saved.status, StatusCode::SEE_OTHER);

    let page = visitor.get("/delivery").await;
    let forged = page.between("Try to forge it", "</section>");
    let (_, foreign) = forged.split_once("name=\"csrf_token\" value=\"").unwrap();
    let (foreign, _) = foreign.split_once('"').unwrap();
    let form = |fields: &[(&str, &str)]| {
        visitor.request(Method::POST, "/delivery").header("accept", PAGE).form(fields)
    };
    let evil = [("address", "1 Attacker Street"), ("note", "")];
    let with_foreign = [evil[0], evil[1], ("csrf_token", foreign)];
    let own = visitor.token().await;
    let with_own = [evil[0], evil[1], ("csrf_token", own.as_str())];
    for (request, reason) in [
        (form(&evil), "carries no CSRF token"),
        (form(&with_foreign), "is not one of this session"),
        (form(&with_own).header("origin", "https://evil.example"), "comes from another site"),
        (form(&with_own).header("sec-fetch-site", "cross-site"), "comes from another site"),
    ] {
        let refused = visitor.send(request).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{reason}");
        assert!(refused.text.contains(reason), "{reason}: {}", refused.text);
        assert_eq!(signed_in(&refused), Some("Ada"), "in the look of the site");
    }
    let kept = visitor.get("/delivery").await;
    assert!(kept.text.contains("12 Kettle Lane") && !kept.text.contains(">1 Attacker Street"));
}

#[tokio::test]
async fn devices_are_listed_and_ended() {
    let folder = tempdir().unwrap();
    let demo = Demo::with_files(folder.path());
    let [laptop, phone, tablet, stranger] = std::array::from_fn(|_| Client::new(&demo.url));
    for device in [&laptop, &phone, &tablet] {
        device.sign_in("Ada").await;
    }
    stranger.sign_in("Eve").await;
    let handles = |page: &Answer| page.text.matches("<li class=\"device").count();
    let page = laptop.get("/devices").await;
    assert_eq!(handles(&page), 3);
    assert_eq!(page.text.matches("This device").count(), 1);

    let phones = phone.session().await["handle"].as_str().unwrap().to_owned();
    stranger.post("/devices/end", &[("handle", &phones)]).await;
    assert_eq!(phone.session().await["signed_in_as"], "Ada", "a stranger ends nobody's session");

    laptop.post("/devices/end", &[("handle", &phones)]).await;
    assert_eq!(phone.session().await["status"], "unknown");
    assert_eq!(handles(&laptop.get("/devices").await), 2);

    laptop.post("/devices/end-others", &[]).await;
    let page = laptop.get("/devices").await;
    assert!(page.text.contains("Signed out on one other device."));
    assert_eq!(handles(&page), 1);
    assert_eq!(tablet.session().await["signed_in_as"], serde_json::Value::Null);
    assert_eq!(stranger.session().await["signed_in_as"], "Eve");
}

#[tokio::test]
async fn a_sign_out_ends_the_session_and_what_was_in_it() {
    let folder = tempdir().unwrap();
    let demo = Demo::with_files(folder.path());
    let visitor = Client::new(&demo.url);
    visitor.sign_in("Ada").await;
    let token = visitor.token().await;
    visitor.add("oolong", &token).await;

    let forged = visitor.send(visitor.request(Method::POST, "/sign-out")).await;
    assert_eq!(forged.status, StatusCode::FORBIDDEN);
    assert_eq!(visitor.session().await["signed_in_as"], "Ada");

    let answer = visitor.post("/sign-out", &[]).await;
    let page = visitor.get(answer.header("location")).await;
    assert!(page.text.contains("You are signed out."));
    assert_eq!(signed_in(&page), None);
    assert!(page.text.contains("one session ended, another created"), "{}", page.text);
    assert!(!page.text.contains("POST /sign-in"), "what was before is nobody's story any more");
    assert_eq!(visitor.session().await["cart"], 0);
}

#[tokio::test]
async fn sessions_outlive_sigkill() {
    let folder = tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    for (store, place) in [
        (format!("file:{}", path("sessions")), path("sessions")),
        (format!("sqlite:{}", path("sessions.db")), path("sessions.db")),
    ] {
        outlive_sigkill(&store, &place).await;
    }
}

#[tokio::test]
async fn sessions_in_a_redis_outlive_sigkill_and_its_password_is_not_shown() {
    let server = match RedisRecipe::default().password("hunter2").start() {
        Ok(server) => server,
        Err(error) if error.is_missing() => return session_conformance::skip(error),
        Err(error) => panic!("{error}"),
    };
    assert!(server.url().contains("hunter2"));
    outlive_sigkill(&server.url(), &format!("redis://127.0.0.1:{}", server.port())).await;
}

#[tokio::test]
async fn sessions_in_a_postgresql_outlive_sigkill() {
    outlive_sigkill_in(PostgresServer::shared()).await;
}

#[tokio::test]
async fn sessions_in_a_mariadb_outlive_sigkill() {
    outlive_sigkill_in(MariadbServer::shared()).await;
}

async fn outlive_sigkill_in(database: Result<String, StartError>) {
    let url = match database {
        Ok(url) => url,
        Err(error) if error.is_missing() => return session_conformance::skip(error),
        Err(error) => panic!("{error}"),
    };
    let (scheme, rest) = url.split_once("://").unwrap();
    let (_, place) = rest.split('?').next().unwrap().split_once('@').unwrap();
    outlive_sigkill(&url, &format!("{scheme}://{place}")).await;
}

async fn outlive_sigkill(store: &str, place: &str) {
    let demo = Demo::start(store);
    let visitor = Client::new(&demo.url);
    visitor.sign_in("Ada").await;
    let token = visitor.token().await;
    visitor.add("assam", &token).await;
    let before = visitor.session().await;
    demo.kill();

    let demo = Demo::start(store);
    assert!(demo.greeting[1].contains(place), "it says where: {}", demo.greeting[1]);
    assert!(!demo.greeting.iter().any(|line| line.contains("hunter2")));
    let visitor = visitor.at(&demo.url);
    assert_eq!(visitor.session().await, before);
    assert_eq!(visitor.add("assam", &token).await, 2, "even the token of the open page is good");
}

#[tokio::test]
async fn what_does_not_work_is_a_page_of_the_site() {
    let demo = Demo::start("memory");
    let visitor = Client::new(&demo.url);
    let form = visitor.get("/sign-in").await;
    let stale = form.header("set-cookie").split(';').next().unwrap().to_owned();
    visitor.sign_in("Ada").await;

    let lost = visitor.get("/tea/coffee").await;
    assert_eq!((lost.status, signed_in(&lost)), (StatusCode::NOT_FOUND, Some("Ada")));

    let large = "x".repeat(70_000);
    let large = visitor.post("/delivery", &[("address", large.as_str()), ("note", "")]).await;
    assert_eq!((large.status, signed_in(&large)), (StatusCode::PAYLOAD_TOO_LARGE, Some("Ada")));
    assert!(large.text.contains("Too much tea"));

    let late = Client::new(&demo.url);
    let late = late.request(Method::GET, "/sign-in").header("cookie", stale).header("accept", PAGE);
    let late = visitor.send(late).await;
    assert_eq!(late.status, StatusCode::CONFLICT, "an id that was replaced by a sign-in");
    assert!(late.text.contains("Somebody was faster"));
    assert!(!late.headers.contains_key("set-cookie"));

    let wrong = visitor.get("/cart/add").await;
    assert_eq!(wrong.status, StatusCode::METHOD_NOT_ALLOWED);
    assert!(wrong.text.contains("Not like this"));
    let plain = visitor.send(visitor.request(Method::GET, "/nowhere")).await;
    assert_eq!(plain.text, "There is no such page in this shop.\n");
}

#[cfg(unix)]
#[tokio::test]
async fn ctrl_c_closes_the_shop() {
    let demo = Demo::start("memory");
    Client::new(&demo.url).get("/").await;
    assert_eq!(demo.interrupt().trim(), "closed");
}

#[test]
fn wrong_arguments_are_explained() {
    let run = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_demo")).args(arguments).output().unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (succeeded, text) = run(&["--store", "redis"]);
    assert!(!succeeded && text.contains("must be `memory`, `file:DIR`"), "{text}");
    let (succeeded, text) = run(&["--store", "redis://:hunter2@127.0.0.1:1"]);
    assert!(!succeeded && text.contains("redis://127.0.0.1:1 cannot keep sessions"), "{text}");
    assert!(!text.contains("hunter2"), "{text}");

    let demo = Demo::start("memory");
    let taken = demo.url.strip_prefix("http://").unwrap();
    let (succeeded, text) = run(&["--store", "memory", "--listen", taken]);
    assert!(!succeeded && text.contains(taken) && text.contains("--listen 127.0.0.1:0"), "{text}");
}

#[cfg(unix)]
#[test]
fn the_printed_curl_lines_work() {
    if Command::new("curl").arg("--version").output().is_err() {
        return session_conformance::skip("curl is not installed: Debian package curl");
    }
    let (folder, elsewhere) = (tempdir().unwrap(), tempdir().unwrap());
    let demo = Demo::with_files(folder.path());
    let lines: Vec<_> = demo.greeting.iter().filter_map(|line| line.strip_prefix("  curl ")).collect();
    assert_eq!(lines.len(), 3);
    let run = |line: &str| {
        let output = Command::new("sh")
            .args(["-c", &format!("curl --noproxy '*' {line}")])
            .current_dir(elsewhere.path())
            .env("no_proxy", "*")
            .output()
            .unwrap();
        assert!(output.status.success(), "{line}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let visitor = run(lines[0]);
    assert!(visitor.contains("\"stored\": false") && !visitor.contains("set-cookie"), "{visitor}");
    let signed_in = run(lines[1]);
    assert!(
        signed_in.starts_with("HTTP/1.1 303") && signed_in.contains("id sent: it was replaced"),
        "{signed_in}"
    );
    let session = run(lines[2]);
    assert!(session.contains("\"signed_in_as\": \"Ada\"") && session.contains("nothing stored"), "{session}");
}

/// Who is signed in, as the page shows it.
fn signed_in(page: &Answer) -> Option<&str> {
    page.text.contains("id=\"signed-in\"").then(|| page.between("id=\"signed-in\">", "<"))
}

/// Files with the name of a record: two hexadecimal digits, then 62.
fn records_in(root: &Path) -> usize {
    let names = |folder: &Path| {
        let entries = folder.read_dir().into_iter().flatten().flatten();
        entries.map(|entry| entry.file_name().into_string().unwrap()).collect::<Vec<_>>()
    };
    let folders = names(root).into_iter().filter(|name| name.len() == 2);
    folders.map(|folder| names(&root.join(folder)).iter().filter(|name| name.len() == 62).count()).sum()
}

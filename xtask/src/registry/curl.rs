//! Each adapter on a real socket, with curl as its client: signing in, reading and signing out as a shell script would.

#![allow(clippy::expect_used, reason = "a test that cannot go on has failed")]

use std::{fs, path::Path, process::Command};

use serde_json::{Value, json};
use session_conformance::adapter::Persist;
use session_core::{SessionManager, persist::CookieOptions};
use session_store_memory::MemoryStore;
use tokio::{net::TcpListener, sync::oneshot};

use super::{ADAPTERS, Serving};

#[test]
fn curl_signs_in_and_out_on_axum() {
    with_curl("axum");
}

#[test]
fn curl_signs_in_and_out_on_warp() {
    with_curl("warp");
}

#[test]
fn curl_signs_in_and_out_on_rocket() {
    with_curl("rocket");
}

fn with_curl(adapter: &str) {
    if Command::new("curl").arg("--version").output().is_err() {
        return session_conformance::skip("curl is not installed: Debian package curl");
    }
    for (persist, script) in [
        (Persist::Cookie, in_a_jar as fn(&Curl<'_>)),
        (Persist::SignedCookie, in_a_jar),
        (Persist::SealedEncrypted, in_a_jar),
        (Persist::Header, in_a_field),
        (Persist::Query, in_the_url),
    ] {
        serve(adapter, persist, script);
    }
}

/// The cookie is in curl's jar.
fn in_a_jar(curl: &Curl<'_>) {
    let jar = ["-b", "jar", "-c", "jar"];
    assert_eq!(curl.ops(&jar, json!([{"op": "authenticate", "principal": "ann"}])), json!([null]));
    let lines = curl.file("jar");
    let cookie = lines.lines().find(|line| line.contains("\tid\t")).expect("a cookie in the jar");
    assert!(cookie.starts_with("#HttpOnly_127.0.0.1\tFALSE\t/\tFALSE\t0\tid\t"), "{cookie}");
    let set = json!([{"op": "set", "key": "tea", "value": "green"}, {"op": "info"}]);
    assert_eq!(curl.ops(&jar, set)[1]["principal"], "ann");
    assert_eq!(curl.json(&jar, "/"), json!({"status": "active", "keys": ["tea"]}));
    assert_eq!(curl.text(&jar, "/untouched"), "ok");
    assert_eq!(curl.json(&[], "/"), json!({"status": "new", "keys": []}));
    assert_eq!(curl.ops(&jar, json!([{"op": "destroy"}])), json!([null]));
    assert!(!curl.file("jar").contains("\tid\t"), "the cookie of a session that ended stays in the jar");
    assert_eq!(curl.json(&jar, "/"), json!({"status": "new", "keys": []}));
}

/// The id is in a header field, which a script has to keep.
fn in_a_field(curl: &Curl<'_>) {
    let field = || {
        let head = curl.file("head");
        let line = head.lines().find_map(|line| line.strip_prefix("x-session-id:").map(str::trim));
        line.map(str::to_owned).expect("a field with the id")
    };
    let head = ["-D", "head"];
    assert_eq!(curl.ops(&head, json!([{"op": "authenticate", "principal": "ann"}])), json!([null]));
    let held = format!("X-Session-Id: {}", field());
    let read = ["-H", &held, "-D", "head"];
    assert_eq!(curl.ops(&read, json!([{"op": "info"}]))[0]["principal"], "ann");
    assert!(!curl.file("head").to_lowercase().contains("set-cookie"));
    assert_eq!(curl.ops(&read, json!([{"op": "destroy"}])), json!([null]));
    assert_eq!(field(), "");
    assert_eq!(curl.json(&read, "/")["status"], "unknown");
}

/// The id is in the URL, where a redirect puts it.
fn in_the_url(curl: &Curl<'_>) {
    let follow = ["-L", "--max-redirs", "1", "-w", "\n%{http_code} %{num_redirects} %{url_effective}"];
    let answer = curl.text(&follow, "/?tea=green");
    let (body, trace) = answer.rsplit_once('\n').expect("what curl was told to write");
    let body: Value = serde_json::from_str(body).expect("JSON");
    assert_eq!(body, json!({"status": "new", "keys": []}));
    let target = trace.strip_prefix("200 1 ").and_then(|url| url.split_once("/?")).expect("one redirect").1;
    let id = target.strip_prefix("tea=green&sid=").expect("the parameters of before, and an id");
    let to = |id: &str| format!("/ops?sid={id}");
    let signed_in = curl.ops_at(
        &[],
        &to(id),
        json!([{"op": "authenticate", "principal": "ann"},
        {"op": "link", "target": "/"}]),
    );
    let link = signed_in[1].as_str().expect("a link").to_owned();
    let new = link.strip_prefix("/?sid=").expect("a link with the new id");
    assert_eq!(curl.json(&follow[..3], &link)["status"], "active");
    assert_eq!(curl.ops_at(&[], &to(new), json!([{"op": "info"}]))[0]["principal"], "ann");
    assert!(
        curl.text(&follow, &format!("/?sid={id}")).contains("\n200 1 "),
        "the id from before the login works"
    );
    assert_eq!(curl.ops_at(&[], &to(new), json!([{"op": "destroy"}])), json!([null]));
    assert!(curl.text(&follow, &link).contains("\n200 1 "), "an ended session is not replaced");
}

/// Calls of curl, all in one folder.
struct Curl<'a> {
    address: String,
    folder: &'a Path,
}

impl Curl<'_> {
    fn text(&self, options: &[&str], target: &str) -> String {
        let output = Command::new("curl")
            .args(["--silent", "--show-error", "--max-time", "20", "--noproxy", "*", "--no-keepalive"])
            .args(options)
            .arg(format!("http://{}{target}", self.address))
            .current_dir(self.folder)
            .output()
            .expect("curl, which was there before");
        assert!(output.status.success(), "curl: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("an answer that is text")
    }

    fn json(&self, options: &[&str], target: &str) -> Value {
        serde_json::from_str(&self.text(options, target)).expect("an answer that is JSON")
    }

    fn ops(&self, options: &[&str], ops: Value) -> Value {
        self.ops_at(options, "/ops", ops)
    }

    fn ops_at(&self, options: &[&str], target: &str, ops: Value) -> Value {
        let body = ops.to_string();
        let json = ["-H", "Content-Type: application/json", "-d", &body];
        self.json(&[options, &json].concat(), target)
    }

    fn file(&self, name: &str) -> String {
        fs::read_to_string(self.folder.join(name)).expect("a file that curl has written")
    }
}

/// Serves the fixture on a free port of this machine while `script` runs.
fn serve(adapter: &str, persist: Persist, script: fn(&Curl<'_>)) {
    let adapter = ADAPTERS.iter().find(|known| known.name == adapter).expect("an adapter of that name");
    let builder = match persist.has_store() {
        true => SessionManager::builder(MemoryStore::new()),
        false => SessionManager::without_store(),
    };
    let cookie = CookieOptions::plain_http_for_development();
    let builder = persist.configure(builder, cookie).expect("a strategy that works");
    let manager = builder.build().expect("a manager that works");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().to_owned();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address").to_string();
        let (is_ready, ready) = oneshot::channel();
        let (over, ended) = oneshot::channel::<()>();
        let serving = Serving {
            manager,
            listener,
            ready: Box::new(move || is_ready.send(()).unwrap_or_default()),
            end: Box::pin(async move { drop(ended.await) }),
        };
        let client = async move {
            ready.await.expect("a server that starts");
            // A script that fails still lets the server end.
            let done = tokio::task::spawn_blocking(move || script(&Curl { address, folder: &path })).await;
            drop(over);
            done
        };
        let (served, done) = tokio::join!((adapter.serve)(serving), client);
        if let Err(error) = done {
            eprintln!("{} with ids in {persist}", adapter.name);
            std::panic::resume_unwind(error.into_panic());
        }
        served.expect("a server that ends when it is told to");
    });
}

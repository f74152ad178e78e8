//! Ids in the query: handed out by a redirect that leads nowhere else, never adopted, and bounded in number.

use std::{collections::HashSet, time::Duration};

use http::{
    Method,
    header::{CACHE_CONTROL, LOCATION, REFERRER_POLICY},
};
use session_core::{Clock, Status};

use super::{ids::is_status, prelude::*};
use crate::adapter::persist::redirected;

/// A GET without a live id is redirected to itself with a fresh one before any route runs, with every other parameter
/// as it was; an id that this server has not handed out, or not any more, is never adopted (PE-12).
pub async fn a_page_without_a_live_id_is_redirected_to_itself(site: Site) -> Result {
    // Shows: A1
    let app = site.start().await?;
    let ended = app.visitor().await?;
    let dead = ended.known_id()?;
    ended.run([op("destroy")]).await?;
    let chosen = "A".repeat(32);
    for (target, kept) in [
        ("/untouched".to_owned(), "?"),
        ("/untouched?".to_owned(), "?"),
        ("/untouched?x=1&y=%26&z".to_owned(), "?x=1&y=%26&z&"),
        (format!("/untouched?sid={chosen}&x=1"), "?x=1&"),
        (format!("/untouched?x=1&sid={dead}&sid=&sid&sid=x"), "?x=1&"),
    ] {
        let before = app.store.records();
        let reply = page(&app, Method::GET, &target).await?;
        reply.has_status(302)?;
        ensure!(reply.body.is_empty(), "the route runs although its request is redirected");
        guarded(&reply)?;
        let location = reply.headers[LOCATION].to_str()?;
        let id = location.strip_prefix(kept).and_then(|rest| rest.strip_prefix("sid="));
        let Some(id) = id else {
            fail!("`{}` is not redirected to `{kept}sid=…`", target.replace(&dead, "…"))
        };
        ensure!(
            id.len() == 32 && id != chosen && id != dead,
            "an id is handed out that was chosen elsewhere"
        );
        ensure!(
            app.store.records() == before + 1,
            "a redirect keeps {} records",
            app.store.records() - before
        );
        let arrived = page(&app, Method::GET, &format!("/untouched{location}")).await?;
        ensure!(&arrived.has_status(200)?.body[..] == b"ok", "a redirect does not lead to its page");
        is_status(&app.client().with_id(id), Status::New).await?;
    }
    Ok(())
}

/// Whatever the target of a request looks like, a redirect changes its query and nothing else: it leads to no other host
/// and no other path (open redirects).
pub async fn a_redirect_leads_nowhere_else(site: Site) -> Result {
    // Shows: A14, A16
    let app = site.start().await?;
    let mut redirects = 0;
    for target in [
        "//evil.example",
        "//evil.example/",
        "///evil.example/x",
        "//evil.example/%2e%2e",
        "/\\evil.example",
        "/\\/evil.example",
        "\\\\evil.example",
        "/%2f%2fevil.example",
        "/%2F/evil.example",
        "/%5cevil.example",
        "/%09/evil.example",
        "/..//evil.example",
        "/./..//evil.example?x=1",
        "http://evil.example/",
        "http://evil.example/untouched?x=1",
        "http://app.example@evil.example/",
        "https://evil.example:443//evil.example",
        "/?next=//evil.example",
        "/?next=https://evil.example/&x=1",
        "/?//evil.example",
        "/?sid=//evil.example",
        "/?sid=https://evil.example/?sid=x",
        "/?x=%0d%0aLocation:%20//evil.example",
        "/?x=%00",
        "/??sid=x",
        "/?x?sid=1",
        "/?&&&=&",
        "/;sid=x?y",
        "/@evil.example",
        "/.evil.example?sid=/../..",
    ] {
        // What is no target at all cannot reach an application either.
        let Ok(uri) = target.parse::<http::Uri>() else { continue };
        let mut request = app.client().request(Method::GET, "/", bytes::Bytes::new())?;
        *request.uri_mut() = uri.clone();
        let reply = app.client().send_once(request).await?;
        let Some(location) = reply.headers.get(LOCATION) else {
            ensure!(!reply.status.is_redirection(), "`{target}` is answered with {}", reply.status);
            continue;
        };
        redirects += 1;
        reply.has_status(302)?;
        let (to, id) = redirected(&uri, location)?;
        let text = location.to_str()?;
        ensure!(to.path() == uri.path(), "`{target}` is redirected to another path");
        ensure!(
            text.matches(&*id).count() == 1,
            "`{target}` is redirected with an id that is not one parameter"
        );
        ensure!(
            text.bytes().all(|byte| byte.is_ascii_graphic()),
            "`{target}` puts a control into a redirect"
        );
        ensure!(id.len() == 32, "`{target}` is redirected with something that is no id");
    }
    ensure!(redirects >= 15, "of all targets only {redirects} are redirected");
    Ok(())
}

/// No other method is redirected, and none of them keeps a record for a stranger: a form that is sent is not lost, and a
/// HEAD costs nothing.
pub async fn only_get_is_redirected(site: Site) -> Result {
    // Shows: A16
    let app = site.start().await?;
    for method in [Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS] {
        for target in ["/", "/untouched", "/ops", "/nowhere", &format!("/?sid={}", "A".repeat(32))] {
            let reply = page(&app, method.clone(), target).await?;
            let redirected = reply.status.is_redirection() || reply.headers.contains_key(LOCATION);
            ensure!(!redirected, "{method} {target} is answered with {}", reply.status);
        }
    }
    ensure!(
        app.store.records() == 0,
        "a method that is not redirected keeps {} records",
        app.store.records()
    );
    Ok(())
}

/// Only the parameter of exactly this name carries an id, undecoded; the same id twice is one, a live one among dead ones
/// counts, and several live ones are as good as none.
pub async fn only_the_parameter_itself_carries_an_id(site: Site) -> Result {
    // Shows: A16
    let app = site.start().await?;
    let (one, other) = (app.visitor().await?.known_id()?, app.visitor().await?.known_id()?);
    let dead = "A".repeat(32);
    for (target, arrives) in [
        (format!("/?sid={one}"), true),
        (format!("/?x=1&sid={one}&y"), true),
        (format!("/?sid={one}&sid={one}"), true),
        (format!("/?sid={dead}&sid={one}"), true),
        (format!("/?sid={one}&sid={dead}&sid=x&sid"), true),
        (format!("/?sid={one}&sid={other}"), false),
        (format!("/?sid={dead}&sid={other}&sid={one}"), false),
        (format!("/?%73id={one}"), false),
        (format!("/?s%69d={one}"), false),
        (format!("/?SID={one}"), false),
        (format!("/?sid%3d{one}"), false),
        (format!("/?sid[]={one}"), false),
        (format!("/?xsid={one}"), false),
        (format!("/?+sid={one}"), false),
        (format!("/?x;sid={one}"), false),
        (format!("/?x=?sid={one}"), false),
        (format!("/?sid=={one}"), false),
        (format!("/?sid=%{:02X}{}", one.as_bytes()[0], &one[1..]), false),
        (format!("/?sid={one}%20"), false),
        (format!("/?sid={one}+"), false),
        (format!("/?sid={one};"), false),
    ] {
        let reply = page(&app, Method::GET, &target).await?;
        let shown = target.replace(&one, "ONE").replace(&other, "OTHER");
        reply.has_status(if arrives { 200 } else { 302 }).map_err(|_| {
            crate::Failure::new(format!(
                "`{shown}` is answered with {} where it arrives: {arrives}",
                reply.status
            ))
        })?;
        if !arrives {
            let (_, id) = redirected(&"/".parse()?, &reply.headers[LOCATION])?;
            ensure!(id != one && id != other, "`{shown}` is redirected to an id that it must not know");
        }
    }
    Ok(())
}

/// A client without memory is never sent in circles, however often it comes: each redirect leads to an answer at once. The
/// ids that it was handed out and never used end within a minute, so it cannot fill the store.
pub async fn a_client_without_memory_fills_nothing(site: Site) -> Result {
    // Shows: A19
    let app = site.start().await?;
    let (mut ids, rounds) = (HashSet::new(), 1_000);
    for _ in 0..rounds {
        let reply = page(&app, Method::GET, "/").await?;
        let (to, id) = redirected(&"/".parse()?, &reply.has_status(302)?.headers[LOCATION])?;
        ensure!(ids.insert(id), "an id is handed out twice");
        if ids.len().is_multiple_of(10) {
            page(&app, Method::GET, &to.to_string()).await?.has_status(200)?;
        }
    }
    ensure!(app.store.records() == rounds, "{rounds} redirects keep {} records", app.store.records());
    let latest = app.clock.now() + Duration::from_secs(60);
    let late = app.store.expiries().iter().filter(|end| **end > latest).count();
    ensure!(late == 0, "{late} of {rounds} ids that were handed out are kept for more than a minute");
    app.advance(60);
    for id in ids.iter().take(20) {
        page(&app, Method::GET, &format!("/?sid={id}")).await?.has_status(302)?;
    }
    Ok(())
}

/// An id that is used within its minute lives as long as any session.
pub async fn an_id_that_is_used_lives_on(site: Site) -> Result {
    let app = site.start().await?;
    let visitor = app.client();
    visitor.get("/").await?.has_status(200)?;
    app.advance(59);
    visitor.run([set("k", 1)]).await?;
    app.advance(1_700);
    ensure!(visitor.value("k").await? == 1, "an id that was used ends like one that was not");
    Ok(())
}

/// Links lead on with the id, after a login with the new one; the old one is dead, and its page starts anew. Links to
/// other hosts never carry an id.
pub async fn links_carry_the_id_and_leave_no_trace_elsewhere(site: Site) -> Result {
    // Shows: A16
    let app = site.start().await?;
    let browser = app.visitor().await?;
    let old = browser.known_id()?;
    let link = |target: &str| json!({ "op": "link", "target": target });
    let [inside, parameters, outside, scheme, slashes, _, after] = browser
        .run([
            link("/"),
            link("/?x=1&sid=old#top"),
            link("//evil.example/"),
            link("https://evil.example/"),
            link("/\\evil.example"),
            authenticate("ann"),
            link("/"),
        ])
        .await?;
    ensure!(inside == format!("/?sid={old}"), "a link does not carry the id");
    ensure!(parameters == format!("/?x=1&sid={old}#top"), "a link loses its parameters");
    let elsewhere =
        [outside, scheme, slashes] == ["//evil.example/", "https://evil.example/", "/\\evil.example"];
    ensure!(elsewhere, "a link to another host is changed");
    let new = browser.known_id()?;
    ensure!(
        after == format!("/?sid={new}") && new != old,
        "a link after a login does not lead to the new id"
    );
    page(&app, Method::GET, &format!("/?sid={old}")).await?.has_status(302)?;
    page(&app, Method::GET, &format!("/?sid={new}")).await?.has_status(200)?;
    Ok(())
}

/// No answer that used the session may be stored by a cache or named as a referrer: its URL holds the id.
pub async fn answers_are_neither_stored_nor_referred_from(site: Site) -> Result {
    // Shows: A16
    let app = site.start().await?;
    let visitor = app.visitor().await?;
    for ops in [vec![get("k")], vec![set("k", 2)], vec![op("renew")], vec![op("fail")], vec![op("destroy")]] {
        guarded(&visitor.ops(ops).await?)?;
    }
    let visitor = app.visitor().await?;
    for target in ["/", "/untouched", "/nowhere"] {
        guarded(&visitor.get(target).await?)?;
    }
    Ok(())
}

fn guarded(reply: &Reply) -> Result {
    ensure!(
        reply.list(&CACHE_CONTROL)?.contains(&"no-store".to_owned()),
        "an answer with its id in the URL may be stored"
    );
    let referrer = reply.headers.get(REFERRER_POLICY).is_some_and(|policy| policy == "no-referrer");
    ensure!(referrer, "an answer with its id in the URL may be referred from");
    Ok(())
}

/// What somebody without memory gets, redirects included.
async fn page(app: &App, method: Method, target: &str) -> Result<Reply> {
    let client = app.client();
    client.send_once(client.request(method, target, bytes::Bytes::new())?).await
}

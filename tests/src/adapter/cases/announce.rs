//! When a client is told an id, and in which bytes.

use std::{collections::HashSet, time::Duration};

use http::header::SET_COOKIE;
use session_core::{
    Expiry,
    persist::{CookieLifetime, CookieOptions, SameSite},
};

use super::prelude::*;

/// The first write is answered with an id, and later writes are not.
pub async fn the_first_write_is_announced_once(site: Site) -> Result {
    let app = site.start().await?;
    let visitor = app.client();
    let reply = visitor.ops([set("k", 1)]).await?;
    reply.has_status(200)?.issues()?;
    for number in 2..5 {
        visitor.ops([set("k", number)]).await?.has_status(200)?.keeps_the_id()?;
    }
    ensure!(visitor.value("k").await? == 4, "a later write is not stored");
    ensure!(app.store.records() == app.records(1), "one visitor has {} records", app.store.records());
    Ok(())
}

/// The cookie is `__Host-id=<value>; Path=/; HttpOnly; Secure; SameSite=Lax`, byte for byte.
pub async fn the_cookie_is_the_strictest_there_is(site: Site) -> Result {
    // Shows: A35, A51
    let app = site.start().await?;
    let reply = app.client().ops([set("k", 1)]).await?;
    let expected = format!("__Host-id={}; Path=/; HttpOnly; Secure; SameSite=Lax", reply.issues()?);
    only_cookie_is(&reply, &expected)
}

/// For plain http the cookie is `id=<value>; Path=/; HttpOnly; SameSite=Lax`, byte for byte, and browsers take
/// it.
pub async fn over_plain_http_the_cookie_has_no_prefix(site: Site) -> Result {
    // Shows: A51
    let plain = CookieOptions::plain_http_for_development();
    let app = site.start_with_cookie(false, plain).await?;
    let visitor = app.client();
    let reply = visitor.ops([set("k", 1)]).await?;
    only_cookie_is(&reply, &format!("id={}; Path=/; HttpOnly; SameSite=Lax", reply.issues()?))?;
    ensure!(visitor.value("k").await? == 1, "the cookie does not lead back to the session");
    let gone = visitor.ops([op("destroy")]).await?;
    only_cookie_is(
        &gone,
        "id=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/; HttpOnly; SameSite=Lax",
    )
}

/// The header field `x-session-id` carries the id in both directions, and no cookie is set.
pub async fn the_field_carries_the_id_both_ways(site: Site) -> Result {
    let app = site.start().await?;
    let visitor = app.client();
    let reply = visitor.ops([set("k", 1)]).await?;
    let id = reply.issues()?;
    ensure!(!reply.headers.contains_key(SET_COOKIE), "a cookie is set where ids travel in a header field");
    let field = http::HeaderName::from_static("x-session-id");
    let request = visitor.with_fields(&field, &[id.as_bytes()], [get("k")])?;
    let [value] = visitor.send(request).await?.results()?;
    ensure!(value == 1, "the field does not lead back to the session");
    let gone = visitor.ops([op("destroy")]).await?;
    let values: Vec<_> = gone.headers.get_all(&field).iter().map(|value| value.as_bytes().to_vec()).collect();
    ensure!(values == [b""], "a session that ended is not announced as one empty field");
    Ok(())
}

/// An id is 32 characters of base64url, and none is given out twice.
pub async fn every_id_is_drawn_anew(site: Site) -> Result {
    // Shows: A4
    let app = site.start().await?;
    let mut ids = HashSet::new();
    for _ in 0..200 {
        let id = site.persist.id_in(&app.client().ops([set("k", 1)]).await?.issues()?).to_owned();
        let base64url = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        ensure!(id.len() == 32 && id.bytes().all(base64url), "an id is not 32 characters of base64url");
        ensure!(ids.insert(id), "an id is given out twice");
    }
    for position in 0..32 {
        let characters: HashSet<u8> = ids.iter().map(|id| id.as_bytes()[position]).collect();
        ensure!(characters.len() > 20, "character {position} of the ids hardly varies");
    }
    Ok(())
}

/// What a browser was given it sends back, finds its session with, and forgets when it is told to (D9, D13).
pub async fn a_browser_keeps_what_it_is_given(site: Site) -> Result {
    let app = site.start().await?;
    let visitor = app.visitor().await?;
    ensure!(visitor.value("k").await? == 1, "the browser's cookie does not lead back to the session");
    visitor.ops([op("destroy")]).await?.has_status(200)?.withdraws()?;
    ensure!(visitor.id().is_none(), "the browser keeps the cookie of a session that ended");
    Ok(())
}

/// The removal of the cookie repeats every attribute it was set with, or browsers would keep it (D9).
pub async fn the_removal_repeats_every_attribute(site: Site) -> Result {
    // Shows: A44
    for (options, attributes) in options() {
        let app = site.start_with_cookie(true, options).await?;
        let visitor = app.client();
        let name = {
            let set = visitor.ops([set("k", 1)]).await?;
            cookie_of(&set)?.split_once('=').map(|(name, _)| name.to_owned()).unwrap_or_default()
        };
        let gone = visitor.with_id(&visitor.known_id()?).ops([op("destroy")]).await?;
        let attributes = attributes.strip_prefix("; Max-Age=3600").unwrap_or(&attributes);
        let expected = format!("{name}=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT{attributes}");
        only_cookie_is(&gone, &expected)?;
    }
    Ok(())
}

/// Every attribute that is configured is sent, and no other; a leading dot of the domain is dropped.
pub async fn every_configured_attribute_is_sent(site: Site) -> Result {
    for (options, attributes) in options() {
        let app = site.start_with_cookie(true, options).await?;
        let reply = app.client().ops([set("k", 1)]).await?;
        let (cookie, id) = (cookie_of(&reply)?, reply.issues()?);
        ensure!(cookie.ends_with(&attributes), "the attributes {attributes} are configured, not sent");
        let (_, value) = cookie.split_once('=').unwrap_or_default();
        ensure!(value.len() == id.len() + attributes.len(), "more is sent than the attributes {attributes}");
    }
    Ok(())
}

/// A cookie with a lifetime of its own is sent again when the session is written down as used, with the same id, so
/// that it does not end before the session does (D25).
pub async fn a_cookie_with_a_lifetime_is_sent_again(site: Site) -> Result {
    let day = Duration::from_secs(86_400);
    let options = CookieOptions::default().with_lifetime(CookieLifetime::Fixed(day));
    let expiry = Expiry { idle: Some(day), absolute: Some(30 * day) };
    let builder = site.persist.configure(site.builder(), options.clone())?.expiry(expiry);
    let app = site.launch(true, &options, builder).await?;
    let visitor = app.client();
    let lasts = |reply: &Reply| {
        let attributes = "; Max-Age=86400; Path=/; HttpOnly; Secure; SameSite=Lax";
        only_cookie_is(reply, &format!("__Host-id={}{attributes}", reply.issues()?))
    };
    let reply = visitor.ops([set("k", 1)]).await?;
    lasts(&reply)?;
    app.advance(60);
    visitor.ops([get("k")]).await?.has_status(200)?.tells_nothing()?;
    for _ in 0..10 {
        app.advance(80_000);
        let again = visitor.ops([get("k")]).await?;
        lasts(&again)?;
        ensure!(site.persist.is_sealed() || again.told == reply.told, "the cookie has another id");
    }
    lasts(&visitor.ops([set("k", 2)]).await?)?;
    ensure!(visitor.value("k").await? == 2, "an active visitor has lost the session");
    Ok(())
}

/// Cookies that the application sets are left alone.
pub async fn a_cookie_of_the_application_is_left_alone(site: Site) -> Result {
    let app = site.start().await?;
    let theme = "theme=dark; Path=/";
    let visitor = app.client();
    for ops in
        [vec![header("set-cookie", theme), set("k", 1)], vec![header("set-cookie", theme), op("destroy")]]
    {
        let reply = visitor.ops(ops).await?;
        let theirs = reply.headers.get_all(SET_COOKIE).iter().filter(|cookie| *cookie == theme).count();
        ensure!(theirs == 1, "a cookie of the application is sent {theirs} times");
    }
    Ok(())
}

/// Whatever a request does, the response tells about the session at most once (RFC 6265bis section 4.1.1).
pub async fn a_response_announces_at_most_once(site: Site) -> Result {
    let app = site.start().await?;
    let everything = [
        vec![set("a", 1), op("save"), set("b", 2), op("save")],
        vec![set("a", 1), op("save"), op("renew"), op("save"), op("renew")],
        vec![authenticate("ann"), op("save"), op("deauthenticate"), op("save"), authenticate("bob")],
        vec![op("save"), op("destroy"), set("c", 3)],
        vec![op("destroy"), op("save"), set("c", 3), op("save"), op("destroy")],
        vec![op("renew"), op("save"), op("destroy"), op("save"), op("renew"), op("csrf"), flash("f")],
    ];
    for ops in everything {
        for client in [app.client(), app.visitor().await?, app.member("cay").await?] {
            // The client itself refuses a response that tells more than one thing.
            client.ops(ops.clone()).await?.has_status(200)?;
            client.get("/").await?.has_status(200)?;
        }
    }
    Ok(())
}

/// Redirects, errors of the client and errors of the server carry the id as well.
pub async fn an_id_is_sent_with_every_status(site: Site) -> Result {
    let app = site.start().await?;
    for code in [201, 204, 302, 303, 304, 404, 422, 500] {
        let visitor = app.client();
        let reply = visitor.ops([set("k", code), status(code)]).await?;
        reply.has_status(code)?.issues()?;
        ensure!(visitor.value("k").await? == code, "what a response with {code} has announced is not stored");
    }
    Ok(())
}

/// The report of each request says why an id was or was not sent, and why something was or was not stored.
pub async fn the_report_says_what_was_done(site: Site) -> Result {
    use session_core::{Announced, Saved};

    let app = site.start().await?;
    let visitor = app.client();
    // Where the client holds the session itself, it is told whatever has changed.
    let told = |announced| if site.persist.is_sealed() { Announced::Resealed } else { announced };
    for (ops, announced, saved) in [
        (vec![get("k")], Announced::NothingNew, Saved::NothingChanged),
        (vec![set("k", 1)], told(Announced::New), Saved::Created),
        (vec![get("k")], Announced::NothingNew, Saved::NothingChanged),
        (vec![set("k", 2)], told(Announced::NothingNew), Saved::Updated),
        (vec![op("renew")], told(Announced::Rotated), Saved::Rotated),
        (vec![op("destroy")], Announced::Withdrawn, Saved::Ended),
    ] {
        let text = format!("{ops:?}");
        visitor.ops(ops).await?.has_status(200)?;
        let report = app.log.last_close();
        let right = report.is_some_and(|report| (report.announced, report.saved) == (announced, saved));
        ensure!(right, "{text} is reported as {report:?}");
    }
    Ok(())
}

/// What happens to a session is reported as events: started, changed, used, signed in to, ended.
pub async fn what_happens_is_reported(site: Site) -> Result {
    let app = site.start().await?;
    let visitor = app.visitor().await?;
    visitor.run([set("k", 2)]).await?;
    app.advance(600);
    visitor.value("k").await?;
    visitor.run([authenticate("ann")]).await?;
    visitor.run([op("destroy")]).await?;
    for kind in [
        EventKind::Created,
        EventKind::Saved,
        EventKind::Touched,
        EventKind::Rotated,
        EventKind::Authenticated,
        EventKind::Ended,
    ] {
        let times = app.log.count(kind);
        ensure!(times == 1, "in the life of a session {kind:?} is reported {times} times");
    }
    Ok(())
}

/// A request that did not use its session is not reported.
pub async fn what_is_not_used_is_not_reported(site: Site) -> Result {
    let app = site.start().await?;
    let visitor = app.visitor().await?;
    let before = app.log.reported().closes.len();
    visitor.get("/untouched").await?;
    ensure!(app.log.reported().closes.len() == before, "a request that did not use its session is reported");
    Ok(())
}

/// Cookie options, and everything of the cookie behind its value.
fn options() -> Vec<(CookieOptions, String)> {
    let hour = CookieLifetime::Fixed(Duration::from_secs(3_600));
    [
        (CookieOptions::default(), "; Path=/; HttpOnly; Secure; SameSite=Lax"),
        (
            CookieOptions::default()
                .with_name("__Secure-sid")
                .with_path("/shop")
                .with_domain(".shop.example"),
            "; Path=/shop; Domain=shop.example; HttpOnly; Secure; SameSite=Lax",
        ),
        (
            CookieOptions::default().with_same_site(SameSite::None).with_partitioned(true),
            "; Path=/; HttpOnly; Secure; SameSite=None; Partitioned",
        ),
        (
            CookieOptions::default()
                .with_name("sid")
                .with_same_site(SameSite::Strict)
                .dangerous_without_secure(),
            "; Path=/; HttpOnly; SameSite=Strict",
        ),
        (CookieOptions::default().dangerous_readable_by_scripts(), "; Path=/; Secure; SameSite=Lax"),
    ]
    .into_iter()
    .map(|(options, attributes)| {
        (options.with_lifetime(CookieLifetime::BrowserSession), attributes.to_owned())
    })
    .chain([(
        CookieOptions::default().with_lifetime(hour),
        "; Max-Age=3600; Path=/; HttpOnly; Secure; SameSite=Lax".to_owned(),
    )])
    .collect()
}

fn cookie_of(reply: &Reply) -> Result<String> {
    let cookies: Vec<_> = reply.headers.get_all(SET_COOKIE).iter().collect();
    let [cookie] = cookies[..] else { fail!("a response has {} cookies instead of one", cookies.len()) };
    Ok(cookie.to_str()?.to_owned())
}

fn only_cookie_is(reply: &Reply, expected: &str) -> Result {
    let cookie = cookie_of(reply)?;
    // Ids stay out of failures: only the attributes are shown.
    let (_, attributes) = cookie.split_once(';').unwrap_or_default();
    ensure!(
        cookie == expected,
        "the cookie is not byte for byte as it has to be; its attributes:{attributes}"
    );
    Ok(())
}

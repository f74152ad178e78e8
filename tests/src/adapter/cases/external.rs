//! Ids that the application reads and hands out itself.

use http::header::{COOKIE, SET_COOKIE};
use session_core::{
    RequestHead, Status,
    persist::{CookieOptions, External, ExternalId},
};

use super::prelude::*;

/// No cookie is set, and none is read.
pub async fn cookies_are_not_used(site: Site) -> Result {
    let app = site.start().await?;
    let visitor = app.client();
    for ops in [vec![set("k", 1)], vec![op("renew")], vec![authenticate("ann")], vec![op("destroy")]] {
        let reply = visitor.ops(ops).await?;
        ensure!(!reply.headers.contains_key(SET_COOKIE), "a cookie is set where the application tells ids");
    }
    let id = app.visitor().await?.known_id()?;
    let field = format!("__Host-id={id}; id={id}");
    let request = visitor.with_fields(&COOKIE, &[field.as_bytes()], [op("info")])?;
    let [info] = visitor.send(request).await?.results()?;
    ensure!(info["status"] == Status::New.as_str(), "a cookie is read where the application reads ids");
    Ok(())
}

/// An id that the application vouches for is used as it is, also for a session that does not exist yet; signing in does
/// not replace it, and nobody is told one.
pub async fn an_id_that_is_vouched_for_is_used_as_it_is(site: Site) -> Result {
    let trusting = External::new(|head: &RequestHead<'_>| {
        let id = head.headers.get("x-own-id")?.to_str().ok()?;
        Some(ExternalId::Trusted(id.to_owned()))
    });
    let app = site.launch(true, &CookieOptions::default(), site.builder().persistence(trusting)).await?;
    let (seven, eight) = (app.client().with_id("device 7"), app.client().with_id("device 8; Domain=evil"));
    for number in 1..=3 {
        let reply = seven.ops([incr("n"), authenticate("ann"), op("info")]).await?;
        let [n, _, info] = reply.tells_nothing()?.results()?;
        ensure!(
            n == number && info["principal"] == "ann",
            "under an id that is vouched for the session is {info}"
        );
    }
    let [n] = eight.ops([incr("n")]).await?.tells_nothing()?.results()?;
    ensure!(n == 1, "two ids that are vouched for lead to one session");
    seven.copy().ops([op("destroy")]).await?.has_status(200)?;
    let [info] = app.client().with_id("device 7").run([op("info")]).await?;
    ensure!(info["principal"] == Value::Null, "a session under an id that is vouched for cannot be ended");
    Ok(())
}

/// An empty or blank id is none, though the application vouches for it: everybody without an id would share a session
/// (CVE-2015-3982).
pub async fn a_blank_id_that_is_vouched_for_is_none(site: Site) -> Result {
    // Shows: A3
    for blank in ["", " ", "  \t ", "\u{a0}\u{3000}", "\0", "\0\0\0\0\0\0\0\0"] {
        let vouching = External::new(move |_: &RequestHead<'_>| Some(ExternalId::Trusted(blank.to_owned())));
        let app = site.launch(true, &CookieOptions::default(), site.builder().persistence(vouching)).await?;
        app.client().run([set("k", 1), authenticate("ann")]).await?;
        let [info, value] = app.client().run([op("info"), get("k")]).await?;
        ensure!(
            info["status"] == Status::New.as_str() && value == Value::Null,
            "who has the id {blank:?} finds the session of another"
        );
    }
    Ok(())
}

//! What keeps the answer to one user from another: `Vary` and `Cache-Control` (RFC 9110 section 12.5.5, RFC 9111).

use http::header::{CACHE_CONTROL, VARY};

use super::prelude::*;

/// Every use of the session makes the response vary on the fields that may carry the id, be it only a look at the keys or
/// at the absence of a session (CVE-2023-30861, CVE-2026-27205).
pub async fn every_use_varies(site: Site) -> Result {
    // Shows: A18
    let app = site.start().await?;
    let clients = [app.client(), app.visitor().await?, app.client().with_id(&app.dead_id().await?)];
    let uses = [get("k"), op("keys"), op("len"), op("info"), op("flashes"), check_csrf("x"), op("csrf")];
    for client in clients {
        for ops in uses.iter().map(|op| vec![op.clone()]).chain([vec![]]) {
            let text = format!("{ops:?}");
            varies(&site, &client.ops(ops).await?, &text)?;
        }
        varies(&site, &client.get("/").await?, "GET /")?;
    }
    Ok(())
}

/// A response that changes the session varies as well: created, changed, renewed, ended.
pub async fn every_change_varies(site: Site) -> Result {
    // Shows: A18
    let app = site.start().await?;
    let visitor = app.client();
    for ops in [
        vec![set("k", 1)],
        vec![set("k", 2)],
        vec![op("renew")],
        vec![op("destroy"), set("k", 3)],
        vec![op("destroy")],
    ] {
        let text = format!("{ops:?}");
        varies(&site, &visitor.ops(ops).await?, &text)?;
    }
    Ok(())
}

/// The `Vary` of the application is added to and never replaced; each field is named once, and `*` says enough.
pub async fn the_vary_of_the_application_is_kept(site: Site) -> Result {
    // Shows: A18
    let app = site.start().await?;
    let visitor = app.visitor().await?;
    for theirs in ["accept", "accept, accept-encoding"] {
        let reply = visitor.ops([header("vary", theirs), get("k")]).await?;
        let vary = reply.list(&VARY)?;
        let kept = theirs.split(", ").all(|theirs| vary.iter().any(|member| member == theirs));
        ensure!(kept, "Vary: {theirs} of the application becomes {vary:?}");
        varies(&site, &reply, &format!("an application with Vary: {theirs}"))?;
    }
    for field in site.persist.vary() {
        for theirs in [field.as_str(), &field.as_str().to_uppercase()] {
            let reply = visitor.ops([header("vary", theirs), get("k")]).await?;
            varies(&site, &reply, &format!("an application with Vary: {theirs}"))?;
        }
    }
    let vary = visitor.ops([header("vary", "*"), get("k")]).await?.list(&VARY)?;
    ensure!(vary.contains(&"*".to_owned()), "Vary: * of the application is lost");
    Ok(())
}

/// A response that announces or withdraws an id must not be stored by any cache: `Cache-Control: no-store` (RFC 9111
/// section 7.3).
pub async fn a_response_with_an_id_is_never_stored(site: Site) -> Result {
    // Shows: A18
    let app = site.start().await?;
    let visitor = app.client();
    for ops in [vec![set("k", 1)], vec![op("renew")], vec![authenticate("ann")], vec![op("destroy")]] {
        let text = format!("{ops:?}");
        let reply = visitor.ops(ops).await?;
        ensure!(reply.told != Told::Nothing, "{text} tells the client nothing");
        ensure!(
            reply.list(&CACHE_CONTROL)?.contains(&"no-store".to_owned()),
            "{text} may be stored by caches"
        );
    }
    Ok(())
}

/// The `Cache-Control` of the application is never weakened: what it says stays, and `no-store` comes once.
pub async fn the_cache_control_of_the_application_is_kept(site: Site) -> Result {
    // Shows: A18
    let app = site.start().await?;
    for theirs in ["public, max-age=60", "private", "no-store", "No-Store, max-age=0"] {
        let reply = app.client().ops([header("cache-control", theirs), set("k", 1)]).await?;
        reply.issues()?;
        let control = reply.list(&CACHE_CONTROL)?;
        let kept = theirs.split(", ").all(|theirs| control.contains(&theirs.to_ascii_lowercase()));
        ensure!(kept, "Cache-Control: {theirs} of the application becomes {control:?}");
        let no_store = control.iter().filter(|directive| *directive == "no-store").count();
        ensure!(
            no_store == 1,
            "no-store is {no_store} times in the Cache-Control of an application with {theirs}"
        );
    }
    Ok(())
}

/// A response that announces nothing keeps the `Cache-Control` that the application gave it, or none.
pub async fn reading_leaves_cache_control_alone(site: Site) -> Result {
    let app = site.start().await?;
    for client in [app.client(), app.visitor().await?] {
        let reply = client.ops([get("k")]).await?;
        ensure!(!reply.headers.contains_key(CACHE_CONTROL), "reading gives a response a Cache-Control");
        let reply = client.ops([header("cache-control", "private, max-age=5"), get("k")]).await?;
        let control = reply.list(&CACHE_CONTROL)?;
        ensure!(control == ["private", "max-age=5"], "reading changes the Cache-Control to {control:?}");
    }
    Ok(())
}

fn varies(site: &Site, reply: &Reply, what: &str) -> Result {
    for field in site.persist.vary() {
        let named = reply.list(&VARY)?.iter().filter(|member| **member == field.as_str()).count();
        ensure!(named == 1, "{field} is {named} times in the Vary of the answer to {what}");
    }
    Ok(())
}

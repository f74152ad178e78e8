//! Nothing for nothing: what is not used costs nothing, and what is only read is not written.

use http::header::{CACHE_CONTROL, VARY};

use super::prelude::*;

/// A request that does not ask for its session costs no store call and gets no `Set-Cookie`, no `Vary` and no
/// `Cache-Control`, whatever id it presents (D16, D22).
pub async fn an_untouched_request_costs_nothing(site: Site) -> Result {
    let app = site.start().await?;
    let visitor = app.visitor().await?;
    app.store.reset();
    for client in [app.client(), visitor.copy(), visitor.with_id(UNKNOWN), visitor.with_id("x")] {
        let reply = client.get("/untouched").await?;
        reply.has_status(200)?.tells_nothing()?;
        ensure!(&reply.body[..] == b"ok", "the fixture's route /untouched does not answer `ok`");
        for field in [VARY, CACHE_CONTROL] {
            ensure!(!reply.headers.contains_key(&field), "an untouched response has the field {field}");
        }
    }
    ensure!(app.store.calls() == Calls::default(), "an untouched request costs {:?}", app.store.calls());
    Ok(())
}

/// A route that does not use the session works while the store does not (D22).
pub async fn an_outage_does_not_reach_untouched_routes(site: Site) -> Result {
    let app = site.start().await?;
    let visitor = app.visitor().await?;
    for call in [Call::Load, Call::Write, Call::Remove] {
        app.store.fail(call, StoreErrorKind::Unavailable);
    }
    visitor.get("/untouched").await?.has_status(200)?.tells_nothing()?;
    Ok(())
}

/// A visitor without an id who only reads gets no `Set-Cookie` and costs no store call at all (CVE-2015-5143).
pub async fn a_visitor_who_only_reads_is_not_stored(site: Site) -> Result {
    // Shows: A19
    let app = site.start().await?;
    let visitor = app.client();
    let reads = [get("k"), op("keys"), op("len"), op("info"), op("flashes"), check_csrf("x"), op("sessions")];
    visitor.ops(reads).await?.has_status(200)?.tells_nothing()?;
    ensure!(app.store.calls() == Calls::default(), "a visitor who only reads costs {:?}", app.store.calls());
    Ok(())
}

/// A visitor without an id who only looks at a page gets no `Set-Cookie` and costs no store call at all.
pub async fn a_visitor_who_looks_at_a_page_is_not_stored(site: Site) -> Result {
    let app = site.start().await?;
    app.client().get("/").await?.has_status(200)?.tells_nothing()?;
    ensure!(app.store.calls() == Calls::default(), "a look at a page costs {:?}", app.store.calls());
    Ok(())
}

/// A session is loaded once for a request, however often the request asks for it.
pub async fn an_id_costs_one_load_however_often_it_is_asked_for(site: Site) -> Result {
    let app = site.start().await?;
    let visitor = app.visitor().await?;
    app.store.reset();
    let [first, second, ..] =
        visitor.run([get("k"), get("k"), op("keys"), op("info"), set("l", 2), get("l"), op("csrf")]).await?;
    ensure!(first == 1 && second == 1, "a value does not come back");
    let expected = app.calls(Calls { loads: 1, writes: 1, ..Calls::default() });
    ensure!(app.store.calls() == expected, "one request with one change costs {:?}", app.store.calls());
    Ok(())
}

/// Reading an existing session costs one load, no write, and no `Set-Cookie`.
pub async fn reading_writes_nothing(site: Site) -> Result {
    let app = site.start().await?;
    let visitor = app.visitor().await?;
    app.store.reset();
    let reads = [get("k"), op("keys"), op("len"), op("info"), op("flashes"), op("csrf"), check_csrf("x")];
    visitor.ops(reads).await?.has_status(200)?.tells_nothing()?;
    let expected = app.calls(Calls { loads: 1, ..Calls::default() });
    ensure!(app.store.calls() == expected, "reading costs {:?}", app.store.calls());
    Ok(())
}

/// Setting a value to what it is already writes nothing.
pub async fn setting_what_is_there_writes_nothing(site: Site) -> Result {
    let app = site.start().await?;
    let visitor = app.visitor().await?;
    app.store.reset();
    visitor.ops([set("k", 2), set("k", 1)]).await?.has_status(200)?.tells_nothing()?;
    ensure!(app.store.calls().writes == 0, "setting a value to what it was is written");
    Ok(())
}

/// Removing or clearing what is not there writes nothing, and starts no session.
pub async fn removing_what_is_not_there_writes_nothing(site: Site) -> Result {
    let app = site.start().await?;
    let visitor = app.visitor().await?;
    app.store.reset();
    for client in [visitor, app.client()] {
        let nothing =
            [remove("absent"), op("flashes"), within("shop", op("clear")), set("a", 1), remove("a")];
        client.ops(nothing).await?.has_status(200)?.tells_nothing()?;
    }
    ensure!(app.store.calls().writes == 0, "removing what is not there is written");
    Ok(())
}

/// Any number of visitors with made-up ids leave no record behind (CVE-2015-5143, CVE-2015-5963, Pesto's empty session
/// for every visitor).
pub async fn a_flood_of_strangers_stores_nothing(site: Site) -> Result {
    // Shows: A19
    let app = site.start().await?;
    let nobody = app.client();
    for number in 0..site.rounds(1_000) {
        let reply = nobody.with_id(&format!("{number:032}")).ops([get("k"), op("keys"), op("info")]).await?;
        reply.has_status(200)?.tells_nothing()?;
    }
    let calls = app.store.calls();
    ensure!(calls.writes + calls.removes == 0 && app.store.records() == 0, "strangers cost {calls:?}");
    Ok(())
}

/// An id that nobody has.
const UNKNOWN: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

//! When changes are stored, where the configuration says otherwise.

use session_core::{SavePolicy, Status};

use super::{ids::is_status, prelude::*};

/// With the policy `explicit` nothing is stored without `save`, and nothing is announced (BE-04).
pub async fn explicit_stores_what_is_saved(site: Site) -> Result {
    let app = site.start_with(|builder| builder.save_policy(SavePolicy::Explicit)).await?;
    let visitor = app.client();
    for ops in [vec![set("k", 1)], vec![authenticate("ann")], vec![op("csrf"), flash("f")]] {
        visitor.ops(ops).await?.has_status(200)?.tells_nothing()?;
    }
    ensure!(app.store.calls() == Calls::default(), "what is not saved costs {:?}", app.store.calls());
    visitor.ops([set("k", 1), op("save"), set("l", 2)]).await?.has_status(200)?.issues()?;
    let keys = visitor.one(op("keys")).await?;
    ensure!(keys == json!(["k"]), "of two keys, one of them saved, {keys} are stored");
    visitor.ops([op("renew")]).await?.has_status(200)?.tells_nothing()?;
    is_status(&visitor, Status::Active).await
}

/// With the policy `explicit` a session is ended without `save`, and kept alive by use.
pub async fn explicit_ends_and_keeps_alive(site: Site) -> Result {
    let app = site.start_with(|builder| builder.save_policy(SavePolicy::Explicit)).await?;
    let visitor = app.client();
    visitor.ops([set("k", 1), op("save")]).await?.has_status(200)?.issues()?;
    for _ in 0..3 {
        app.advance(1_700);
        is_status(&visitor, Status::Active).await?;
    }
    visitor.ops([op("destroy")]).await?.has_status(200)?.withdraws()?;
    ensure!(app.store.records() == 0, "a session that was ended is kept");
    Ok(())
}

/// With the policy `always` every use of an existing session is stored, and a visitor who reads still is not.
pub async fn always_stores_every_use(site: Site) -> Result {
    let app = site.start_with(|builder| builder.save_policy(SavePolicy::Always)).await?;
    app.client().ops([get("k")]).await?.has_status(200)?.tells_nothing()?;
    ensure!(app.store.calls() == Calls::default(), "a visitor who reads costs {:?}", app.store.calls());
    let visitor = app.visitor().await?;
    app.store.reset();
    for _ in 0..3 {
        visitor.ops([get("k")]).await?.has_status(200)?.keeps_the_id()?;
    }
    let writes = app.calls(Calls { writes: 3, ..Calls::default() }).writes;
    ensure!(app.store.calls().writes == writes, "three uses are stored {} times", app.store.calls().writes);
    Ok(())
}

/// With the policy `always` a request that does not use its session still stores nothing.
pub async fn always_spares_what_is_not_used(site: Site) -> Result {
    let app = site.start_with(|builder| builder.save_policy(SavePolicy::Always)).await?;
    let visitor = app.visitor().await?;
    app.store.reset();
    visitor.get("/untouched").await?.tells_nothing()?;
    ensure!(app.store.calls() == Calls::default(), "an untouched request costs {:?}", app.store.calls());
    Ok(())
}

/// What a request changed is stored when its response becomes a 500: a counter of failed attempts counts (D2, D31).
pub async fn a_500_is_stored(site: Site) -> Result {
    let app = site.start().await?;
    let visitor = app.client();
    visitor.ops([incr("failures"), op("fail")]).await?.has_status(500)?.issues()?;
    visitor.ops([incr("failures"), op("fail")]).await?.has_status(500)?.keeps_the_id()?;
    ensure!(visitor.value("failures").await? == 2, "what a failing request changed is lost");
    Ok(())
}

/// Where the configuration says so, a 5xx drops what the request changed, and nothing is announced; a 4xx and what was
/// saved before are stored, and an end is an end.
pub async fn a_500_drops_changes_where_configured(site: Site) -> Result {
    let app = site.start_with(|builder| builder.save_on_server_error(false)).await?;
    for code in [500, 503] {
        app.client().ops([set("k", 1), status(code)]).await?.has_status(code)?.tells_nothing()?;
    }
    ensure!(app.store.calls().writes == 0, "what a failing request changed is stored");
    let visitor = app.visitor().await?;
    visitor.ops([set("k", 2), op("renew"), op("fail")]).await?.has_status(500)?.tells_nothing()?;
    ensure!(visitor.value("k").await? == 1, "a failing request changes the session");
    visitor.ops([set("k", 3), op("save"), set("k", 4), op("fail")]).await?.has_status(500)?;
    ensure!(visitor.value("k").await? == 3, "what was saved before the failure is lost");
    visitor.ops([set("k", 5), status(422)]).await?.has_status(422)?;
    ensure!(visitor.value("k").await? == 5, "a 4xx loses what the request changed");
    visitor.ops([op("destroy"), op("fail")]).await?.has_status(500)?.withdraws()?;
    is_status(&visitor, Status::New).await
}

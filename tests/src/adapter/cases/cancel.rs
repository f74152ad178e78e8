//! Requests that are dropped at every await, as a server does when a client goes away.

use session_core::Status;

use super::prelude::*;
use crate::store::cut::{cut, cuts, endless};

/// A first write that is cancelled leaves nothing or one session, and blocks nobody.
pub async fn a_cancelled_first_write_leaves_one_session_at_most(site: Site) -> Result {
    let app = site.start().await?;
    for polls in cuts() {
        let before = app.store.records();
        let done = cut(polls, app.client().ops([set("k", 1), authenticate("ann")])).await;
        ensure!(app.store.records() <= before + 1, "a cancelled first write leaves two records");
        if let Some(reply) = done {
            reply?.has_status(200)?.issues()?;
            return Ok(());
        }
    }
    endless()
}

/// A write that is cancelled leaves the session old or new, whole, and open to the next request.
pub async fn a_cancelled_write_is_old_or_new(site: Site) -> Result {
    let app = site.start().await?;
    for polls in cuts() {
        let visitor = app.visitor().await?;
        let done = cut(polls, visitor.ops([set("k", 2), set("l", 2), flash("f")])).await;
        let [k, l, flashes] = visitor.run([get("k"), get("l"), op("flashes")]).await?;
        let old = k == 1 && l == Value::Null && flashes == json!([]);
        let new = k == 2 && l == 2 && flashes == json!(["f"]);
        ensure!(old || new, "a cancelled write leaves {k}, {l}, {flashes}");
        // What a store had begun may land behind the look at it.
        let [counted, l] = visitor.run([incr("k"), get("l")]).await?;
        let landed = counted == 3 && l == 2;
        ensure!(landed || !new && counted == 2 && l == Value::Null, "a cancelled write blocks the session");
        if let Some(reply) = done {
            reply?.has_status(200)?;
            ensure!(new, "a write that was answered is not stored");
            return Ok(());
        }
    }
    endless()
}

/// A login that is cancelled leaves at most one id that works: the old one, of a visitor, or none that anybody knows.
pub async fn a_cancelled_login_leaves_one_id_at_most(site: Site) -> Result {
    // Shows: A2
    let app = site.start().await?;
    for polls in cuts() {
        let browser = app.visitor().await?;
        let old = browser.copy();
        let done = cut(polls, browser.ops([authenticate("ann"), set("k", 2)])).await;
        let [info, k] = old.run([op("info"), get("k")]).await?;
        ensure!(info["principal"] == Value::Null, "after a cancelled login the old id is signed in");
        let before = info["status"] == Status::Active.as_str() && k == 1;
        let after = info["status"] == Status::Superseded.as_str() && k == Value::Null;
        ensure!(before || after, "a cancelled login leaves the old id with {info}, {k}");
        if before
            && !old
                .ops([authenticate("ann")])
                .await?
                .has_status(200)
                .is_ok_and(|reply| reply.issues().is_ok())
        {
            // What a store had begun has landed behind the look at it, or beside this login.
            let info = old.one(op("info")).await?;
            ensure!(
                info["status"] == Status::Superseded.as_str(),
                "a cancelled login blocks the next: {info}"
            );
        }
        if let Some(reply) = done {
            reply?.has_status(200)?.issues()?;
            ensure!(after, "a login that was answered leaves the old id alive");
            return Ok(());
        }
    }
    endless()
}

/// A logout that is cancelled is carried out or not, and can be repeated.
pub async fn a_cancelled_logout_is_done_or_not(site: Site) -> Result {
    let app = site.start().await?;
    for polls in cuts() {
        let member = app.member("ann").await?;
        let done = cut(polls, member.ops([op("destroy")])).await;
        let answered = done.is_some();
        if let Some(reply) = done {
            reply?.has_status(200)?.withdraws()?;
        }
        let [info, k] = member.run([op("info"), get("k")]).await?;
        let there = info["principal"] == "ann" && k == 1;
        let gone = info["principal"] == Value::Null && k == Value::Null;
        ensure!(there || gone, "a cancelled logout leaves {info}, {k}");
        ensure!(gone || !answered, "a logout that was answered is not carried out");
        member.ops([op("destroy")]).await?.has_status(200)?;
        if answered {
            return Ok(());
        }
    }
    endless()
}

/// Requests that are cancelled while they wait for their turn after a conflict hold nobody up, and those that go on lose
/// nothing.
pub async fn a_cancelled_request_holds_nobody_up(site: Site) -> Result {
    let app = site.start().await?;
    for polls in (0..60).step_by(3) {
        let visitor = app.visitor().await?;
        let flights = (0..16).map(|_| visitor.launch([incr("n")])).collect::<Result<Vec<_>>>()?;
        for _ in 0..8 {
            cut(polls, visitor.ops([incr("m"), op("save"), incr("m")])).await.transpose()?;
        }
        for reply in land_all(flights).await? {
            reply.has_status(200)?;
        }
        let n = visitor.value("n").await?;
        ensure!(n == 16, "beside cancelled requests, of 16 increments {n} are counted");
    }
    Ok(())
}

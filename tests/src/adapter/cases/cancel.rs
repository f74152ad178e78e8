//! Requests that are dropped at every await, as a server does when a client goes away.

use http::{Method, Request};
use session_core::{Clock, Opened, Status};

use super::prelude::*;
use crate::store::cut::{POLLS, cut, cuts, endless};

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

/// Whatever a request does, cancelled at any await it leaves one session, old or new, that works: under the id that the
/// client has, or under one that was never told.
pub async fn whatever_is_cancelled_leaves_a_session_that_works(site: Site) -> Result {
    let app = site.start().await?;
    let lists: [(&str, Vec<Value>); 7] = [
        ("a read", vec![get("k"), op("info")]),
        ("a renewal", vec![op("renew"), set("k", 2)]),
        ("signing out", vec![op("deauthenticate"), set("k", 2)]),
        ("a save", vec![set("k", 2), op("save"), set("l", 2)]),
        ("a saved login", vec![authenticate("bob"), op("save"), set("k", 2)]),
        ("an end and a new beginning", vec![op("destroy"), set("k", 2)]),
        ("a saved end", vec![op("destroy"), op("save"), set("k", 2)]),
    ];
    for (what, ops) in lists {
        for polls in cuts() {
            let browser = app.member("ann").await?;
            // So that also reading writes down that the session is used.
            app.advance(200);
            let old = browser.copy();
            let done = cut(polls, browser.ops(ops.clone())).await.transpose()?;
            let [info, k] = old.run([op("info"), get("k")]).await?;
            let active = info["status"] == Status::Active.as_str();
            let whole = info["principal"] == "ann" && (k == 1 || k == 2);
            let gone = info["principal"] == Value::Null && k == Value::Null;
            ensure!(if active { whole } else { gone }, "{what} that is cancelled leaves {info}, {k}");
            // What a store had begun may land behind the look at it.
            let late = old.copy().ops([incr("n")]).await?;
            ensure!(
                matches!(late.status.as_u16(), 200 | 409),
                "{what} that is cancelled leaves a {}",
                late.status
            );
            if let Some(reply) = done {
                reply.has_status(200)?;
                let k = browser.value("k").await?;
                ensure!(what == "a read" || k == 2, "{what} that was answered is not stored");
                break;
            }
            if polls + 1 == POLLS {
                return endless();
            }
        }
    }
    Ok(())
}

/// A routine rotation that is cancelled at any await leaves one session, which both ids reach while the grace lasts.
pub async fn a_cancelled_rotation_leaves_one_session(site: Site) -> Result {
    let app = site.start_with(|builder| builder.renew_every(std::time::Duration::from_secs(60))).await?;
    for polls in cuts() {
        let browser = app.member("ann").await?;
        app.advance(60);
        let old = browser.copy();
        let done = cut(polls, browser.ops([incr("k")])).await.transpose()?;
        let [info, k] = old.run([op("info"), get("k")]).await?;
        ensure!(info["principal"] == "ann" && (k == 1 || k == 2), "a cancelled rotation leaves {info}, {k}");
        let counted = old.one(incr("k")).await?;
        ensure!(counted == 2 || counted == 3, "a cancelled rotation loses a step: {counted}");
        if let Some(reply) = done {
            reply.has_status(200)?.issues()?;
            ensure!(counted == 3, "a rotation that was answered loses what came with it");
            return Ok(());
        }
    }
    endless()
}

/// Ending all other sessions, cancelled at any await, ends some of them and never its own, and can be repeated.
pub async fn a_cancelled_end_of_the_others_spares_its_own(site: Site) -> Result {
    let app = site.start().await?;
    for (polls, principal) in cuts().map(|polls| (polls, format!("ann {polls}"))) {
        let own = app.member(&principal).await?;
        let others = [app.member(&principal).await?, app.member(&principal).await?];
        let done = cut(polls, own.ops([op("sessions"), op("end_others")])).await.transpose()?;
        ensure!(own.one(op("info")).await?["principal"] == *principal, "who ends the others is ended");
        own.ops([op("end_others")]).await?.has_status(200)?;
        for other in &others {
            ensure!(other.one(op("info")).await?["principal"] == Value::Null, "a session is not ended");
        }
        own.ops([op("destroy")]).await?.has_status(200)?;
        if let Some(reply) = done {
            reply.has_status(200)?;
            return Ok(());
        }
    }
    endless()
}

/// A redirect that hands out an id, cancelled at any await, leaves one empty record at most, and that not for long.
pub async fn a_cancelled_redirect_hands_out_nothing_that_stays(site: Site) -> Result {
    let app = site.start().await?;
    for polls in cuts() {
        let before = app.store.records();
        let done = cut(polls, app.client().get("/")).await.transpose()?;
        ensure!(app.store.records() <= before + 1, "a cancelled redirect leaves two records");
        if let Some(reply) = done {
            reply.has_status(200)?;
            let soon = app.clock.now() + std::time::Duration::from_secs(60);
            ensure!(
                app.store.expiries().iter().all(|expiry| *expiry <= soon),
                "an id that nobody uses stays"
            );
            return Ok(());
        }
    }
    endless()
}

/// Work that goes on behind the response, cancelled at any await, has changed the session or not, and blocks nobody.
pub async fn cancelled_work_behind_the_response_is_old_or_new(site: Site) -> Result {
    let manager = site.manager(|builder| builder)?;
    for polls in cuts() {
        let request = Request::builder().method(Method::POST).body(())?;
        let Opened::Continue(lazy) = manager.open(&(&request).into()).await else {
            fail!("a request is answered without its handler");
        };
        let session = lazy.load().await?;
        session.insert("n", 1_u64)?;
        session.save().await?;
        let detached = session.detach();
        let done = cut(polls, detached.update::<u64>("n", |n| *n += 1)).await.transpose()?;
        let found = detached.get::<u64>("n").await?;
        ensure!(found == Some(1) || found == Some(2), "cancelled work leaves {found:?}");
        let counted = detached.update::<u64>("n", |n| *n += 1).await?;
        ensure!(counted == 2 || counted == 3, "cancelled work blocks the session, or loses it: {counted}");
        if let Some(counted) = done {
            ensure!(counted == 2 && found == Some(2), "work that was answered is not stored");
            return Ok(());
        }
    }
    endless()
}

//! A store that fails: an error for this request, and nothing else. An outage is not a logout.

use bytes::Bytes;
use http::{Response, StatusCode, header::RETRY_AFTER};
use session_core::{ManagerBuilder, Status};

use super::{ids::is_status, prelude::*};

/// A session that cannot be loaded is a 503 with `Retry-After`, without a cookie; it is not taken for absent, and it is
/// there when the store works again (D12, D22).
pub async fn a_load_that_fails_is_503(site: Site) -> Result {
    // Shows: A31
    let app = site.start().await?;
    let member = app.member("ann").await?;
    for kind in TROUBLES {
        app.store.fail(Call::Load, kind);
        app.store.reset();
        for ops in [vec![get("k")], vec![set("k", 2)], vec![authenticate("bob")], vec![op("destroy")], vec![]]
        {
            let reply = member.ops(ops).await?;
            reply.has_status(503)?.tells_nothing()?;
            ensure!(reply.headers.contains_key(RETRY_AFTER), "{kind:?}: a 503 without Retry-After");
        }
        member.get("/").await?.has_status(503)?.tells_nothing()?;
        let calls = app.store.calls();
        ensure!(
            calls.writes + calls.removes == 0,
            "{kind:?}: after a load that failed the store sees {calls:?}"
        );
        app.store.heal();
        let [info, value] = member.run([op("info"), get("k")]).await?;
        ensure!(info["principal"] == "ann" && value == 1, "{kind:?}: an outage ends as {info} with {value}");
    }
    Ok(())
}

/// A change that cannot be stored is a 503 with `Retry-After`, never an answer that looks like success; nothing of it
/// is stored, no cookie is touched, and it succeeds when the store works again (D26).
pub async fn a_save_that_fails_is_503(site: Site) -> Result {
    // Shows: A31
    let app = site.start().await?;
    let member = app.member("ann").await?;
    for kind in TROUBLES {
        app.store.fail(Call::Write, kind);
        for ops in [vec![set("k", 2)], vec![incr("k"), status(302)], vec![flash("f")], vec![op("renew")]] {
            let reply = member.ops(ops).await?;
            reply.has_status(503)?.tells_nothing()?;
            ensure!(reply.headers.contains_key(RETRY_AFTER), "{kind:?}: a 503 without Retry-After");
        }
        app.store.heal();
        let [info, value, flashes] = member.run([op("info"), get("k"), op("flashes")]).await?;
        let same = info["principal"] == "ann" && value == 1 && flashes == json!([]);
        ensure!(same, "{kind:?}: after a save that failed the session is {info}, {value}, {flashes}");
    }
    member.run([incr("k")]).await?;
    ensure!(member.value("k").await? == 2, "after an outage nothing can be stored");
    ensure!(app.log.count(EventKind::StoreFailed) > 0, "the trouble of the store is not reported");
    Ok(())
}

/// A first write that cannot be stored gets no cookie, and nothing is left of it.
pub async fn a_first_write_that_fails_is_not_announced(site: Site) -> Result {
    let app = site.start().await?;
    for kind in TROUBLES {
        let visitor = app.client();
        app.store.fail(Call::Write, kind);
        visitor.ops([set("k", 1)]).await?.has_status(503)?.tells_nothing()?;
        app.store.heal();
        ensure!(
            visitor.id().is_none() && app.store.records() == 0,
            "{kind:?}: a failed first write leaves something"
        );
        visitor.ops([set("k", 1)]).await?.has_status(200)?.issues()?;
        visitor.ops([op("destroy")]).await?.has_status(200)?;
    }
    Ok(())
}

/// `save` tells the handler that the store failed, keeps the changes, and the end of the request stores them.
pub async fn a_failed_save_can_be_repeated(site: Site) -> Result {
    let app = site.start().await?;
    let visitor = app.visitor().await?;
    app.store.fail_once(Call::Write, StoreErrorKind::Unavailable, 0);
    let [_, failed, k] = visitor.run([set("k", 2), op("save"), get("k")]).await?;
    ensure!(failed == error("unavailable") && k == 2, "a save that fails answers {failed} and leaves {k}");
    ensure!(visitor.value("k").await? == 2, "changes are lost with a save that failed");
    Ok(())
}

/// An update is made once, also when its write seemed to fail and was carried out all the same and nobody has changed the
/// session since; what the handler does after that is made too.
pub async fn an_update_in_doubt_is_made_once(site: Site) -> Result {
    let app = site.start().await?;
    for visitor in [app.visitor().await?, app.member("ann").await?] {
        app.store.lose_answer(Call::Write, 0);
        let [_, failed] = visitor.run([incr("n"), op("save")]).await?;
        ensure!(failed["error"] != Value::Null, "a write in doubt is reported as {failed}");
        let n = visitor.value("n").await?;
        ensure!(n == 1, "an update of 1 whose write was in doubt counts to {n}");
        app.store.lose_answer(Call::Write, 0);
        visitor.run([incr("n"), op("save"), incr("n"), incr("m")]).await?;
        let [n, m] = visitor.run([get("n"), get("m")]).await?;
        ensure!(n == 3 && m == 1, "two updates around a write in doubt count to {n} and {m}");
    }
    Ok(())
}

/// A first write in doubt leaves one session that the client has, with each update made once.
pub async fn a_first_write_in_doubt_is_made_once(site: Site) -> Result {
    let app = site.start().await?;
    let visitor = app.client();
    app.store.lose_answer(Call::Write, 0);
    visitor.run([incr("n"), op("save"), incr("n")]).await?;
    let n = visitor.value("n").await?;
    ensure!(n == 2, "two updates around a first write in doubt count to {n}");
    Ok(())
}

/// A write whose answer is lost is a 503; the session is whole, old or new, and can be used again.
pub async fn a_write_whose_answer_is_lost_is_old_or_new(site: Site) -> Result {
    let app = site.start().await?;
    let visitor = app.visitor().await?;
    app.store.lose_answer(Call::Write, 0);
    visitor.ops([set("k", 2), set("l", 2)]).await?.has_status(503)?.tells_nothing()?;
    let [k, l] = visitor.run([get("k"), get("l")]).await?;
    let whole = (k == 1 && l == Value::Null) || (k == 2 && l == 2);
    ensure!(whole, "a write whose answer is lost leaves {k} and {l}");
    visitor.run([set("k", 3)]).await?;
    ensure!(visitor.value("k").await? == 3, "after a lost answer nothing can be stored");
    Ok(())
}

/// A login whose answer is lost, at either step, is a 503 and never leaves two ids that work.
pub async fn a_login_whose_answer_is_lost_leaves_one_id(site: Site) -> Result {
    // Shows: A2
    let app = site.start().await?;
    for spared in [0, 1] {
        let browser = app.visitor().await?;
        let (before, records) = (browser.known_id()?, app.store.records());
        app.store.lose_answer(Call::Write, spared);
        browser.ops([authenticate("ann")]).await?.has_status(503)?.tells_nothing()?;
        ensure!(browser.known_id()? == before, "a login whose answer is lost touches the cookie");
        let info = browser.one(op("info")).await?;
        let anonymous = info["principal"] == Value::Null;
        ensure!(anonymous, "a login whose answer is lost signs in under the old id");
        if spared == 0 {
            ensure!(
                info["status"] == Status::Active.as_str(),
                "a login that did not get far ends the session"
            );
            ensure!(
                app.store.records() == records,
                "a login whose answer is lost leaves a session nobody has"
            );
        }
    }
    Ok(())
}

/// A full store still reads, keeps who is signed in, and lets people out.
pub async fn a_full_store_reads_and_lets_out(site: Site) -> Result {
    let app = site.start().await?;
    let member = app.member("ann").await?;
    app.store.fail(Call::Write, StoreErrorKind::Full);
    // Late enough for activity to be written down, which fails unnoticed.
    app.advance(600);
    let [info, value] = member.ops([op("info"), get("k")]).await?.tells_nothing()?.results()?;
    ensure!(info["principal"] == "ann" && value == 1, "in a full store the session is {info} with {value}");
    member.ops([set("k", 2)]).await?.has_status(503)?.tells_nothing()?;
    member.ops([op("destroy")]).await?.has_status(200)?.withdraws()?;
    is_status(&member, Status::New).await
}

/// A damaged record is an error of the server, not an absent session: 500, no cookie, nothing overwritten, others
/// unaffected.
pub async fn a_damaged_record_is_500(site: Site) -> Result {
    let app = site.start().await?;
    let (member, other) = (app.member("ann").await?, app.member("bob").await?);
    app.store.reset();
    for ops in [vec![get("k")], vec![set("k", 2)]] {
        app.store.fail_once(Call::Load, StoreErrorKind::Corrupt, 0);
        member.ops(ops).await?.has_status(500)?.tells_nothing()?;
    }
    ensure!(app.store.calls().writes == 0, "a damaged record is overwritten");
    ensure!(app.log.count(EventKind::Corrupt) == 2, "a damaged record is not reported");
    ensure!(other.value("k").await? == 1, "a damaged record harms another session");
    Ok(())
}

/// The list of devices during an outage is an error, never a short list.
pub async fn a_list_that_fails_is_an_error(site: Site) -> Result {
    let app = site.start().await?;
    let member = app.member("ann").await?;
    app.store.fail(Call::List, StoreErrorKind::Unavailable);
    let [sessions, others, _] = member.run([op("sessions"), op("end_others"), get("k")]).await?;
    ensure!(
        sessions == error("unavailable") && others == error("unavailable"),
        "a list that fails is {sessions}"
    );
    app.store.heal();
    app.store.fail_once(Call::Load, StoreErrorKind::Unavailable, 1);
    let [sessions] = member.run([op("sessions")]).await?;
    ensure!(sessions == error("unavailable"), "a list with a record that cannot be read is {sessions}");
    Ok(())
}

/// The application can replace the answer to an error (tower-sessions #203).
pub async fn the_application_can_replace_the_answer(site: Site) -> Result {
    let app = site.start_with(sorry).await?;
    let visitor = app.visitor().await?;
    for (call, ops) in [(Call::Load, vec![get("k")]), (Call::Write, vec![set("k", 2)])] {
        app.store.fail(call, StoreErrorKind::Unavailable);
        let reply = visitor.ops(ops).await?;
        reply.has_status(418)?.tells_nothing()?;
        ensure!(&reply.body[..] == b"sorry: unavailable", "the application's answer to an error is not sent");
        let page = visitor.get("/").await?;
        ensure!(
            call == Call::Write || page.status == 418,
            "a page whose session cannot be loaded is {}",
            page.status
        );
        app.store.heal();
    }
    let mut hold = app.store.hold_one(Call::Write);
    let mut late = visitor.launch([set("k", 2)])?;
    hold.catch(&mut late).await?;
    visitor.ops([op("destroy")]).await?.has_status(200)?;
    hold.release();
    late.land().await?.has_status(409)?;
    Ok(())
}

/// What the library must say stays with the answer that the application gives to an error.
pub async fn what_must_be_told_stays_with_the_answer(site: Site) -> Result {
    let app = site.start_with(sorry).await?;
    let visitor = app.visitor().await?;
    app.store.fail_once(Call::Write, StoreErrorKind::Unavailable, 2);
    let reply = visitor.ops([op("renew"), op("save"), set("k", 2)]).await?;
    reply.has_status(418)?.issues()?;
    ensure!(visitor.value("k").await? == 1, "the id that was told leads to another session");
    Ok(())
}

/// Answers every error but the end of the session in the application's own way.
fn sorry(builder: ManagerBuilder) -> ManagerBuilder {
    builder.error_response(|error| {
        let mut response = Response::new(Bytes::from(format!("sorry: {}", error.kind())));
        *response.status_mut() = StatusCode::IM_A_TEAPOT;
        Some(response).filter(|_| error.kind() != "ended")
    })
}

/// What a store may answer when it is in trouble, besides damage.
const TROUBLES: [StoreErrorKind; 4] = [
    StoreErrorKind::Unavailable,
    StoreErrorKind::Overloaded,
    StoreErrorKind::Full,
    StoreErrorKind::Indeterminate,
];

//! An ended session stays ended, and no late request brings it back or tells the client anything.

use session_core::Status;

use super::{ids::is_status, parallel::overtaken, prelude::*};

/// Ending a session removes its record, withdraws the id and leaves nothing: the old id is unknown (Pesto's and Beaker's
/// `invalidate`, which left the data in the store).
pub async fn an_ended_session_is_gone(site: Site) -> Result {
    // Shows: A44
    let app = site.start().await?;
    let member = app.member("ann").await?;
    let stale = member.copy();
    let before = app.store.records();
    let reply = member.ops([op("destroy"), op("info"), op("keys")]).await?;
    let [_, info, keys] = reply.withdraws()?.results()?;
    ensure!(info["status"] == Status::Ended.as_str() && keys == json!([]), "an ended session is still read");
    ensure!(
        info["principal"] == Value::Null && info["handle"] == Value::Null,
        "an ended session belongs to somebody"
    );
    ensure!(app.store.records() == before - 1, "the record of an ended session is kept");
    is_status(&stale, Status::Unknown).await?;
    is_status(&member, Status::New).await?;
    ensure!(app.log.count(EventKind::Ended) == 1, "the end of a session is not reported");
    Ok(())
}

/// Ending what is not there does nothing and tells nothing: no session, an unknown id, a session that was never stored.
pub async fn ending_nothing_does_nothing(site: Site) -> Result {
    let app = site.start().await?;
    let nobody = app.client().with_id(&app.dead_id().await?);
    app.store.reset();
    app.client().ops([op("destroy")]).await?.has_status(200)?.tells_nothing()?;
    app.client().ops([set("k", 1), flash("f"), op("destroy")]).await?.has_status(200)?.tells_nothing()?;
    nobody.ops([op("destroy")]).await?.has_status(200)?.tells_nothing()?;
    ensure!(app.store.calls().writes == 0, "ending nothing writes something");
    Ok(())
}

/// A write after the end, in the same request, starts a new session under a new id, with one announcement and nothing
/// of the old one.
pub async fn a_write_after_the_end_starts_anew(site: Site) -> Result {
    let app = site.start().await?;
    let member = app.member("ann").await?;
    let [token] = member.run([op("csrf")]).await?;
    let (stale, old) = (member.copy(), member.known_id()?);
    let reply = member.ops([op("destroy"), set("new", 1), op("keys"), op("info")]).await?;
    ensure!(reply.issues()? != old, "a session that starts anew has the id of the old one");
    let [_, _, keys, info] = reply.results()?;
    ensure!(
        keys == json!(["new"]) && info["is_new"] == true,
        "a session that starts anew has the keys {keys}"
    );
    let [keys, info, right] =
        member.run([op("keys"), op("info"), check_csrf(token.as_str().unwrap_or_default())]).await?;
    ensure!(keys == json!(["new"]), "a session that starts anew is stored with the keys {keys}");
    ensure!(
        info["principal"] == Value::Null && right == false,
        "a session that starts anew inherits something"
    );
    is_status(&stale, Status::Unknown).await?;
    Ok(())
}

/// A request that is still running cannot bring an ended session back: it is refused with 409 and gets no cookie (CVE-
/// 2025-46336, D3, D14, D20).
pub async fn a_late_write_does_not_undo_a_logout(site: Site) -> Result {
    // Shows: A42
    let app = site.start().await?;
    for late in [vec![set("k", 2)], vec![incr("k")], vec![remove("k")], vec![flash("f")], vec![op("clear")]] {
        let member = app.member("ann").await?;
        let (stale, text) = (member.copy(), format!("{late:?}"));
        let before = app.store.records();
        let (late, _) = overtaken(&app, &member, late, vec![op("destroy")]).await?;
        late.has_status(409)?.tells_nothing()?;
        ensure!(member.id().is_none(), "{text} gives the browser an id after the logout");
        is_status(&stale, Status::Unknown).await?;
        ensure!(app.store.records() == before - 1, "{text} brings a record back after the logout");
    }
    Ok(())
}

/// A late renewal, login or change of the expiry does not bring an ended session back either, under no id.
pub async fn a_late_login_does_not_undo_a_logout(site: Site) -> Result {
    // Shows: A42
    let app = site.start().await?;
    let late = [op("renew"), op("deauthenticate"), authenticate("ann"), authenticate("bob"), set_idle(60)];
    for late in late {
        let member = app.member("ann").await?;
        let (stale, text) = (member.copy(), late.to_string());
        let before = app.store.records();
        let mut hold = app.store.hold(Call::Write);
        let mut slow = member.launch([late])?;
        hold.catch(&mut slow).await?;
        member.ops([op("destroy")]).await?.has_status(200)?;
        hold.release();
        slow.land().await?.has_status(409)?.tells_nothing()?;
        ensure!(member.id().is_none(), "{text} gives the browser an id after the logout");
        is_status(&stale, Status::Unknown).await?;
        ensure!(app.store.records() == before - 1, "{text} leaves a record after the logout");
    }
    Ok(())
}

/// A session that is ended between the two steps of a rotation is ended: neither the old id nor the new one works.
pub async fn a_logout_between_the_steps_of_a_login_counts(site: Site) -> Result {
    let app = site.start().await?;
    let visitor = app.visitor().await?;
    let stale = visitor.copy();
    let before = app.store.records();
    // The first step writes the new record, the second turns the old one into a marker.
    let mut hold = app.store.hold_one_after(Call::Write, 1);
    let mut login = visitor.launch([authenticate("ann")])?;
    hold.catch(&mut login).await?;
    visitor.ops([op("destroy")]).await?.has_status(200)?.withdraws()?;
    hold.release();
    login.land().await?.has_status(409)?.tells_nothing()?;
    is_status(&stale, Status::Unknown).await?;
    ensure!(app.store.records() == before - 1, "a login that lost to a logout leaves a record behind");
    Ok(())
}

/// 64 writers that race a logout all lose: 409, no cookie, and the session stays dead (CVE-2025-46336, D3).
pub async fn a_logout_beats_64_writers(site: Site) -> Result {
    // Shows: A42
    let app = site.start().await?;
    let member = app.member("ann").await?;
    let stale = member.copy();
    let mut hold = app.store.hold(Call::Write);
    let mut writers = Vec::new();
    for number in 0..64 {
        let mut writer = member.launch([incr("n"), set(&format!("k{number}"), number)])?;
        hold.catch(&mut writer).await?;
        writers.push(writer);
    }
    member.ops([op("destroy")]).await?.has_status(200)?.withdraws()?;
    hold.release();
    for reply in land_all(writers).await? {
        reply.has_status(409)?.tells_nothing()?;
    }
    ensure!(member.id().is_none(), "a writer that lost gives the browser an id");
    is_status(&stale, Status::Unknown).await?;
    Ok(())
}

/// A logout that races 64 writers freely, again and again, is final each time it is answered.
pub async fn a_logout_among_writers_is_final(site: Site) -> Result {
    let app = site.start().await?;
    for round in 0..site.rounds(5) {
        let member = app.member("ann").await?;
        let stale = member.copy();
        let ops = |number| match number {
            _ if number == 20 + round => vec![op("destroy")],
            _ if number % 8 == 7 => vec![incr("n"), op("renew")],
            _ => vec![incr("n")],
        };
        let flights = (0..64).map(|number| stale.copy().launch(ops(number))).collect::<Result<Vec<_>>>()?;
        let mut ids = vec![stale.known_id()?];
        for reply in land_all(flights).await? {
            let status = reply.status.as_u16();
            ensure!(
                status == 200 || status == 409,
                "a request that races a logout is answered with {status}"
            );
            if let Told::Issued(id) = reply.told {
                ids.push(id);
            }
        }
        for id in ids {
            // A request that came after the logout may have started another session, in which nobody is signed in.
            let info = app.client().with_id(&id).one(op("info")).await?;
            ensure!(info["principal"] == Value::Null, "round {round}: an id is signed in after the logout");
        }
    }
    Ok(())
}

/// A request that only reads while the session is ended is answered, without a cookie, and brings nothing back.
pub async fn a_late_reader_does_not_undo_a_logout(site: Site) -> Result {
    // Shows: A42
    let app = site.start().await?;
    let member = app.member("ann").await?;
    let stale = member.copy();
    let before = app.store.records();
    // Late enough for the reader to write down that the session is used.
    app.advance(600);
    let (reader, _) = overtaken(&app, &member, vec![get("k")], vec![op("destroy")]).await?;
    let [value] = reader.tells_nothing()?.results()?;
    ensure!(value == 1, "a late reader reads {value}");
    is_status(&stale, Status::Unknown).await?;
    ensure!(app.store.records() == before - 1, "a late reader brings a record back");
    Ok(())
}

/// Two logouts at the same time both succeed.
pub async fn two_logouts_at_once_succeed(site: Site) -> Result {
    let app = site.start().await?;
    let member = app.member("ann").await?;
    let stale = member.copy();
    let mut hold = app.store.hold(Call::Remove);
    let mut one = member.launch([op("destroy")])?;
    hold.catch(&mut one).await?;
    let mut two = member.launch([op("destroy")])?;
    hold.catch(&mut two).await?;
    hold.release();
    for flight in [one, two] {
        flight.land().await?.has_status(200)?;
    }
    ensure!(member.id().is_none(), "two logouts leave the browser an id");
    is_status(&stale, Status::Unknown).await?;
    Ok(())
}

/// A logout that another request overtakes with a write is carried out on what that request stored.
pub async fn a_logout_that_a_write_overtakes_is_carried_out(site: Site) -> Result {
    let app = site.start().await?;
    let member = app.member("ann").await?;
    let stale = member.copy();
    let mut hold = app.store.hold_one(Call::Remove);
    let mut logout = member.launch([op("destroy")])?;
    hold.catch(&mut logout).await?;
    member.run([set("k", 2)]).await?;
    hold.release();
    logout.land().await?.has_status(200)?.withdraws()?;
    is_status(&stale, Status::Unknown).await?;
    Ok(())
}

/// A logout under an id that was replaced meanwhile, of somebody who was signed in, ends the session under its new id:
/// a logout is never lost to a rotation.
pub async fn a_logout_under_a_replaced_id_ends_its_successor(site: Site) -> Result {
    let app = site.start().await?;
    for rotation in [op("renew"), authenticate("ann")] {
        let member = app.member("ann").await?;
        let stale = member.copy();
        member.run([rotation]).await?;
        is_status(&stale, Status::Superseded).await?;
        stale.ops([op("destroy")]).await?.has_status(200)?;
        is_status(&member, Status::Unknown).await?;
    }
    Ok(())
}

/// A logout that is overtaken by a renewal ends the session under its new id.
pub async fn a_logout_that_a_renewal_overtakes_is_carried_out(site: Site) -> Result {
    let app = site.start().await?;
    let member = app.member("ann").await?;
    let stale = member.copy();
    let mut hold = app.store.hold_one(Call::Remove);
    let mut logout = stale.launch([op("destroy")])?;
    hold.catch(&mut logout).await?;
    member.ops([op("renew")]).await?.has_status(200)?.issues()?;
    hold.release();
    logout.land().await?.has_status(200)?;
    is_status(&member, Status::Unknown).await?;
    Ok(())
}

/// Who ends a visitor's session under the id from before a login does not end the login, and tells the browser nothing:
/// whoever knew the old id has no power over the new session.
pub async fn the_id_from_before_a_login_cannot_end_it(site: Site) -> Result {
    let app = site.start().await?;
    let visitor = app.visitor().await?;
    let stale = visitor.copy();
    visitor.run([authenticate("ann")]).await?;
    stale.ops([op("destroy")]).await?.has_status(200)?.tells_nothing()?;
    is_status(&visitor, Status::Active).await?;
    Ok(())
}

/// A request that ends a visitor's session and is overtaken by a login neither ends the login nor takes its cookie
/// away; and what it wanted to write afterwards is refused, because its cookie would replace the one of the login.
pub async fn a_late_end_of_a_visitors_session_does_not_undo_a_login(site: Site) -> Result {
    let app = site.start().await?;
    for (late, status) in [(vec![op("destroy")], 200), (vec![op("destroy"), set("k", 2)], 409)] {
        let browser = app.visitor().await?;
        let mut hold = app.store.hold_one(Call::Remove);
        let mut late = browser.launch(late)?;
        hold.catch(&mut late).await?;
        let signed_in = browser.ops([authenticate("ann")]).await?.issues()?;
        hold.release();
        late.land().await?.has_status(status)?.tells_nothing()?;
        ensure!(browser.known_id()? == signed_in, "a late request takes the cookie of a login away");
        ensure!(browser.one(op("info")).await?["principal"] == "ann", "a late request undoes a login");
    }
    Ok(())
}

/// A logout that the store cannot carry out is a 503 and no logout: no cookie, the session is alive, and the next try
/// succeeds.
pub async fn a_logout_that_fails_is_none(site: Site) -> Result {
    // Shows: A44
    let app = site.start().await?;
    let member = app.member("ann").await?;
    app.store.fail(Call::Remove, StoreErrorKind::Unavailable);
    for ops in [vec![op("destroy")], vec![op("destroy"), set("new", 1)]] {
        member.ops(ops).await?.has_status(503)?.tells_nothing()?;
        ensure!(member.value("k").await? == 1, "a logout that failed has taken something");
    }
    app.store.heal();
    member.ops([op("destroy")]).await?.has_status(200)?.withdraws()?;
    Ok(())
}

/// A logout that was carried out and whose answer was lost is a 503, and the session is dead all the same.
pub async fn a_logout_whose_answer_is_lost_is_final(site: Site) -> Result {
    // Shows: A42
    let app = site.start().await?;
    let member = app.member("ann").await?;
    app.store.lose_answer(Call::Remove, 0);
    member.ops([op("destroy")]).await?.has_status(503)?.tells_nothing()?;
    is_status(&member, Status::Unknown).await?;
    member.ops([op("destroy")]).await?.has_status(200)?;
    Ok(())
}

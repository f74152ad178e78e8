//! Routine rotation: the id of a session in use is replaced after a time, without signing parallel requests out.

use std::time::Duration;

use session_core::{ManagerBuilder, Status};

use super::{ids::is_status, prelude::*};

/// After its time an id is replaced by whatever request uses the session next, once, and everything else stays.
pub async fn an_id_is_replaced_after_its_time(site: Site) -> Result {
    let app = site.start_with(routinely).await?;
    let member = app.member("ann").await?;
    let token = member.one(op("csrf")).await?;
    app.advance(EVERY - 1);
    member.ops([get("k"), set("k", 2)]).await?.has_status(200)?.keeps_the_id()?;
    app.advance(1);
    let old = member.known_id()?;
    let reply = member.ops([get("k")]).await?;
    ensure!(reply.has_status(200)?.issues()? != old, "the id is not replaced after its time");
    member.ops([get("k")]).await?.has_status(200)?.tells_nothing()?;
    let [info, value, right] =
        member.run([op("info"), get("k"), check_csrf(token.as_str().unwrap_or_default())]).await?;
    ensure!(info["principal"] == "ann" && value == 2 && right == true, "a routine rotation loses something");
    Ok(())
}

/// In the grace the old id still reaches the session, for reading and writing, and learns the new one.
pub async fn in_the_grace_the_old_id_learns_the_new_one(site: Site) -> Result {
    let app = site.start_with(routinely).await?;
    let member = app.member("ann").await?;
    app.advance(EVERY);
    let old = member.copy();
    let new = member.ops([get("k")]).await?.issues()?;
    for ops in [vec![get("k")], vec![set("late", 1)], vec![incr("n"), op("info")]] {
        let late = old.copy();
        let reply = late.ops(ops).await?;
        ensure!(reply.has_status(200)?.issues()? == new, "the old id does not learn the new one");
        is_status(&late, Status::Active).await?;
    }
    let [late, n, info] = member.run([get("late"), get("n"), op("info")]).await?;
    ensure!(late == 1 && n == 1 && info["principal"] == "ann", "what was written under the old id is lost");
    app.advance(GRACE - 1);
    is_status(&old.copy(), Status::Active).await
}

/// After the grace the old id is dead: anonymous, without a cookie, and its use is reported.
pub async fn after_the_grace_the_old_id_is_dead(site: Site) -> Result {
    let app = site.start_with(routinely).await?;
    let member = app.member("ann").await?;
    app.advance(EVERY);
    let old = member.copy();
    member.ops([get("k")]).await?.issues()?;
    app.advance(GRACE);
    let [info, keys, refused] =
        old.ops([op("info"), op("keys"), set("k", 2)]).await?.tells_nothing()?.results()?;
    ensure!(
        info["status"] == Status::Superseded.as_str() && keys == json!([]),
        "the old id sees {info}, {keys}"
    );
    ensure!(refused == error("superseded"), "the old id may write: {refused}");
    ensure!(app.log.count(EventKind::SupersededUse) == 1, "the use of an old id is not reported");
    is_status(&member, Status::Active).await
}

/// 64 requests that find the id due at the same time are all answered, lose nothing, and are told
/// one and the same new id.
pub async fn of_64_requests_at_a_rotation_none_is_lost(site: Site) -> Result {
    let app = site.start_with(routinely).await?;
    for round in 1..=site.rounds(3) {
        let stale = app.member("ann").await?;
        let old = stale.known_id()?;
        let before = app.store.records();
        app.advance(EVERY);
        let ops = |number| if number % 2 == 0 { vec![incr("n")] } else { vec![get("k")] };
        let flights = (0..64).map(|number| stale.copy().launch(ops(number))).collect::<Result<Vec<_>>>()?;
        let mut ids: Vec<String> = Vec::new();
        for reply in land_all(flights).await? {
            ids.push(reply.has_status(200)?.issues()?);
        }
        ids.sort();
        ids.dedup();
        ensure!(ids.len() == 1 && ids[0] != old, "round {round}: 64 requests are given {} ids", ids.len());
        let [n, info] = stale.with_id(&ids[0]).run([get("n"), op("info")]).await?;
        ensure!(n == 32 && info["principal"] == "ann", "round {round}: of 32 increments {n} are counted");
        ensure!(
            app.store.records() == before + 1,
            "a rotation leaves {} records",
            app.store.records() - before
        );
    }
    Ok(())
}

/// A write that a routine rotation overtakes lands in the session under its new id, which its client is told.
pub async fn a_write_that_a_rotation_overtakes_lands(site: Site) -> Result {
    let app = site.start_with(routinely).await?;
    let member = app.member("ann").await?;
    app.advance(EVERY - 1);
    let mut hold = app.store.hold_one(Call::Write);
    let mut slow = member.copy().launch([set("slow", 1), incr("k")])?;
    hold.catch(&mut slow).await?;
    app.advance(1);
    let new = member.ops([incr("k")]).await?.issues()?;
    hold.release();
    ensure!(
        slow.land().await?.has_status(200)?.issues()? == new,
        "an overtaken write does not learn the new id"
    );
    let [slow, k] = member.run([get("slow"), get("k")]).await?;
    ensure!(slow == 1 && k == 3, "an overtaken write is lost: {slow}, {k}");
    Ok(())
}

/// A login that a routine rotation overtakes still draws an id that nobody had before, and carries over what is there.
pub async fn a_login_that_a_rotation_overtakes_draws_its_own_id(site: Site) -> Result {
    let app = site.start_with(routinely).await?;
    let browser = app.visitor().await?;
    app.advance(EVERY - 1);
    let mut hold = app.store.hold_one(Call::Write);
    let mut login = browser.copy().launch([authenticate("ann"), incr("k")])?;
    hold.catch(&mut login).await?;
    app.advance(1);
    let rotated = browser.ops([incr("k")]).await?.issues()?;
    hold.release();
    let id = login.land().await?.has_status(200)?.issues()?;
    ensure!(id != rotated, "a login is given the id of a routine rotation");
    let [info, k] = app.client().with_id(&id).run([op("info"), get("k")]).await?;
    ensure!(info["principal"] == "ann" && k == 3, "after an overtaken login the session is {info} with {k}");
    is_status(&browser, Status::Superseded).await
}

/// A logout under an id in its grace, or one that a routine rotation overtakes, ends the session under its new id.
pub async fn a_logout_under_the_old_id_ends_the_new_one(site: Site) -> Result {
    let app = site.start_with(routinely).await?;
    for advance in [0, GRACE] {
        let visitor = app.visitor().await?;
        app.advance(EVERY);
        let old = visitor.copy();
        visitor.ops([get("k")]).await?.issues()?;
        app.advance(advance);
        old.ops([op("destroy")]).await?.has_status(200)?;
        is_status(&visitor, Status::Unknown).await?;
    }
    let visitor = app.visitor().await?;
    app.advance(EVERY);
    let mut hold = app.store.hold_one(Call::Remove);
    let mut logout = visitor.copy().launch([op("destroy")])?;
    hold.catch(&mut logout).await?;
    visitor.ops([get("k")]).await?.issues()?;
    hold.release();
    logout.land().await?.has_status(200)?;
    is_status(&visitor, Status::Unknown).await
}

/// A routine rotation that the store cannot carry out does not fail a request that only reads: the id is replaced
/// another time.
pub async fn a_rotation_that_fails_does_not_fail_reading(site: Site) -> Result {
    let app = site.start_with(routinely).await?;
    let member = app.member("ann").await?;
    app.advance(EVERY);
    for spared in [0, 1] {
        app.store.fail_once(Call::Write, StoreErrorKind::Full, spared);
        let reply = member.ops([get("k")]).await?;
        let [value] = reply.has_status(200)?.tells_nothing()?.results()?;
        ensure!(value == 1, "a reader beside a failing rotation reads {value}");
    }
    member.ops([get("k")]).await?.has_status(200)?.issues()?;
    app.advance(EVERY);
    app.store.fail(Call::Write, StoreErrorKind::Full);
    member.ops([set("k", 2)]).await?.has_status(503)?.tells_nothing()?;
    Ok(())
}

/// A chain of rotations within one grace leads from every old id to the newest.
pub async fn a_chain_of_rotations_is_followed(site: Site) -> Result {
    let quick = |builder: ManagerBuilder| {
        let mut config = session_core::SessionConfig::default();
        config.renew_every = Some(Duration::from_secs(2));
        config.renewal_grace = Duration::from_secs(1);
        builder.config(config)
    };
    let app = site.start_with(quick).await?;
    let member = app.member("ann").await?;
    for _ in 0..3 {
        let old = member.copy();
        app.advance(2);
        let new = member.ops([incr("n")]).await?.issues()?;
        ensure!(
            old.ops([incr("n")]).await?.has_status(200)?.issues()? == new,
            "an old id does not lead to the new one"
        );
    }
    ensure!(member.value("n").await? == 6, "a chain of rotations loses increments");
    Ok(())
}

fn routinely(builder: ManagerBuilder) -> ManagerBuilder {
    builder.renew_every(Duration::from_secs(EVERY))
}

const EVERY: u64 = 900;
/// The default grace.
const GRACE: u64 = 10;

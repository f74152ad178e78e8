//! When sessions end by themselves, whatever the clock does.

use std::time::Duration;

use session_core::{Expiry, ManagerBuilder, Status};

use super::{ids::is_status, prelude::*};

/// A session that is not used ends when its idle timeout has passed, to the second, and is removed by the request that
/// finds it so; its id is not adopted and not withdrawn (LE-13; Pesto served expired sessions until they were purged).
pub async fn an_unused_session_expires(site: Site) -> Result {
    // Shows: A38
    let app = site.start().await?;
    let member = app.member("ann").await?;
    app.advance(1_799);
    is_status(&member.copy(), Status::Active).await?;
    let other = app.member("bob").await?;
    app.advance(1_800);
    let before = app.store.records();
    let [info, keys, k] = other.ops([op("info"), op("keys"), get("k")]).await?.tells_nothing()?.results()?;
    let empty = info["principal"] == Value::Null && keys == json!([]) && k == Value::Null;
    ensure!(empty && info["is_new"] == true, "an expired session is read: {info}, {keys}, {k}");
    match info["status"].as_str() {
        Some("expired") => {
            let removed = app.records(1);
            ensure!(app.store.records() == before - removed, "an expired session is not removed");
            ensure!(app.log.count(EventKind::Expired) == 1, "the expiry of a session is not reported");
        }
        // A store may forget what has expired by itself.
        Some("unknown") => {}
        _ => fail!("after the idle timeout the session is {info}"),
    }
    // Whoever holds the session itself presents it again.
    is_status(&other, if site.persist.is_sealed() { Status::Expired } else { Status::Unknown }).await
}

/// A write under an expired id starts a new session under another id, with nothing of the old one.
pub async fn an_expired_id_is_not_adopted(site: Site) -> Result {
    // Shows: A1
    let app = site.start().await?;
    let member = app.member("ann").await?;
    let old = member.known_id()?;
    app.advance(1_800);
    let reply = member.ops([set("new", 1), op("info")]).await?;
    ensure!(reply.issues()? != old, "an expired id is adopted");
    let [keys, info] = member.run([op("keys"), op("info")]).await?;
    ensure!(
        keys == json!(["new"]) && info["principal"] == Value::Null,
        "an expired session comes back with {keys}"
    );
    ensure!(info["created"] == app.now(), "a new session has the age of the expired one");
    Ok(())
}

/// Using a session keeps it alive, reading included, for as long as the absolute timeout allows (tower-sessions #74).
pub async fn use_keeps_a_session_alive(site: Site) -> Result {
    let app = site.start().await?;
    let visitor = app.visitor().await?;
    for _ in 0..25 {
        app.advance(1_700);
        ensure!(visitor.value("k").await? == 1, "a session that is used expires");
    }
    Ok(())
}

/// That a session is used is written down once in a tenth of its idle time, not with each request.
pub async fn activity_is_written_down_now_and_then(site: Site) -> Result {
    let app = site.start().await?;
    let visitor = app.visitor().await?;
    app.store.reset();
    for _ in 0..179 {
        app.advance(1);
        visitor.ops([get("k")]).await?.has_status(200)?.tells_nothing()?;
    }
    ensure!(app.store.calls().writes == 0, "activity is written down before a tenth of the idle time");
    app.advance(1);
    for _ in 0..3 {
        visitor.ops([get("k")]).await?.has_status(200)?.keeps_the_id()?;
    }
    let writes = app.calls(Calls { writes: 1, ..Calls::default() }).writes;
    ensure!(
        app.store.calls().writes == writes,
        "activity is written down {} times",
        app.store.calls().writes
    );
    ensure!(app.log.count(EventKind::Touched) == 1, "activity is not reported");
    let info = visitor.one(op("info")).await?;
    ensure!(info["expires_at"] == app.now() + 1_800, "activity does not move the expiry: {info}");
    Ok(())
}

/// No use, no write and no renewal extends a session beyond its absolute timeout (CVE-2024-35220, OWASP ASVS 5.0
/// V7.3.2).
pub async fn nothing_extends_the_absolute_timeout(site: Site) -> Result {
    // Shows: A38
    let app = site.start().await?;
    let visitor = app.visitor().await?;
    let end = app.now() + 12 * 3_600;
    let uses = [get("k"), incr("n"), op("renew"), set_idle(3_600), flash("f"), op("flashes")];
    for turn in uses.iter().cycle() {
        if app.now() + 1_000 >= end {
            break;
        }
        app.advance(1_000);
        visitor.ops([turn.clone()]).await?.has_status(200)?;
        let info = visitor.one(op("info")).await?;
        ensure!(info["expires_at"].as_u64().is_some_and(|at| at <= end), "{turn} moves the end to {info}");
    }
    app.advance(end - app.now() - 1);
    is_status(&visitor, Status::Active).await?;
    app.advance(1);
    is_over(&visitor).await
}

/// Signing in starts the absolute timeout anew.
pub async fn signing_in_starts_the_absolute_timeout_anew(site: Site) -> Result {
    let app = site.start_with(|builder| builder.expiry(Expiry::absolute(HOUR))).await?;
    let browser = app.visitor().await?;
    app.advance(3_000);
    browser.run([authenticate("ann")]).await?;
    let info = browser.one(op("info")).await?;
    ensure!(
        info["expires_at"] == app.now() + 3_600,
        "after a login the session ends at {}",
        info["expires_at"]
    );
    app.advance(3_599);
    is_status(&browser, Status::Active).await?;
    app.advance(1);
    is_over(&browser).await
}

/// A session can be given an end of its own, sooner or later than the configured one, which holds however it is used;
/// an end in the past is refused.
pub async fn a_session_can_have_an_end_of_its_own(site: Site) -> Result {
    let app = site.start().await?;
    for after in [60, 100 * 3_600] {
        let visitor = app.visitor().await?;
        let end = app.now() + after;
        let [past, now, _, info] = visitor
            .run([set_expires_at(app.now() - 1), set_expires_at(app.now()), set_expires_at(end), op("info")])
            .await?;
        let refused = error("expiry-in-the-past");
        ensure!(past == refused && now == refused, "an end in the past is answered with {past}");
        ensure!(
            info["expires_at"] == end.min(app.now() + 1_800),
            "the session is to end at {}",
            info["expires_at"]
        );
        while app.now() + 1_500 < end {
            app.advance(1_500);
            visitor.run([get("k"), incr("n")]).await?;
        }
        app.advance(end - app.now() - 1);
        is_status(&visitor, Status::Active).await?;
        app.advance(1);
        is_over(&visitor).await?;
    }
    Ok(())
}

/// A session can be given an idle timeout of its own, shorter or longer; its absolute timeout stays.
pub async fn a_session_can_have_an_idle_timeout_of_its_own(site: Site) -> Result {
    let app = site.start().await?;
    for idle in [60, 5 * 3_600] {
        let visitor = app.visitor().await?;
        let created = app.now();
        let [none, _] = visitor.run([set_idle(0), set_idle(idle)]).await?;
        ensure!(none == error("expiry-in-the-past"), "an idle timeout of zero is answered with {none}");
        for _ in 0..2 {
            app.advance(idle - 1);
            is_status(&visitor, Status::Active).await?;
        }
        let end = created + 12 * 3_600;
        let info = visitor.one(op("info")).await?;
        ensure!(
            info["expires_at"] == end.min(app.now() + idle),
            "the session is to end at {}",
            info["expires_at"]
        );
        app.advance(idle);
        is_over(&visitor).await?;
    }
    Ok(())
}

/// An end of its own counts whether it is set before or after the login in the same request ('remember me').
pub async fn an_own_end_counts_before_and_after_a_login(site: Site) -> Result {
    let app = site.start().await?;
    let end = app.now() + 40 * 3_600;
    for ops in [
        vec![set_expires_at(end), set_idle(90_000), authenticate("ann")],
        vec![authenticate("ann"), set_expires_at(end), set_idle(90_000)],
    ] {
        let text = format!("{ops:?}");
        let browser = app.client();
        browser.ops(ops).await?.has_status(200)?;
        let info = browser.one(op("info")).await?;
        ensure!(
            info["expires_at"] == app.now() + 90_000,
            "after {text} the session ends at {}",
            info["expires_at"]
        );
        app.advance(80_000);
        is_status(&browser, Status::Active).await?;
        app.advance(end - app.now() - 1);
        is_status(&browser, Status::Active).await?;
        app.advance(1);
        is_over(&browser).await?;
        app.clock.rewind(Duration::from_secs(40 * 3_600));
    }
    Ok(())
}

/// An end as late as numbers can say neither wraps nor panics (D23).
pub async fn the_latest_end_neither_wraps_nor_panics(site: Site) -> Result {
    // Shows: A15
    let app = site.start().await?;
    let visitor = app.visitor().await?;
    for at in [253_402_300_799, 253_402_300_800, u64::MAX / 1_000, i64::MAX as u64, u64::MAX] {
        let [idle, end, info] = visitor.run([set_idle(at), set_expires_at(at), op("info")]).await?;
        ensure!(idle == Value::Null, "an idle timeout of {at} seconds is answered with {idle}");
        ensure!(end == Value::Null || end == error("out-of-range"), "an end at {at} is answered with {end}");
        ensure!(
            info["expires_at"].as_u64().is_some_and(|at| at > app.now()),
            "an end at {at} makes it {info}"
        );
        is_status(&visitor, Status::Active).await?;
    }
    app.advance(100 * 365 * 86_400);
    is_status(&visitor, Status::Active).await
}

/// A clock that goes back ends nothing and extends nothing beyond what was promised.
pub async fn a_clock_that_goes_back_does_no_harm(site: Site) -> Result {
    // Shows: A38
    let app = site.start().await?;
    let visitor = app.visitor().await?;
    for back in [1, 3_600, 10 * 365 * 86_400] {
        app.clock.rewind(Duration::from_secs(back));
        let [n, info] = visitor.run([incr("n"), op("info")]).await?;
        ensure!(
            n.is_i64() && info["status"] == Status::Active.as_str(),
            "a clock that goes back ends a session"
        );
        ensure!(visitor.value("k").await? == 1, "a clock that goes back loses a value");
        let next = visitor.one(op("info")).await?;
        ensure!(
            next["expires_at"].as_u64().is_some_and(|at| at <= app.now() + 1_800),
            "the end is now {next}"
        );
    }
    app.advance(1_799);
    is_status(&visitor.copy(), Status::Active).await?;
    app.advance(10 * 365 * 86_400);
    is_over(&visitor).await
}

/// A session whose time is over while a request runs is kept alive by that request's write, or over, where the store has
/// forgotten it already: 200 or 409, never an error of the server, and nothing is told (pavex #348).
pub async fn a_session_that_expires_during_a_request_does_not_fail_it(site: Site) -> Result {
    let app = site.start().await?;
    let visitor = app.visitor().await?;
    app.advance(1_000);
    let mut hold = app.store.hold_one(Call::Write);
    let mut slow = visitor.launch([set("k", 2)])?;
    hold.catch(&mut slow).await?;
    app.advance(900);
    hold.release();
    let reply = slow.land().await?;
    reply.tells_nothing()?;
    match reply.status.as_u16() {
        200 => ensure!(visitor.value("k").await? == 2, "a write that was confirmed is lost"),
        409 => is_over(&visitor).await?,
        status => fail!("a session that expires during a request makes its answer a {status}"),
    }
    Ok(())
}

/// A request that finds a session expired never removes what another renewed in the same moment; and the client, who
/// has the right id, is told nothing.
pub async fn a_renewal_beats_an_expiry(site: Site) -> Result {
    // Shows: A46
    let app = site.start().await?;
    let visitor = app.visitor().await?;
    app.advance(1_700);
    let mut write = app.store.hold_one(Call::Write);
    let mut writer = visitor.launch([set("k", 2)])?;
    write.catch(&mut writer).await?;
    app.advance(200);
    let mut removal = app.store.hold_one(Call::Remove);
    let mut reader = visitor.launch([op("info"), get("k")])?;
    if removal.catch(&mut reader).await.is_err() {
        // The store has forgotten by itself what has expired: there is nothing to remove, and no race.
        return Ok(());
    }
    write.release();
    writer.land().await?.has_status(200)?.tells_nothing()?;
    removal.release();
    let [info, value] = reader.land().await?.tells_nothing()?.results()?;
    ensure!(
        info["status"] == Status::Active.as_str() && value == 2,
        "a session that was renewed is {info}, {value}"
    );
    ensure!(visitor.value("k").await? == 2, "a session that was renewed is removed as expired");
    Ok(())
}

/// An expired session that cannot be removed is expired all the same.
pub async fn an_expired_session_that_cannot_be_removed_is_expired(site: Site) -> Result {
    let app = site.start().await?;
    let visitor = app.visitor().await?;
    app.advance(1_800);
    app.store.fail(Call::Remove, StoreErrorKind::Unavailable);
    for _ in 0..2 {
        let [info, k] = visitor.ops([op("info"), get("k")]).await?.tells_nothing()?.results()?;
        ensure!(is_over_status(&info) && k == Value::Null, "an expired session is {info}, {k}");
    }
    Ok(())
}

/// Without an idle timeout a session lives to its absolute one, and reading never writes.
pub async fn without_an_idle_timeout_reading_never_writes(site: Site) -> Result {
    let app = site.start_with(|builder| builder.expiry(Expiry::absolute(30 * 24 * HOUR))).await?;
    let visitor = app.visitor().await?;
    app.store.reset();
    for _ in 0..29 {
        app.advance(86_400);
        is_status(&visitor, Status::Active).await?;
    }
    ensure!(app.store.calls().writes == 0, "without an idle timeout reading writes");
    app.advance(86_400);
    is_over(&visitor).await
}

/// Sweeping now and then by requests deletes the expired and spares the rest, and a sweep that fails fails no request
/// (LE-12).
pub async fn requests_can_sweep(site: Site) -> Result {
    let app = site.start_with(sweeping).await?;
    for _ in 0..20 {
        app.visitor().await?;
    }
    app.advance(1_801);
    let visitor = app.visitor().await?;
    ensure!(app.log.count(EventKind::Swept) > 0, "a sweep is not reported");
    ensure!(visitor.value("k").await? == 1, "a sweep deletes a live session");
    app.store.fail(Call::Sweep, StoreErrorKind::Unavailable);
    visitor.ops([set("k", 2)]).await?.has_status(200)?;
    ensure!(visitor.value("k").await? == 2, "a sweep that fails loses a write");
    app.store.reset();
    app.visitor().await?.get("/untouched").await?;
    ensure!(
        app.store.calls().sweeps == 1,
        "two requests, one of which stores something, sweep {:?}",
        app.store.calls()
    );
    Ok(())
}

/// The client's session must be over its time. A store may have forgotten it already: then it is unknown.
async fn is_over(client: &Client) -> Result {
    let info = client.one(op("info")).await?;
    ensure!(is_over_status(&info), "the session is {} where it must be over its time", info["status"]);
    Ok(())
}

fn is_over_status(info: &Value) -> bool {
    [Status::Expired, Status::Unknown].iter().any(|over| info["status"] == over.as_str())
}

fn sweeping(builder: ManagerBuilder) -> ManagerBuilder {
    builder.sweep_probability(1.0)
}

const HOUR: Duration = Duration::from_secs(3_600);

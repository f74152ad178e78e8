//! Signing in and every other change of privileges: a new id, at once, and nothing that a parallel request can undo.

use session_core::Status;

use super::{ids::is_status, parallel::overtaken, prelude::*};

/// Signing in replaces the id and keeps the data; the old id is anonymous at once, sees nothing and is told nothing
/// (CVE-2022-25896, OWASP ASVS 5.0 V7.2.4).
pub async fn a_login_replaces_the_id(site: Site) -> Result {
    // Shows: A2
    let app = site.start().await?;
    let browser = app.visitor().await?;
    let stale = browser.copy();
    let reply = browser.ops([authenticate("ann"), op("info")]).await?;
    let [_, info] = reply.results()?;
    ensure!(info["principal"] == "ann", "the request that signs in does not see who is signed in");
    ensure!(reply.issues()? != stale.known_id()?, "a login keeps the id");
    let [info, value] = browser.run([op("info"), get("k")]).await?;
    ensure!(info["principal"] == "ann" && value == 1, "a login loses the data of the visitor");
    let reply = stale.ops([op("info"), op("keys"), get("k")]).await?;
    let [info, keys, value] = reply.tells_nothing()?.results()?;
    ensure!(info["status"] == Status::Superseded.as_str(), "the old id has the status {}", info["status"]);
    ensure!(
        info["principal"] == Value::Null && keys == json!([]) && value == Value::Null,
        "the old id sees something"
    );
    ensure!(
        app.log.count(EventKind::Authenticated) == 1 && app.log.count(EventKind::Rotated) == 1,
        "a login is not reported"
    );
    ensure!(app.log.count(EventKind::SupersededUse) == 1, "the use of a replaced id is not reported");
    Ok(())
}

/// Under an id that was replaced nothing can be written, no session started and nobody signed in; and nothing is told,
/// so a parallel request can never undo a login.
pub async fn nothing_is_written_under_a_replaced_id(site: Site) -> Result {
    // Shows: A2
    let app = site.start().await?;
    let browser = app.visitor().await?;
    let stale = browser.copy();
    browser.run([authenticate("ann")]).await?;
    app.store.reset();
    let changes = [
        set("k", 2),
        remove("k"),
        incr("k"),
        op("clear"),
        flash("f"),
        op("renew"),
        authenticate("eve"),
        op("deauthenticate"),
        op("csrf"),
        op("save"),
        op("revert"),
        set_idle(60),
        set_expires_at(app.now() + 60),
        within("shop", set("k", 2)),
    ];
    for change in changes {
        let text = change.to_string();
        let [answer] = stale.ops([change]).await?.tells_nothing()?.results()?;
        ensure!(answer == error("superseded"), "under a replaced id {text} answers {answer}");
    }
    ensure!(app.store.calls().writes == 0, "something is written under a replaced id");
    ensure!(browser.value("k").await? == 1, "something is changed under a replaced id");
    Ok(())
}

/// A request that loaded the session before a login and writes after it is refused with 409 and told nothing.
pub async fn a_write_that_a_login_overtakes_is_refused(site: Site) -> Result {
    let app = site.start().await?;
    for late in
        [vec![set("k", 2)], vec![incr("k")], vec![op("renew")], vec![authenticate("eve")], vec![flash("f")]]
    {
        let browser = app.visitor().await?;
        let text = format!("{late:?}");
        let (late, login) = overtaken(&app, &browser, late, vec![authenticate("ann")]).await?;
        let id = login.issues()?;
        late.has_status(409)?.tells_nothing()?;
        ensure!(browser.known_id()? == id, "{text} takes the cookie of a login away");
        let [info, value] = browser.run([op("info"), get("k")]).await?;
        ensure!(info["principal"] == "ann" && value == 1, "{text} changes a session it must not see");
    }
    Ok(())
}

/// What another request stores while a login is on its way is carried over.
pub async fn a_login_carries_over_what_overtakes_it(site: Site) -> Result {
    let app = site.start().await?;
    for spared in [0, 1] {
        let browser = app.visitor().await?;
        let before = app.store.records();
        let mut hold = app.store.hold_one_after(Call::Write, spared);
        let mut login = browser.launch([incr("k"), authenticate("ann")])?;
        hold.catch(&mut login).await?;
        browser.ops([incr("k"), set("fast", 1)]).await?.has_status(200)?.tells_nothing()?;
        hold.release();
        login.land().await?.has_status(200)?.issues()?;
        let [info, k, fast] = browser.run([op("info"), get("k"), get("fast")]).await?;
        ensure!(
            info["principal"] == "ann" && k == 3 && fast == 1,
            "a login loses what overtook it: {k}, {fast}"
        );
        ensure!(app.store.records() == before + 1, "a login leaves {} records", app.store.records() - before);
    }
    Ok(())
}

/// A login that races 64 requests under the old id, with one real browser: whatever the order, the browser ends signed
/// in.
pub async fn a_login_among_64_requests_ends_signed_in(site: Site) -> Result {
    let app = site.start().await?;
    for round in 0..site.rounds(5) {
        let browser = app.visitor().await?;
        let ops = |number| match number % 4 {
            _ if number == 10 * round => vec![authenticate("ann")],
            0 => vec![incr("n")],
            1 => vec![get("k")],
            2 => vec![set(&format!("k{number}"), 1), flash("f")],
            _ => vec![op("csrf"), op("info")],
        };
        let flights = (0..64).map(|number| browser.launch(ops(number))).collect::<Result<Vec<_>>>()?;
        for reply in land_all(flights).await? {
            let status = reply.status.as_u16();
            ensure!(status == 200 || status == 409, "a request that races a login is answered with {status}");
        }
        let info = browser.one(op("info")).await?;
        ensure!(info["principal"] == "ann", "round {round}: the browser ends as {}", info["principal"]);
    }
    Ok(())
}

/// 64 writers that loaded the session before a login all lose, and the browser ends signed in.
pub async fn a_login_beats_64_writers(site: Site) -> Result {
    let app = site.start().await?;
    let browser = app.visitor().await?;
    let mut hold = app.store.hold_one(Call::Write);
    let mut login = browser.launch([authenticate("ann")])?;
    hold.catch(&mut login).await?;
    let mut writers_hold = app.store.hold(Call::Write);
    let mut writers = Vec::new();
    for number in 0..64 {
        let mut writer = browser.launch([set(&format!("k{number}"), 1), op("csrf")])?;
        writers_hold.catch(&mut writer).await?;
        writers.push(writer);
    }
    drop(writers_hold);
    // All of them are on their way at once: some are stored before the login and carried over, the others are refused.
    hold.release();
    let login = login.land().await?.has_status(200)?.issues()?;
    let mut carried = 1;
    for reply in land_all(writers).await? {
        reply.tells_nothing()?;
        match reply.status.as_u16() {
            200 => carried += 1,
            409 => {}
            status => fail!("a writer that races a login is answered with {status}"),
        }
    }
    ensure!(browser.known_id()? == login, "a writer takes the cookie of a login away");
    let [info, keys] = browser.run([op("info"), op("len")]).await?;
    ensure!(
        info["principal"] == "ann" && keys == carried,
        "{carried} keys are confirmed and {keys} are there"
    );
    Ok(())
}

/// Signing in with an id that somebody planted leaves that somebody with nothing: a live id of theirs, an unknown one, a
/// malformed one (session fixation).
pub async fn a_planted_id_is_worth_nothing_after_a_login(site: Site) -> Result {
    // Shows: A1, A3
    let app = site.start().await?;
    let attacker = app.visitor().await?;
    for planted in [attacker.known_id()?, app.dead_id().await?, "x".to_owned()] {
        let victim = app.client().with_id(&planted);
        let id = victim.ops([authenticate("ann"), set("secret", "s")]).await?.issues()?;
        ensure!(id != planted, "a login adopts a planted id");
        let [info, secret] = app.client().with_id(&planted).run([op("info"), get("secret")]).await?;
        ensure!(
            info["principal"] == Value::Null && secret == Value::Null,
            "a planted id sees the victim's session"
        );
        ensure!(info["status"] != Status::Active.as_str(), "a planted id is alive after the login");
        ensure!(victim.one(op("info")).await?["principal"] == "ann", "the victim is not signed in");
    }
    Ok(())
}

/// Renewing replaces the id and keeps everything else, who is signed in included.
pub async fn renewing_replaces_the_id_only(site: Site) -> Result {
    let app = site.start().await?;
    let member = app.member("ann").await?;
    member.run([flash("f"), within("shop", set("k", 2))]).await?;
    let stale = member.copy();
    let created = member.one(op("info")).await?["created"].clone();
    app.advance(60);
    let id = member.ops([op("renew")]).await?.issues()?;
    ensure!(id != stale.known_id()?, "renewing keeps the id");
    let [info, k, shop, flashes] =
        member.run([op("info"), get("k"), within("shop", get("k")), op("flashes")]).await?;
    ensure!(k == 1 && shop == 2 && flashes == json!(["f"]), "renewing loses data");
    ensure!(info["principal"] == "ann" && info["created"] == created, "renewing makes another session of it");
    is_status(&stale, Status::Superseded).await
}

/// A visitor without a session who renews, or signs out, is not given one.
pub async fn renewing_nothing_creates_nothing(site: Site) -> Result {
    let app = site.start().await?;
    for ops in [vec![op("renew")], vec![op("deauthenticate")], vec![op("renew"), op("save")]] {
        let text = format!("{ops:?}");
        let reply = app.client().ops(ops).await?;
        reply.has_status(200)?.tells_nothing()?;
        ensure!(app.store.calls().writes == 0, "{text} of a visitor without a session stores one");
    }
    let visitor = app.client();
    let [token, _, stale, _] = {
        let [token, _] = visitor.run([op("csrf"), op("renew")]).await?;
        let right = visitor.one(check_csrf(token.as_str().unwrap_or_default())).await?;
        [token, Value::Null, right, Value::Null]
    };
    ensure!(
        token.is_string() && stale == false,
        "a token from before a renewal in the same request is right"
    );
    Ok(())
}

/// Signing out without ending the session replaces the id and keeps the data (axum-login #206).
pub async fn signing_out_keeps_the_data(site: Site) -> Result {
    // Shows: A2
    let app = site.start().await?;
    let member = app.member("ann").await?;
    let stale = member.copy();
    let reply = member.ops([op("deauthenticate"), op("info")]).await?;
    ensure!(reply.issues()? != stale.known_id()?, "signing out keeps the id");
    let [info, value] = member.run([op("info"), get("k")]).await?;
    ensure!(
        info["principal"] == Value::Null && value == 1,
        "after signing out the session is {info} with {value}"
    );
    let [info] = stale.run([op("info")]).await?;
    ensure!(info["principal"] == Value::Null, "the old id is still signed in");
    member.ops([op("deauthenticate")]).await?.has_status(200)?.tells_nothing()?;
    Ok(())
}

/// A login and changes in one request are both stored, whichever comes first (actix-extras #244, poem #196).
pub async fn a_login_and_changes_are_both_stored(site: Site) -> Result {
    let app = site.start().await?;
    let (before, after) = ([set("k", 5), incr("n")], [within("shop", set("k", 6)), flash("f"), remove("l")]);
    for rotation in [authenticate("ann"), op("renew")] {
        let browser = app.visitor().await?;
        browser.run([set("l", 1)]).await?;
        let ops: Vec<Value> = before.iter().chain([&rotation]).chain(&after).cloned().collect();
        browser.ops(ops).await?.has_status(200)?.issues()?;
        let [keys, k, n, shop, flashes] =
            browser.run([op("keys"), get("k"), get("n"), within("shop", get("k")), op("flashes")]).await?;
        ensure!([k, n, shop] == [5, 1, 6], "{rotation} and changes in one request lose some");
        ensure!(
            keys == json!(["k", "n"]) && flashes == json!(["f"]),
            "{rotation} keeps {keys} and {flashes}"
        );
    }
    Ok(())
}

/// A login is a first write like any other: a visitor without a session gets one.
pub async fn a_login_can_start_a_session(site: Site) -> Result {
    let app = site.start().await?;
    let browser = app.client();
    browser.ops([authenticate("ann")]).await?.has_status(200)?.issues()?;
    let info = browser.one(op("info")).await?;
    ensure!(info["principal"] == "ann" && info["is_new"] == false, "after a login the session is {info}");
    ensure!(app.store.records() == app.records(1), "a login makes {} records", app.store.records());
    Ok(())
}

/// Signing in as somebody else replaces the id again, and the session belongs to the new principal only.
pub async fn signing_in_as_another_replaces_the_id(site: Site) -> Result {
    // Shows: A2
    let app = site.start().await?;
    let browser = app.member("ann").await?;
    let stale = browser.copy();
    ensure!(
        browser.ops([authenticate("bob")]).await?.issues()? != stale.known_id()?,
        "a second login keeps the id"
    );
    ensure!(
        browser.one(op("info")).await?["principal"] == "bob",
        "a second login does not change who is signed in"
    );
    is_status(&stale, Status::Superseded).await
}

/// Of two logins at the same time one wins: the other is refused with 409 and told nothing, one session is alive, and
/// no record is left over (D1, D17).
pub async fn of_two_logins_at_once_one_wins(site: Site) -> Result {
    // Shows: A2
    let app = site.start().await?;
    let browser = app.visitor().await?;
    let mut hold = app.store.hold(Call::Write);
    let (mut ann, mut bob) = (browser.launch([authenticate("ann")])?, browser.launch([authenticate("bob")])?);
    hold.catch(&mut ann).await?;
    hold.catch(&mut bob).await?;
    hold.release();
    let replies = [ann.land().await?, bob.land().await?];
    let won = replies.iter().filter(|reply| reply.status.as_u16() == 200).count();
    let lost =
        replies.iter().filter(|reply| reply.status.as_u16() == 409 && reply.told == Told::Nothing).count();
    ensure!((won, lost) == (1, 1), "of two logins {won} win, and {lost} are refused and told nothing");
    is_status(&browser, Status::Active).await?;
    // The session, and the marker that its old id leaves behind.
    ensure!(app.store.records() == 2, "two logins leave {} records", app.store.records());
    Ok(())
}

/// Of 64 renewals at the same time one wins, one id is alive, and no record is left over (C4).
pub async fn of_64_renewals_at_once_one_wins(site: Site) -> Result {
    let app = site.start().await?;
    for round in 0..site.rounds(3) {
        let browser = app.visitor().await?;
        let (old, before) = (browser.copy(), app.store.records());
        let mut hold = app.store.hold(Call::Write);
        let mut renewals = Vec::new();
        for _ in 0..64 {
            let mut renewal = old.copy().launch([op("renew"), incr("k")])?;
            hold.catch(&mut renewal).await?;
            renewals.push(renewal);
        }
        hold.release();
        let mut ids = Vec::new();
        for reply in land_all(renewals).await? {
            match reply.status.as_u16() {
                200 => ids.push(reply.issues()?),
                409 => drop(reply.tells_nothing()?.status),
                status => fail!("a renewal among others is answered with {status}"),
            }
        }
        let [id] = &ids[..] else { fail!("round {round}: of 64 renewals {} win", ids.len()) };
        ensure!(app.client().with_id(id).value("k").await? == 2, "the winner's change is lost");
        is_status(&old, Status::Superseded).await?;
        ensure!(
            app.store.records() == before + 1,
            "64 renewals leave {} records",
            app.store.records() - before
        );
    }
    Ok(())
}

/// A login that cannot be stored, whichever step fails, signs nobody in and loses nothing: 503, no cookie, the visitor's
/// session is as it was, and the next try succeeds (D1).
pub async fn a_login_that_fails_signs_nobody_in(site: Site) -> Result {
    let app = site.start().await?;
    for kind in [StoreErrorKind::Unavailable, StoreErrorKind::Overloaded, StoreErrorKind::Full] {
        for spared in [0, 1] {
            let browser = app.visitor().await?;
            let before = app.store.records();
            app.store.fail_once(Call::Write, kind, spared);
            browser.ops([set("k", 2), authenticate("ann")]).await?.has_status(503)?.tells_nothing()?;
            let [info, value] = browser.run([op("info"), get("k")]).await?;
            let same =
                info["status"] == Status::Active.as_str() && info["principal"] == Value::Null && value == 1;
            ensure!(
                same,
                "after a login that failed ({kind:?}, step {spared}) the session is {info}, {value}"
            );
            ensure!(
                app.store.records() == before,
                "a login that failed ({kind:?}, step {spared}) leaves a record"
            );
            browser.ops([authenticate("ann")]).await?.has_status(200)?.issues()?;
        }
    }
    Ok(())
}

/// A login whose second step is repeated because of a conflict and then fails leaves nothing of the new session either.
pub async fn a_login_that_fails_late_leaves_nothing(site: Site) -> Result {
    let app = site.start().await?;
    let browser = app.visitor().await?;
    let before = app.store.records();
    // The first step is through; the second meets a conflict, after which the first is done again.
    let mut hold = app.store.hold_one_after(Call::Write, 1);
    let mut login = browser.launch([authenticate("ann")])?;
    hold.catch(&mut login).await?;
    browser.run([incr("k")]).await?;
    app.store.fail_once(Call::Write, StoreErrorKind::Unavailable, 1);
    hold.release();
    login.land().await?.has_status(503)?.tells_nothing()?;
    ensure!(app.store.records() == before, "a login that failed leaves a record that nobody has the id of");
    let [info, value] = browser.run([op("info"), get("k")]).await?;
    ensure!(info["principal"] == Value::Null && value == 2, "a login that failed has changed the session");
    Ok(())
}

/// A login on a response that becomes a 500 is stored and told by default: the client is not left with a dead id (D1,
/// D2).
pub async fn a_login_on_a_500_is_told(site: Site) -> Result {
    let app = site.start().await?;
    let browser = app.visitor().await?;
    browser.ops([authenticate("ann"), op("fail")]).await?.has_status(500)?.issues()?;
    ensure!(browser.one(op("info")).await?["principal"] == "ann", "a login on a 500 is lost");
    Ok(())
}

/// What was saved before a request failed is told with its error: the client is never left with a dead id (D1).
pub async fn a_saved_login_is_told_with_the_error(site: Site) -> Result {
    let app = site.start().await?;
    let browser = app.visitor().await?;
    // Two writes for the login, then the one that fails.
    app.store.fail_once(Call::Write, StoreErrorKind::Unavailable, 2);
    browser.ops([authenticate("ann"), op("save"), set("k", 2)]).await?.has_status(503)?.issues()?;
    let [info, value] = browser.run([op("info"), get("k")]).await?;
    ensure!(
        info["principal"] == "ann" && value == 1,
        "after a saved login and an error the session is {info}, {value}"
    );
    Ok(())
}

/// A replaced id is remembered for a minute; after that it is unknown, and its browser can start anew.
pub async fn a_replaced_id_is_forgotten_in_time(site: Site) -> Result {
    let app = site.start().await?;
    let browser = app.visitor().await?;
    let stale = browser.copy();
    browser.run([authenticate("ann")]).await?;
    app.advance(59);
    is_status(&stale, Status::Superseded).await?;
    app.advance(1);
    is_status(&stale, Status::Unknown).await?;
    stale.ops([set("k", 2)]).await?.has_status(200)?.issues()?;
    ensure!(browser.value("k").await? == 1, "a browser that starts anew reaches the session of before");
    Ok(())
}

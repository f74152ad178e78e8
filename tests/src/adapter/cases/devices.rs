//! The sessions of one person: listed, ended, kept down in number.

use session_core::{SessionLimitPolicy, Status};

use super::{ids::is_status, prelude::*};

/// Every session of the principal is listed, with the current one marked, and no session of anybody else (D24).
pub async fn every_session_of_a_principal_is_listed(site: Site) -> Result {
    let app = site.start().await?;
    let start = app.now();
    let phone = app.member("ann").await?;
    app.advance(10);
    let (laptop, _other, _visitor) =
        (app.member("ann").await?, app.member("bob").await?, app.visitor().await?);
    app.advance(600);
    laptop.value("k").await?;
    let listed = laptop.one(op("sessions")).await?;
    let expected = json!([
        { "handle": handle(&phone).await?, "current": false, "created": start, "last_seen": start },
        { "handle": handle(&laptop).await?, "current": true, "created": start + 10, "last_seen": start + 610 },
    ]);
    ensure!(listed == expected, "two sessions of a principal are listed as {listed}");
    Ok(())
}

/// A session is listed from the login on, under its new owner only after another login, and no more after signing out
/// or after its end.
pub async fn the_list_follows_every_change(site: Site) -> Result {
    let app = site.start().await?;
    let (ann, bob) = (app.member("ann").await?, app.member("bob").await?);
    let browser = app.visitor().await?;
    for (op_, of_ann, of_bob) in [
        (authenticate("ann"), 2, 1),
        (op("renew"), 2, 1),
        (set("k", 2), 2, 1),
        (authenticate("bob"), 1, 2),
        (op("deauthenticate"), 1, 1),
        (authenticate("ann"), 2, 1),
        (op("destroy"), 1, 1),
    ] {
        let text = op_.to_string();
        browser.run([op_]).await?;
        let counts = [count(&ann).await?, count(&bob).await?];
        ensure!(counts == [of_ann, of_bob], "after {text} {counts:?} sessions are listed");
    }
    Ok(())
}

/// An expired session is not listed.
pub async fn an_expired_session_is_not_listed(site: Site) -> Result {
    let app = site.start().await?;
    let _lost = app.member("ann").await?;
    app.advance(1_700);
    let member = app.member("ann").await?;
    ensure!(count(&member).await? == 2, "a session that is about to expire is not listed");
    app.advance(200);
    ensure!(count(&member).await? == 1, "an expired session is listed");
    Ok(())
}

/// Hundreds of sessions of one principal are listed completely.
pub async fn a_long_list_is_complete(site: Site) -> Result {
    let app = site.start().await?;
    let member = app.member("ann").await?;
    for _ in 1..600 {
        app.client().ops([authenticate("ann")]).await?.has_status(200)?;
    }
    ensure!(count(&member).await? == 600, "of 600 sessions {} are listed", count(&member).await?);
    let ended = member.one(op("end_others")).await?;
    ensure!(ended == 599 && count(&member).await? == 1, "of 599 other sessions {ended} are ended");
    Ok(())
}

/// A visitor has no sessions and can end none.
pub async fn a_visitor_has_no_sessions(site: Site) -> Result {
    let app = site.start().await?;
    let member = app.member("ann").await?;
    let handle = handle(&member).await?;
    for visitor in [app.client(), app.visitor().await?] {
        let results = visitor.run([op("sessions"), end(&handle), op("end_others")]).await?;
        ensure!(results == [json!([]), json!(false), json!(0)], "a visitor's sessions are {results:?}");
    }
    is_status(&member, Status::Active).await
}

/// Another session of the same principal can be ended: its device is signed out, everything else stays.
pub async fn another_session_can_be_ended(site: Site) -> Result {
    let app = site.start().await?;
    let (phone, laptop, tablet) =
        (app.member("ann").await?, app.member("ann").await?, app.member("ann").await?);
    let lost = handle(&phone).await?;
    let [ended, again] = laptop.ops([end(&lost), end(&lost)]).await?.tells_nothing()?.results()?;
    ensure!(ended == true && again == false, "ending a session answers {ended} and then {again}");
    is_status(&phone, Status::Unknown).await?;
    for client in [&laptop, &tablet] {
        is_status(client, Status::Active).await?;
    }
    ensure!(count(&laptop).await? == 2, "an ended session is listed");
    Ok(())
}

/// The session of somebody else cannot be ended, nor one that is made up; what is no handle is an error.
pub async fn the_session_of_another_cannot_be_ended(site: Site) -> Result {
    let app = site.start().await?;
    let (ann, bob, visitor) = (app.member("ann").await?, app.member("bob").await?, app.visitor().await?);
    for foreign in [handle(&bob).await?, handle(&visitor).await?, "0".repeat(64)] {
        ensure!(ann.one(end(&foreign)).await? == false, "a session of somebody else is ended");
    }
    for client in [&bob, &visitor] {
        is_status(client, Status::Active).await?;
    }
    let own = handle(&ann).await?;
    for text in
        ["", "x", &own.to_uppercase(), &own[1..], &format!("{own}0"), &"ä".repeat(32), &ann.known_id()?]
    {
        let ended = ann.one(end(text)).await?;
        ensure!(ended == error("invalid-handle"), "what is no handle is answered with {ended}");
    }
    is_status(&ann, Status::Active).await
}

/// Ending all others ends all others: the session at hand stays, also when the request signs in itself.
pub async fn all_others_can_be_ended(site: Site) -> Result {
    // Shows: A36
    let app = site.start().await?;
    let others = [app.member("ann").await?, app.member("ann").await?];
    let (mine, bob) = (app.member("ann").await?, app.member("bob").await?);
    let ended = mine.one(op("end_others")).await?;
    ensure!(ended == 2, "two other sessions are ended as {ended}");
    for other in &others {
        is_status(other, Status::Unknown).await?;
    }
    let browser = app.visitor().await?;
    let [_, ended] = browser.run([authenticate("ann"), op("end_others")]).await?;
    ensure!(ended == 1, "a login that ends all others ends {ended}");
    is_status(&browser, Status::Active).await?;
    is_status(&mine, Status::Unknown).await?;
    is_status(&bob, Status::Active).await
}

/// A handle leads to its session after the id was replaced meanwhile: a device that renews while it is being signed out
/// is signed out.
pub async fn a_handle_outlives_a_rotation(site: Site) -> Result {
    let app = site.start().await?;
    let (phone, laptop) = (app.member("ann").await?, app.member("ann").await?);
    let seen = handle(&phone).await?;
    phone.run([op("renew")]).await?;
    let ended = laptop.one(end(&seen)).await?;
    ensure!(ended == true, "a session whose id was replaced since it was listed is not ended");
    is_status(&phone, Status::Unknown).await?;
    let other = app.member("ann").await?;
    let seen = handle(&other).await?;
    other.run([authenticate("bob")]).await?;
    ensure!(
        laptop.one(end(&seen)).await? == false,
        "a session that belongs to somebody else by now is ended"
    );
    is_status(&other, Status::Active).await
}

/// A session that renews its id while all sessions of its principal are ended is ended, whatever the order of the steps.
pub async fn a_session_that_renews_meanwhile_is_ended(site: Site) -> Result {
    // Shows: A36
    let app = site.start().await?;
    for (call, spared) in [(Call::Load, 0), (Call::Load, 1), (Call::Load, 2), (Call::Remove, 0)] {
        let (phone, laptop) = (app.member("ann").await?, app.member("ann").await?);
        let mut hold = app.store.hold_one_after(call, spared);
        let mut ending = laptop.launch([op("end_others")])?;
        hold.catch(&mut ending).await?;
        let renewed = phone.ops([op("renew")]).await?;
        hold.release();
        ending.land().await?.has_status(200)?;
        if renewed.status.as_u16() == 200 {
            let info = phone.one(op("info")).await?;
            let survives = info["status"] == Status::Active.as_str();
            ensure!(!survives, "a session that renews while it is ended ({call:?} {spared}) survives");
        }
        is_status(&laptop, Status::Active).await?;
        laptop.run([op("destroy")]).await?;
    }
    Ok(())
}

/// A session that ends all others keeps itself, also when another request of its browser replaces its id meanwhile.
pub async fn who_ends_all_others_stays(site: Site) -> Result {
    let app = site.start().await?;
    for (call, spared) in [(Call::List, 0), (Call::Load, 1), (Call::Load, 2), (Call::Remove, 0)] {
        let (laptop, phone) = (app.member("ann").await?, app.member("ann").await?);
        let mut hold = app.store.hold_one_after(call, spared);
        let mut ending = laptop.copy().launch([op("end_others")])?;
        hold.catch(&mut ending).await?;
        laptop.ops([op("renew")]).await?.has_status(200)?;
        hold.release();
        ending.land().await?.has_status(200)?;
        is_status(&laptop, Status::Active).await?;
        is_status(&phone, Status::Unknown).await?;
        laptop.run([op("destroy")]).await?;
    }
    Ok(())
}

/// No session that was signed in before all sessions of its principal are ended survives, while 32 requests renew, write
/// and sign in.
pub async fn ending_all_beside_logins_misses_none(site: Site) -> Result {
    // Shows: A36
    let app = site.start().await?;
    for round in 0..site.rounds(5) {
        let mut members = Vec::new();
        for _ in 0..16 {
            members.push(app.member("ann").await?);
        }
        let busy = members
            .iter()
            .map(|member| member.launch([op("renew"), incr("n")]))
            .collect::<Result<Vec<_>>>()?;
        let logins =
            (0..16).map(|_| app.client().launch([authenticate("ann")])).collect::<Result<Vec<_>>>()?;
        app.manager.end_all("ann").await?;
        for reply in land_all(busy).await? {
            let status = reply.status.as_u16();
            ensure!(status == 200 || status == 409, "a renewal beside the end is answered with {status}");
        }
        land_all(logins).await?;
        for member in &members {
            // A request that came after the end may have started another session, in which nobody is signed in.
            let info = member.one(op("info")).await?;
            ensure!(info["principal"] == Value::Null, "round {round}: a session survives the end of all");
        }
        app.manager.end_all("ann").await?;
        ensure!(app.manager.sessions_of("ann").await?.is_empty(), "round {round}: a session is left at rest");
    }
    Ok(())
}

/// With a cap, signing in once more ends the session that was used least recently.
pub async fn at_the_cap_the_oldest_session_ends(site: Site) -> Result {
    let app = site
        .start_with(|builder| builder.max_sessions_per_principal(2, SessionLimitPolicy::EndOldest))
        .await?;
    let mut members = Vec::new();
    for _ in 0..2 {
        members.push(app.member("ann").await?);
        app.advance(300);
    }
    // The older one is used last.
    members[0].value("k").await?;
    app.advance(1);
    let third = app.member("ann").await?;
    is_status(&members[0], Status::Active).await?;
    is_status(&members[1], Status::Unknown).await?;
    is_status(&third, Status::Active).await?;
    ensure!(count(&third).await? == 2, "with a cap of two {} sessions are listed", count(&third).await?);
    // Signing in again in a session that counts already ends no other.
    third.run([authenticate("ann")]).await?;
    is_status(&members[0], Status::Active).await?;
    Ok(())
}

/// Where the cap refuses, signing in once more is a 409 that signs nobody in: no cookie, the visitor keeps the session
/// with all it holds, and the other devices stay.
pub async fn at_the_cap_a_login_is_refused_where_configured(site: Site) -> Result {
    let app =
        site.start_with(|builder| builder.max_sessions_per_principal(1, SessionLimitPolicy::Refuse)).await?;
    let member = app.member("ann").await?;
    let browser = app.visitor().await?;
    for visitor in [&browser, &app.client()] {
        visitor.ops([authenticate("ann")]).await?.has_status(409)?.tells_nothing()?;
    }
    let [info, value] = browser.run([op("info"), get("k")]).await?;
    let kept = info["status"] == Status::Active.as_str() && info["principal"] == Value::Null && value == 1;
    ensure!(kept, "after a refused login the visitor's session is {info} with {value}");
    is_status(&member, Status::Active).await?;
    member.run([authenticate("ann")]).await?;
    member.run([op("destroy")]).await?;
    browser.ops([authenticate("ann")]).await?.has_status(200)?.issues()?;
    Ok(())
}

/// Parallel logins of one principal end with as many sessions as the cap allows: not more, and not none.
pub async fn parallel_logins_end_at_the_cap(site: Site) -> Result {
    for policy in [SessionLimitPolicy::EndOldest, SessionLimitPolicy::Refuse] {
        let app = site.start_with(|builder| builder.max_sessions_per_principal(2, policy)).await?;
        for round in 0..site.rounds(3) {
            let name = format!("ann {round} {policy:?}");
            let logins =
                (0..8).map(|_| app.client().launch([authenticate(&name)])).collect::<Result<Vec<_>>>()?;
            for reply in land_all(logins).await? {
                let status = reply.status.as_u16();
                ensure!(
                    status == 200 || status == 409,
                    "{policy:?}: a login among others is answered with {status}"
                );
                ensure!(
                    status == 200 || reply.told == Told::Nothing,
                    "{policy:?}: a refused login is told an id"
                );
            }
            let left = app.manager.sessions_of(&name).await?.len();
            ensure!(left == 2, "{policy:?}: of parallel logins with a cap of two, {left} are left");
        }
    }
    Ok(())
}

/// A store that cannot list sessions says so, and everything else works.
pub async fn a_store_without_an_index_says_so(site: Site) -> Result {
    site.store.hide_abilities();
    let app = site.start().await?;
    let member = app.member("ann").await?;
    let [sessions, others, info] = member.run([op("sessions"), op("end_others"), op("info")]).await?;
    ensure!(sessions == error("unsupported") && others == error("unsupported"), "the list is {sessions}");
    ensure!(info["principal"] == "ann", "without an index nobody can sign in");
    Ok(())
}

/// The operator ends a session by its handle, and all sessions of a principal, and every device notices.
pub async fn an_operator_can_end_sessions(site: Site) -> Result {
    // Shows: A36
    let app = site.start().await?;
    let (phone, laptop, visitor) = (app.member("ann").await?, app.member("ann").await?, app.visitor().await?);
    let named = handle(&visitor).await?.parse()?;
    ensure!(app.manager.end(named).await?, "an operator cannot end a visitor's session");
    is_status(&visitor, Status::Unknown).await?;
    ensure!(!app.manager.end(named).await?, "a session is ended twice");
    let ended = app.manager.end_all("ann").await?;
    ensure!(ended == 2, "two sessions are ended as {ended}");
    for device in [phone, laptop] {
        device.ops([op("info"), get("k")]).await?.has_status(200)?.tells_nothing()?;
        is_status(&device, Status::Unknown).await?;
    }
    Ok(())
}

async fn handle(client: &Client) -> Result<String> {
    let info = client.one(op("info")).await?;
    match info["handle"].as_str() {
        Some(handle) => Ok(handle.to_owned()),
        None => fail!("a stored session has no handle"),
    }
}

async fn count(client: &Client) -> Result<usize> {
    let sessions = client.one(op("sessions")).await?;
    match sessions.as_array() {
        Some(sessions) => Ok(sessions.len()),
        None => fail!("the list of sessions is {sessions}"),
    }
}

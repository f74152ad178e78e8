//! What handlers hold of a session, during the request and after it.

use http::{HeaderMap, HeaderName, Method, StatusCode, Uri};
use session_core::{
    CloseError, LazySession, Opened, RequestHead, Session, SessionError, SessionManager, Status,
};

use super::prelude::*;

/// A closure may use the session that it changes: no lock is held while it runs (D19, D29).
pub async fn a_closure_may_use_the_session(site: Site) -> Result {
    let app = site.start().await?;
    let visitor = app.visitor().await?;
    let by_hand = open(&app, &visitor).await?;
    let session = by_hand.load().await?;
    let inside = session.clone();
    let doubled =
        session.update("k", move |k: &mut i64| *k += inside.get::<i64>("k").ok().flatten().unwrap_or(-9))?;
    ensure!(doubled == 2, "a closure that reads the session makes {doubled} of 1");
    let (inside, mut first) = (session.clone(), true);
    let sum = session.update("k", move |k: &mut i64| {
        // Changed meanwhile by the closure itself, once: it runs again on what is there then.
        if std::mem::take(&mut first) {
            let _ = inside.insert("k", 100_i64);
        }
        *k += 1;
    })?;
    ensure!(sum == 101, "a closure that changes the session makes {sum}");
    visitor.learn(&close(&app.manager, by_hand).await?)?;
    ensure!(visitor.value("k").await? == 101, "what a closure has made is not stored");
    Ok(())
}

/// All clones of a session are one: what one of them sets the others read, and it is stored once (async-session #16).
pub async fn clones_are_one_session(site: Site) -> Result {
    let app = site.start().await?;
    let visitor = app.visitor().await?;
    app.store.reset();
    let by_hand = open(&app, &visitor).await?;
    let (one, other) = (by_hand.load().await?, by_hand.clone().load().await?);
    one.insert("a", 1)?;
    other.renew()?;
    ensure!(other.get::<i32>("a")? == Some(1), "a clone does not see what another has set");
    drop(one);
    close(&app.manager, by_hand).await?;
    let calls = app.store.calls();
    let expected = app.calls(Calls { loads: 1, writes: 2, ..Calls::default() });
    ensure!(calls == expected, "two clones that renew and set cost {calls:?}");
    Ok(())
}

/// A session that is asked for by many at once is loaded once.
pub async fn a_session_asked_for_at_once_is_loaded_once(site: Site) -> Result {
    let app = site.start().await?;
    let visitor = app.visitor().await?;
    app.store.reset();
    let by_hand = open(&app, &visitor).await?;
    let asks: Vec<_> = (0..16)
        .map(|_| {
            let lazy = by_hand.clone();
            tokio::spawn(async move { lazy.load().await.map(|session| session.status()) })
        })
        .collect();
    for ask in asks {
        ensure!(ask.await?? == Status::Active, "a session asked for at once is not loaded");
    }
    ensure!(
        app.store.calls() == app.calls(Calls { loads: 1, ..Calls::default() }),
        "a session asked for at once is loaded {} times",
        app.store.calls().loads
    );
    Ok(())
}

/// Once the response is on its way changes are refused instead of lost, and a session that nobody had asked for is not
/// taken for absent; keeping it does no harm (D32).
pub async fn after_the_response_changes_are_refused(site: Site) -> Result {
    let app = site.start().await?;
    let visitor = app.visitor().await?;
    let by_hand = open(&app, &visitor).await?;
    let session = by_hand.load().await?;
    close(&app.manager, by_hand.clone()).await?;
    let refused = [
        session.insert("late", 1).err(),
        session.remove("k").err(),
        session.clear().err(),
        session.update("k", |k: &mut i64| *k += 1).err(),
        session.flash("late").err(),
        session.renew().err(),
        session.authenticate("ann").err(),
        session.destroy().err(),
        session.save().await.err(),
    ];
    let late = refused.iter().filter(|error| matches!(error, Some(SessionError::ResponseSent))).count();
    ensure!(late == refused.len(), "of {} late changes {late} are refused", refused.len());
    ensure!(session.get::<i64>("k")? == Some(1), "a session cannot be read after the response");
    let untouched = open(&app, &visitor).await?;
    close(&app.manager, untouched.clone()).await?;
    match untouched.load().await {
        Err(SessionError::ResponseSent) => {}
        Err(error) => fail!("a session asked for after the response is {error}"),
        Ok(session) => {
            ensure!(session.get::<i64>("k")? == Some(1), "asked for after the response, a session is empty")
        }
    }
    Ok(())
}

/// A detached session reaches the store after the response: it reads what is there, changes it atomically, notices the
/// end, and never brings anything back.
pub async fn a_detached_session_reaches_the_store(site: Site) -> Result {
    let app = site.start().await?;
    let member = app.member("ann").await?;
    let by_hand = open(&app, &member).await?;
    let detached = by_hand.load().await?.detach();
    close(&app.manager, by_hand).await?;
    let background = tokio::spawn({
        let detached = detached.clone();
        async move {
            for _ in 0..20 {
                detached.update("n", |n: &mut i64| *n += 1).await?;
            }
            Ok::<_, SessionError>(())
        }
    });
    land_all((0..20).map(|_| member.launch([incr("n")])).collect::<Result<Vec<_>>>()?).await?;
    background.await??;
    ensure!(
        detached.get::<i64>("n").await? == Some(40),
        "of 40 increments {:?} are counted",
        detached.get::<i64>("n").await?
    );
    ensure!(detached.is_live().await?, "a live session is not live to its detached handle");
    app.store.fail(Call::Load, StoreErrorKind::Unavailable);
    ensure!(detached.is_live().await.is_err(), "an outage looks like the end to a detached session");
    app.store.heal();
    member.run([op("destroy")]).await?;
    ensure!(!detached.is_live().await?, "an ended session is live to its detached handle");
    let late = detached.update("n", |n: &mut i64| *n += 1).await;
    ensure!(matches!(late, Err(SessionError::Ended)), "a detached session changes one that ended");
    ensure!(detached.load().await.is_err(), "a detached session loads one that ended");
    Ok(())
}

/// A detached session goes with the session when its own request replaces the id, and is not reached any more when
/// another request signs in.
pub async fn a_detached_session_knows_its_id(site: Site) -> Result {
    let app = site.start().await?;
    let visitor = app.visitor().await?;
    let by_hand = open(&app, &visitor).await?;
    let session = by_hand.load().await?;
    session.renew()?;
    let detached = session.detach();
    let headers = close(&app.manager, by_hand).await?;
    let own = session.id().map(|id| id.expose_secret().to_owned());
    ensure!(
        detached.get::<i64>("k").await? == Some(1),
        "a detached session is left behind by its own renewal"
    );
    let id = match site.persist.told(&headers, "__Host-id")? {
        Told::Issued(id) => id,
        _ if site.can(Need::Announcing) => fail!("a renewal is not told"),
        _ => own.unwrap_or_default(),
    };
    app.client().with_id(&id).run([authenticate("ann")]).await?;
    let late = detached.update("k", |k: &mut i64| *k += 1).await;
    ensure!(
        matches!(late, Err(SessionError::Superseded)),
        "a detached session outlives a login in another request"
    );
    ensure!(!detached.is_live().await?, "a replaced session is live to its detached handle");
    Ok(())
}

/// `reload` reads what others stored meanwhile, and notices the end.
pub async fn reloading_reads_what_is_there(site: Site) -> Result {
    let app = site.start().await?;
    let visitor = app.visitor().await?;
    let by_hand = open(&app, &visitor).await?;
    let session = by_hand.load().await?;
    session.insert("mine", 1)?;
    visitor.run([set("k", 2)]).await?;
    session.reload().await?;
    ensure!(
        session.get::<i64>("k")? == Some(2) && !session.contains_key("mine"),
        "a reloaded session is stale"
    );
    visitor.run([op("destroy")]).await?;
    ensure!(matches!(session.reload().await, Err(SessionError::Ended)), "a session that ended is reloaded");
    Ok(())
}

/// A reserved namespace can be read and changed by who reserved it, and by no other manager.
pub async fn who_reserved_a_namespace_can_open_it(site: Site) -> Result {
    // Shows: A43
    let (app, other) = (site.start().await?, site.start().await?);
    let visitor = app.visitor().await?;
    let (reserved, foreign) = (app.manager.reserve("auth")?, other.manager.reserve("auth")?);
    let by_hand = open(&app, &visitor).await?;
    let session = by_hand.load().await?;
    reserved.of(&session)?.insert("started", 7)?;
    ensure!(foreign.of(&session).is_err(), "a namespace opens in the session of another manager");
    ensure!(session.namespace("auth").is_err(), "a reserved namespace opens by its name");
    visitor.learn(&close(&app.manager, by_hand).await?)?;
    let session = open(&app, &visitor).await?.load().await?;
    ensure!(reserved.of(&session)?.get::<i32>("started")? == Some(7), "what a component has kept is lost");
    ensure!(session.keys() == ["k"], "what a component has kept is in sight");
    Ok(())
}

/// The CSRF check of a request looks at where it comes from and at its token; requests that change nothing need
/// neither.
pub async fn a_forged_request_is_refused(site: Site) -> Result {
    // Shows: A35
    let app = site.start().await?;
    let visitor = app.visitor().await?;
    let session: Session = open(&app, &visitor).await?.load().await?;
    let token = session.csrf_token()?;
    let check = |method: Method, fields: &[(&'static str, &'static str)], token: Option<&str>| {
        let headers: HeaderMap = fields
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), http::HeaderValue::from_static(value)))
            .collect();
        let uri = Uri::from_static("/transfer");
        session
            .check_csrf(&RequestHead::new(&method, &uri, &headers), token, &["https://admin.example"])
            .is_ok()
    };
    let right = Some(token.as_str());
    let host = ("host", "app.example");
    for (fields, allowed) in [
        (vec![host], true),
        (vec![host, ("origin", "https://app.example")], true),
        (vec![host, ("origin", "https://admin.example")], true),
        (vec![host, ("origin", "https://evil.example")], false),
        (vec![host, ("origin", "https://app.example.evil.example")], false),
        (vec![host, ("origin", "null")], false),
        (vec![("origin", "https://app.example")], false),
        (vec![host, ("sec-fetch-site", "same-origin")], true),
        (vec![host, ("sec-fetch-site", "none")], true),
        (vec![host, ("sec-fetch-site", "cross-site")], false),
        (vec![host, ("sec-fetch-site", "same-site")], false),
        (vec![host, ("sec-fetch-site", "cross-site"), ("origin", "https://admin.example")], true),
    ] {
        ensure!(
            check(Method::POST, &fields, right) == allowed,
            "with {fields:?} a right token is not {allowed}"
        );
        ensure!(!check(Method::POST, &fields, None), "with {fields:?} a request without a token is allowed");
        ensure!(!check(Method::DELETE, &fields, Some("x")), "with {fields:?} a wrong token is right");
        ensure!(
            check(Method::GET, &fields, None),
            "with {fields:?} a request that changes nothing is refused"
        );
    }
    ensure!(app.log.count(EventKind::ForgeryRefused) > 0, "a forged request is not reported");
    Ok(())
}

/// Two managers in one process know nothing of each other's work (D15).
pub async fn two_managers_do_not_disturb_each_other(site: Site) -> Result {
    let one = site.start_with(|builder| builder.realm("one")).await?;
    let other = site.start_with(|builder| builder.realm("other")).await?;
    let (ann, bob) = (one.member("ann").await?, other.member("ann").await?);
    ensure!(one.manager.end_all("ann").await? == 1, "a manager ends the sessions of another realm");
    let [ann, bob] = [ann.one(op("info")).await?, bob.one(op("info")).await?];
    ensure!(
        ann["principal"] == Value::Null && bob["principal"] == "ann",
        "after the end of one realm: {ann}, {bob}"
    );
    ensure!(
        one.manager.stats().ended == 1 && other.manager.stats().ended == 0,
        "two managers count together"
    );
    Ok(())
}

/// What an adapter does at the start of a request of this client.
pub(super) async fn open(app: &App, client: &Client) -> Result<LazySession> {
    let request = client.request(Method::GET, "/", bytes::Bytes::new())?;
    match app.manager.open(&RequestHead::from(&request)).await {
        Opened::Continue(session) => Ok(session),
        Opened::Respond(response) => {
            fail!("a request is answered with {} before its handler runs", response.status())
        }
    }
}

/// What an adapter does at the end of a request, which must succeed. Answers what the client is told.
pub(super) async fn close(manager: &SessionManager, session: LazySession) -> Result<HeaderMap, CloseError> {
    let mut headers = HeaderMap::new();
    manager.close(session, StatusCode::OK).await?.apply(&mut headers);
    Ok(headers)
}

//! Ids, values and names stay out of everything that is stored, logged or shown.

use session_core::{Opened, RequestHead, SessionId};

use super::{
    handler::{close, open},
    prelude::*,
};
use crate::adapter::{base64url, overheard::overhear, persist::redirected};

/// What is stored, keys and bytes, tells no id that was ever given out: not as text, and not as the bytes it spells
/// (CVE-2019-16782).
pub async fn the_store_never_sees_an_id(site: Site) -> Result {
    // Shows: A5
    let minute = std::time::Duration::from_secs(60);
    let rotates = site.can(Need::Rotation);
    let app = site.start_with(|builder| if rotates { builder.renew_every(minute) } else { builder }).await?;
    let browser = app.client();
    let mut ids = Vec::new();
    for ops in [set("k", 1), op("renew"), authenticate("ann"), op("deauthenticate"), op("csrf")] {
        browser.run([ops]).await?;
        ids.push(site.persist.id_in(&browser.known_id()?).to_owned());
        app.advance(60);
        browser.value("k").await?;
        ids.push(site.persist.id_in(&browser.known_id()?).to_owned());
    }
    let mut seen: Vec<Vec<u8>> = app.store.written().iter().map(|bytes| bytes.to_vec()).collect();
    seen.extend(app.store.asked().iter().map(|key| key.as_bytes().to_vec()));
    for id in ids {
        for trace in [id.as_bytes().to_vec(), base64url::decode(&id)?, id.as_bytes()[..16].to_vec()] {
            let told = seen.iter().any(|bytes| bytes.windows(trace.len()).any(|window| window == trace));
            ensure!(!told, "what is stored tells an id");
        }
    }
    Ok(())
}

/// Two sessions with the same content are kept as different bytes only where chance has a part, and their keys have
/// nothing in common (equal sessions cannot be told from their keys).
pub async fn keys_tell_nothing(site: Site) -> Result {
    // Shows: A5
    let app = site.start().await?;
    for _ in 0..100 {
        app.visitor().await?;
    }
    let mut keys: Vec<[u8; 4]> =
        app.store.asked().iter().filter_map(|key| key.as_bytes().first_chunk().copied()).collect();
    keys.sort_unstable();
    keys.dedup();
    ensure!(keys.len() == 100, "the keys of 100 sessions begin alike");
    Ok(())
}

/// Nothing that is logged, at any level, nor any event, counter or report, shows an id, a value, or who is signed in
/// (CVE-2023-20866).
pub async fn logs_and_events_tell_nothing(site: Site) -> Result {
    // Shows: A17
    let app = site.start().await?;
    let logged = overhear(async {
        let browser = app.client();
        let mut secrets =
            vec!["tea-with-milk".to_owned(), "ann@example.org".to_owned(), "cart-key".to_owned()];
        for ops in [
            vec![set("cart-key", "tea-with-milk"), flash("tea-with-milk")],
            vec![authenticate("ann@example.org"), op("csrf"), op("sessions")],
            vec![op("renew")],
        ] {
            browser.ops(ops).await?.has_status(200)?;
            secrets.push(browser.known_id()?);
        }
        let stale = browser.copy();
        for call in [Call::Load, Call::Write, Call::Remove] {
            app.store.fail(call, StoreErrorKind::Unavailable);
            browser.ops([set("cart-key", "tea-with-milk"), op("destroy")]).await?;
            app.store.heal();
        }
        app.store.fail_once(Call::Load, StoreErrorKind::Corrupt, 0);
        browser.ops([get("cart-key")]).await?;
        let ids = secrets.clone();
        browser.send(browser.presenting(&[ids[3].as_bytes(), ids[4].as_bytes(), b"x"], [get("k")])?).await?;
        browser.ops([set("cart-key", 5), op("destroy")]).await?;
        stale.ops([set("cart-key", "tea-with-milk")]).await?;
        app.advance(100_000);
        stale.ops([get("cart-key")]).await?;
        Ok::<_, crate::Failure>(secrets)
    })
    .await;
    let (secrets, mut shown) = (logged.0?, logged.1);
    shown.push(format!("{:?}", app.log.reported()));
    shown.push(format!("{:?} {:?}", app.manager.stats(), app.manager));
    ensure!(shown.iter().any(|line| line.contains("session")), "nothing is logged at all");
    tells_nothing(&shown, &secrets)
}

/// `Debug` and `Display` of everything that an application holds show no id, no value and no name.
pub async fn debug_shows_nothing(site: Site) -> Result {
    // Shows: A17
    let app = site.start().await?;
    let browser = app.client();
    browser.run([set("cart-key", "tea-with-milk"), authenticate("ann@example.org")]).await?;
    let id = browser.known_id()?;
    let request = browser.ops_request([])?;
    let lazy = open(&app, &browser).await?;
    let session = lazy.load().await?;
    session.insert("cart-key", "tea-with-milk".to_owned())?;
    session.authenticate("ann@example.org")?;
    let mut shown = vec![
        format!("{lazy:?} {session:?} {session:#?}"),
        format!("{:?} {:?}", session.namespace("shop")?, session.detach()),
        format!("{:?} {:?}", session.id(), SessionId::parse(id.as_bytes())),
        format!("{:?} {:?}", RequestHead::from(&request), app.manager.open(&RequestHead::from(&request))),
        format!("{:?} {:?}", app.manager, app.manager.config()),
        format!("{:?} {:?}", app.manager.reserve("auth")?, app.manager.stats()),
    ];
    let mut errors: Vec<session_core::SessionError> = Vec::new();
    errors.extend(session.get::<i64>("cart-key").err());
    errors.extend(session.insert("k", "tea-with-milk".repeat(100_000)).err());
    app.store.fail(Call::Write, StoreErrorKind::Unavailable);
    let closing = app.manager.close(lazy, http::StatusCode::OK);
    shown.push(format!("{closing:?}"));
    match closing.await {
        Ok(_) => fail!("a write that fails is a success"),
        Err(error) => shown.push(format!("{error:?} {error} {}", crate::failure::chain(&error))),
    }
    app.store.heal();
    let lazy = open(&app, &browser).await?;
    let session = lazy.load().await?;
    session.insert("l", "tea-with-milk".to_owned())?;
    browser.run([op("destroy")]).await?;
    errors.extend(session.save().await.err());
    close(&app.manager, lazy).await?;
    ensure!(errors.len() == 3, "of 3 errors {} happen", errors.len());
    shown.extend(errors.iter().map(|error| format!("{error:?} {error} {}", crate::failure::chain(error))));
    let mut secrets = vec![id, "tea-with-milk".into(), "ann@example.org".into()];
    let page = app.client().request(http::Method::GET, "/", bytes::Bytes::new())?;
    let opened = app.manager.open(&RequestHead::from(&page)).await;
    shown.push(format!("{opened:?}"));
    if let Opened::Respond(response) = opened {
        let (_, id) = redirected(page.uri(), &response.headers()[http::header::LOCATION])?;
        secrets.push(id);
    }
    tells_nothing(&shown, &secrets)
}

/// Events tell sessions apart by a short fingerprint that is another one for each manager.
pub async fn events_tell_sessions_apart(site: Site) -> Result {
    let (app, other) = (site.start().await?, site.start().await?);
    let (one, two) = (app.visitor().await?, app.visitor().await?);
    let mut prints = Vec::new();
    for client in [&one, &two] {
        app.log.reported().events.clear();
        client.value("k").await?;
        client.value("k").await?;
        let loaded: Vec<_> = app.log.reported().events.iter().map(|event| event.session).collect();
        ensure!(
            loaded.len() == 2 && loaded[0] == loaded[1] && loaded[0].is_some(),
            "one session is reported as {loaded:?}"
        );
        prints.extend(loaded[0]);
    }
    other.log.reported().events.clear();
    other.client().with_id(&one.known_id()?).value("k").await?;
    prints.extend(other.log.reported().events.iter().filter_map(|event| event.session));
    prints.sort_by_key(ToString::to_string);
    prints.dedup();
    ensure!(
        prints.len() == 3,
        "two sessions, one of them seen by two managers, have {} fingerprints",
        prints.len()
    );
    Ok(())
}

/// A response to an error says nothing about the session.
pub async fn an_error_response_says_nothing(site: Site) -> Result {
    // Shows: A17
    let app = site.start().await?;
    let browser = app.client();
    browser.run([set("cart-key", "tea-with-milk"), authenticate("ann@example.org")]).await?;
    let secrets = [browser.known_id()?, "tea-with-milk".into(), "ann@example.org".into(), "cart-key".into()];
    for (call, kind) in [
        (Call::Load, StoreErrorKind::Unavailable),
        (Call::Load, StoreErrorKind::Corrupt),
        (Call::Write, StoreErrorKind::Full),
        (Call::Write, StoreErrorKind::Indeterminate),
    ] {
        app.store.fail(call, kind);
        let reply = browser.ops([set("cart-key", 7), op("info")]).await?;
        ensure!(reply.status.is_server_error(), "{kind:?} is answered with {}", reply.status);
        tells_nothing(&[format!("{:?} {:?}", reply.headers, reply.body)], &secrets)?;
        app.store.heal();
    }
    Ok(())
}

fn tells_nothing(shown: &[String], secrets: &[String]) -> Result {
    for text in shown {
        for (number, secret) in secrets.iter().enumerate() {
            ensure!(!text.contains(secret), "secret {number} is shown: {}", text.replace(secret, "<secret>"));
        }
    }
    Ok(())
}

//! Ids in the query, in several places, and from the application.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::{sync::Arc, time::Duration};

use http::StatusCode;
use session_core::{
    Session, SessionManager, Status,
    persist::{Chain, Cookie, CookieOptions, External, ExternalId, Header, Query},
};
use support::{MapStore, clock, cookie, field, get, post, send, with};

fn count(session: &Session) -> Result<(Status, u32), session_core::SessionError> {
    Ok((session.status(), session.update("n", |n: &mut u32| *n += 1)?))
}

fn by_query(store: &Arc<MapStore>) -> (SessionManager, Arc<session_core::ManualClock>) {
    let clock = clock();
    let manager = SessionManager::builder(store.clone()).persistence(Query::default()).clock(clock.clone());
    (manager.build().unwrap(), clock)
}

/// Follows the redirect that a GET without an id gets.
fn handed_out(manager: &SessionManager, uri: &str) -> String {
    let (response, answer) = send(manager, &get(uri), count);
    assert!(answer.is_none(), "the handler must not run");
    assert_eq!(response.status(), StatusCode::FOUND);
    assert_eq!(field(response.headers(), "referrer-policy"), Some("no-referrer"));
    assert_eq!(field(response.headers(), "cache-control"), Some("no-store"));
    field(response.headers(), "location").unwrap().to_owned()
}

#[test]
fn a_get_without_a_live_id_is_redirected_to_a_fresh_one_and_arrives() {
    let (manager, _) = by_query(&Arc::default());
    let location = handed_out(&manager, "/p?x=1&sid=stale");
    assert!(location.starts_with("?x=1&sid="), "{location}");
    let (response, answer) =
        send(&manager, &get(&format!("/p{location}")), |session| Ok((session.is_new(), count(session)?)));
    assert_eq!(answer.unwrap().unwrap(), (true, (Status::New, 1)));
    assert_eq!(cookie(&response), None);
    assert_eq!(field(response.headers(), "referrer-policy"), Some("no-referrer"));
    let (_, answer) = send(&manager, &get(&format!("/p{location}")), count);
    assert_eq!(answer.unwrap().unwrap(), (Status::Active, 2));
}

#[test]
fn an_id_that_was_not_handed_out_is_never_adopted() {
    // Shows: A1
    let store = Arc::new(MapStore::default());
    let (manager, _) = by_query(&store);
    let chosen = "a".repeat(32);
    let location = handed_out(&manager, &format!("/?sid={chosen}"));
    assert!(!location.contains(&chosen));
    let (_, answer) = send(&manager, &post(&format!("/?sid={chosen}")), |session| {
        session.insert("k", 1)?;
        Ok(session.link("/")?.contains(&"a".repeat(32)))
    });
    assert!(!answer.unwrap().unwrap());
}

#[test]
fn other_methods_are_never_redirected() {
    let (manager, _) = by_query(&Arc::default());
    for method in ["POST", "HEAD", "PUT", "DELETE", "OPTIONS"] {
        let mut request = get("/");
        *request.method_mut() = method.parse().unwrap();
        let (response, answer) = send(&manager, &request, |session| Ok(session.status()));
        assert_eq!(answer.unwrap().unwrap(), Status::New);
        assert_eq!(response.status(), StatusCode::OK);
    }
}

#[test]
fn ids_that_are_never_used_live_for_one_minute() {
    let store = Arc::new(MapStore::default());
    let (manager, clock) = by_query(&store);
    let location = handed_out(&manager, "/");
    clock.advance(Duration::from_secs(61));
    assert_ne!(handed_out(&manager, &format!("/{location}")), location);

    let used = handed_out(&manager, "/");
    send(&manager, &get(&format!("/{used}")), count).1.unwrap().unwrap();
    clock.advance(Duration::from_secs(20 * 60));
    let (_, answer) = send(&manager, &get(&format!("/{used}")), count);
    assert_eq!(answer.unwrap().unwrap(), (Status::Active, 2), "used, it lives as long as any session");
}

#[test]
fn several_live_ids_in_one_query_are_ambiguous() {
    let (manager, _) = by_query(&Arc::default());
    let (one, other) = (handed_out(&manager, "/"), handed_out(&manager, "/"));
    let location = handed_out(&manager, &format!("/{one}&{}", &other[1..]));
    assert!(location != one && location != other);
    let (_, answer) = send(&manager, &get(&format!("/{one}&{}", &one[1..])), count);
    assert_eq!(answer.unwrap().unwrap().1, 1, "the same id twice is one id");
}

#[test]
fn a_link_made_after_a_login_leads_to_the_new_id() {
    let (manager, _) = by_query(&Arc::default());
    let location = handed_out(&manager, "/");
    let (_, answer) = send(&manager, &post(&format!("/{location}")), |session| {
        session.authenticate("ann")?;
        session.link("/home")
    });
    let home = answer.unwrap().unwrap();
    let (_, answer) = send(&manager, &get(&home), |session| Ok(session.principal()));
    assert_eq!(answer.unwrap().unwrap().as_deref(), Some("ann"));
    let (response, answer) = send(&manager, &get(&format!("/{location}")), |session| Ok(session.principal()));
    assert!(answer.is_none() && response.status() == StatusCode::FOUND, "the old id is dead");
}

#[test]
fn ids_in_queries_cannot_change_by_themselves() {
    let builder = SessionManager::builder(MapStore::default()).persistence(Query::default());
    let error = builder.renew_every(Duration::from_secs(900)).build().unwrap_err();
    assert_eq!(error.field(), "renew_every");
}

fn chained(store: &Arc<MapStore>) -> SessionManager {
    let chain = Chain::new(Cookie::new(CookieOptions::default()).unwrap()).then(Header::default());
    SessionManager::builder(store.clone()).persistence(chain).build().unwrap()
}

#[test]
fn a_chain_writes_back_to_whoever_presented_and_gives_new_ids_to_the_first() {
    let manager = chained(&Arc::default());
    let (response, _) = send(&manager, &get("/"), count);
    let pair = cookie(&response).unwrap();
    assert_eq!(field(response.headers(), "x-session-id"), None);
    assert_eq!(response.headers().get_all("vary").iter().count(), 2);
    let id = pair.split_once('=').unwrap().1;

    let by_header = with(get("/"), "x-session-id", id);
    let (response, answer) = send(&manager, &by_header, |session| {
        session.renew()?;
        count(session)
    });
    assert_eq!(answer.unwrap().unwrap(), (Status::Active, 2));
    assert_eq!(cookie(&response), None);
    let renewed = field(response.headers(), "x-session-id").unwrap();
    assert_ne!(renewed, id);
    let (response, _) = send(&manager, &with(get("/"), "x-session-id", renewed), |session| session.destroy());
    assert_eq!(field(response.headers(), "x-session-id"), Some(""));
    assert_eq!(cookie(&response), None);
}

#[test]
fn in_a_chain_the_first_live_id_wins() {
    let manager = chained(&Arc::default());
    let [one, other] = [(); 2].map(|()| cookie(&send(&manager, &get("/"), count).0).unwrap());
    let id = |pair: &str| pair.split_once('=').unwrap().1.to_owned();
    let both = with(with(get("/"), "cookie", &one), "x-session-id", &id(&other));
    let (response, _) = send(&manager, &both, |session| session.destroy());
    assert_eq!(cookie(&response).as_deref(), Some("__Host-id="));
    let stale_cookie = with(with(get("/"), "cookie", &one), "x-session-id", &id(&other));
    assert_eq!(send(&manager, &stale_cookie, count).1.unwrap().unwrap(), (Status::Active, 2));
}

fn external(store: &Arc<MapStore>, trusted: bool) -> SessionManager {
    let strategy = External::new(move |head| {
        let id = head.headers.get("x-id")?.to_str().ok()?.to_owned();
        Some(if trusted { ExternalId::Trusted(id) } else { ExternalId::Presented(id) })
    });
    SessionManager::builder(store.clone()).persistence(strategy).build().unwrap()
}

#[test]
fn a_trusted_id_is_used_as_it_is_and_no_cookie_is_involved() {
    let manager = external(&Arc::default(), true);
    let request =
        with(with(get("/"), "x-id", "device 7"), "cookie", "__Host-id=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
    for n in 1..4 {
        let (response, answer) = send(&manager, &request, |session| {
            session.authenticate("ann")?;
            count(session)
        });
        assert_eq!(answer.unwrap().unwrap().1, n);
        assert!(!response.headers().contains_key("set-cookie"));
    }
    let (_, answer) = send(&manager, &with(get("/"), "x-id", "device 8"), count);
    assert_eq!(answer.unwrap().unwrap().1, 1);
    send(&manager, &request, |session| session.destroy()).1.unwrap().unwrap();
    assert_eq!(send(&manager, &request, count).1.unwrap().unwrap().1, 1);
}

#[test]
fn a_presented_id_works_only_if_it_was_drawn_here() {
    // Shows: A1
    let manager = external(&Arc::default(), false);
    let chosen = with(get("/"), "x-id", &"a".repeat(32));
    let (_, answer) = send(&manager, &chosen, |session| {
        count(session)?;
        session.mark_changed()?;
        pollster::block_on(session.save())?;
        Ok(session.id())
    });
    let id = answer.unwrap().unwrap().unwrap();
    assert_ne!(id.expose_secret(), "a".repeat(32));
    let (_, answer) = send(&manager, &with(get("/"), "x-id", id.expose_secret()), count);
    assert_eq!(answer.unwrap().unwrap(), (Status::Active, 2));
}

#[test]
fn a_trusted_id_never_becomes_a_cookie() {
    let trusted = External::new(|_| Some(ExternalId::Trusted("device 7; Domain=evil".to_owned())));
    let chain = Chain::new(Cookie::new(CookieOptions::default()).unwrap()).then(trusted);
    let manager = SessionManager::builder(MapStore::default()).persistence(chain).build().unwrap();
    let stale = with(get("/"), "cookie", &format!("__Host-id={}", "a".repeat(32)));
    for n in 1..3 {
        let (response, answer) = send(&manager, &stale, count);
        assert_eq!(
            answer.unwrap().unwrap().1,
            n,
            "the supplied id is used although a dead cookie came first"
        );
        assert!(!response.headers().contains_key("set-cookie"));
    }
}

#[test]
fn ids_in_queries_are_guarded_inside_a_chain_too() {
    let chain = || Chain::new(Cookie::new(CookieOptions::default()).unwrap()).then(Query::default());
    let manager = SessionManager::builder(MapStore::default()).persistence(chain()).build().unwrap();
    let (response, _) = send(&manager, &get("/"), count);
    assert_eq!(field(response.headers(), "referrer-policy"), Some("no-referrer"));
    let builder = SessionManager::builder(MapStore::default()).persistence(chain());
    assert_eq!(builder.renew_every(Duration::from_secs(900)).build().unwrap_err().field(), "renew_every");
}

#[test]
fn two_ids_of_one_session_are_not_ambiguous_while_both_work() {
    let clock = clock();
    let manager = SessionManager::builder(MapStore::default())
        .renew_every(Duration::from_secs(60))
        .clock(clock.clone())
        .build()
        .unwrap();
    let old = cookie(&send(&manager, &get("/"), count).0).unwrap();
    clock.advance(Duration::from_secs(61));
    let new = cookie(&send(&manager, &with(get("/"), "cookie", &old), count).0).unwrap();
    assert_ne!(old, new);
    let both = with(get("/"), "cookie", &format!("{old}; {new}"));
    assert_eq!(send(&manager, &both, count).1.unwrap().unwrap(), (Status::Active, 3));
}

#[test]
fn an_application_that_hands_ids_out_learns_each_before_it_is_stored() {
    let manager = external(&Arc::default(), false);
    let handed_out = |request: &http::Request<()>, change: fn(&Session) -> Result<(), _>| {
        let (_, answer) = send(&manager, request, |session| {
            change(session)?;
            session.id_to_hand_out()
        });
        answer.unwrap().unwrap().map(|id| id.expose_secret().to_owned())
    };
    assert_eq!(handed_out(&get("/"), |session| session.get::<u32>("n").map(drop)), None);
    let first = handed_out(&get("/"), |session| session.insert("n", 7_u32)).unwrap();
    let presenting = |id: &str| with(get("/"), "x-id", id);
    assert_eq!(handed_out(&presenting(&first), |session| session.insert("n", 8_u32)), None);
    let second = handed_out(&presenting(&first), Session::renew).unwrap();
    let third = handed_out(&presenting(&second), |session| {
        session.authenticate("ann")?;
        pollster::block_on(session.save())
    });
    let (_, answer) = send(&manager, &presenting(&third.unwrap()), |session| session.get::<u32>("n"));
    assert_eq!(answer.unwrap().unwrap(), Some(8));

    let trusting = external(&Arc::default(), true);
    let (_, answer) = send(&trusting, &with(get("/"), "x-id", "device 7"), |session| {
        session.insert("n", 1)?;
        session.id_to_hand_out()
    });
    assert_eq!(answer.unwrap().unwrap(), None, "the application knows an id that it supplies");
}

#[test]
fn ids_that_the_application_hands_out_cannot_change_by_themselves() {
    let supplied = || External::new(|_| None);
    let chain = Chain::new(Cookie::new(CookieOptions::default()).unwrap()).then(supplied());
    let builder = || SessionManager::builder(MapStore::default()).renew_every(Duration::from_secs(900));
    for built in [builder().persistence(supplied()).build(), builder().persistence(chain).build()] {
        assert_eq!(built.unwrap_err().field(), "renew_every");
    }
}

#[test]
fn answers_vary_on_the_fields_that_ids_come_from() {
    let strategy = External::new(|_| None).varying_on(http::HeaderName::from_static("x-id"));
    let manager = SessionManager::builder(MapStore::default()).persistence(strategy).build().unwrap();
    let (response, _) = send(&manager, &get("/"), |session| Ok(session.status()));
    assert_eq!(field(response.headers(), "vary"), Some("x-id"));
}

#[test]
fn two_first_requests_with_one_supplied_id_become_one_session() {
    let store = Arc::new(MapStore::default());
    let manager = external(&store, true);
    let request = with(get("/"), "x-id", "device 7");
    let (response, answer) = send(&manager, &request, |first| {
        first.insert("first", 1)?;
        let (_, second) = send(&manager, &request, |second| second.insert("second", 2));
        second.unwrap()
    });
    answer.unwrap().unwrap();
    assert_eq!(response.status(), http::StatusCode::OK);
    let (_, keys) = send(&manager, &request, |session| Ok(session.keys()));
    assert_eq!(keys.unwrap().unwrap(), ["first", "second"]);
    assert_eq!(store.len(), 1);
}

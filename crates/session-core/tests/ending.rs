//! Ending a session with and without telling the client.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use session_core::{EventKind, Session, SessionError, SessionManager, Status};
use support::{MapStore, cookie, get, send, with};

fn count(session: &Session) -> Result<(Status, u32), SessionError> {
    Ok((session.status(), session.update("n", |n: &mut u32| *n += 1)?))
}

fn visitor() -> (SessionManager, Arc<MapStore>, http::Request<()>) {
    let store = Arc::new(MapStore::default());
    let manager = SessionManager::builder(store.clone()).build().unwrap();
    let (response, _) = send(&manager, &get("/"), count);
    (manager, store, with(get("/"), "cookie", &cookie(&response).unwrap()))
}

#[test]
fn a_session_can_end_without_a_field_in_the_response() {
    let (manager, store, request) = visitor();
    let (response, answer) = send(&manager, &request, Session::destroy_keeping_cookie);
    answer.unwrap().unwrap();
    assert_eq!(cookie(&response), None);
    assert_eq!(store.len(), 0);

    let (response, answer) = send(&manager, &request, count);
    assert_eq!(answer.unwrap().unwrap(), (Status::Unknown, 1), "the old id names nothing");
    let pair = cookie(&response).unwrap();
    assert_ne!(request.headers()["cookie"], pair.as_str(), "and is not used again");
}

#[test]
fn a_write_after_a_silent_end_is_announced() {
    let (manager, store, request) = visitor();
    let (response, _) = send(&manager, &request, |session| {
        session.destroy_keeping_cookie()?;
        count(session)
    });
    assert!(cookie(&response).is_some_and(|pair| request.headers()["cookie"] != pair.as_str()));
    assert_eq!(store.len(), 1);
}

#[test]
fn of_several_ways_to_end_a_session_the_last_one_counts() {
    let (manager, _, request) = visitor();
    let (response, _) = send(&manager, &request, |session| {
        session.destroy_keeping_cookie()?;
        session.destroy()
    });
    assert_eq!(cookie(&response).as_deref(), Some("__Host-id="));
}

#[cfg(feature = "signed")]
#[test]
fn a_session_that_travels_with_its_client_is_taken_away_in_any_case() {
    use session_core::persist::{CookieOptions, KeyRing, SealedCookie, SecretKey};

    let ring = KeyRing::new(SecretKey::generate().unwrap());
    let strategy = SealedCookie::signed(CookieOptions::default(), ring).unwrap();
    let manager = SessionManager::without_store().persistence(strategy).build().unwrap();
    let (response, _) = send(&manager, &get("/"), count);
    let request = with(get("/"), "cookie", &cookie(&response).unwrap());
    let (response, _) = send(&manager, &request, Session::destroy_keeping_cookie);
    assert_eq!(cookie(&response).as_deref(), Some("__Host-id="));
}

/// What is told of a logout is told after it: whoever listens cannot undo it (CVE-2021-34428).
#[test]
fn a_listener_that_panics_undoes_no_logout() {
    // Shows: A44
    let store = Arc::new(MapStore::default());
    let manager = SessionManager::builder(store.clone())
        .on_event(|event| assert_ne!(event.kind, EventKind::Ended, "this listener fails"))
        .build()
        .unwrap();
    let (response, _) = send(&manager, &get("/"), count);
    let request = with(get("/"), "cookie", &cookie(&response).unwrap());
    let logout = AssertUnwindSafe(|| send(&manager, &request, Session::destroy));
    assert!(catch_unwind(logout).is_err(), "the listener was not told");
    assert_eq!(store.len(), 0);
    assert_eq!(send(&manager, &request, count).1.unwrap().unwrap(), (Status::Unknown, 1));
}

#[test]
fn a_session_that_somebody_else_ended_is_over_for_the_handler_too() {
    let (manager, store, request) = visitor();
    let (_, handle) = send(&manager, &request, |session| Ok(session.handle()));
    let handle = handle.unwrap().unwrap().unwrap();
    let (response, answer) = send(&manager, &request, |session| {
        session.insert("more", 1)?;
        assert!(pollster::block_on(manager.end(handle))?);
        let saved = pollster::block_on(session.save());
        assert!(matches!(saved, Err(SessionError::Ended)), "{saved:?}");
        assert_eq!((session.status(), session.handle(), session.len()), (Status::Ended, None, 0));
        session.insert("more", 2)
    });
    assert!(matches!(answer.unwrap(), Err(SessionError::Ended)));
    assert_eq!((cookie(&response), store.len()), (None, 0), "nothing is stored or told");
}

#[test]
fn a_save_in_the_middle_of_a_request_keeps_an_id_that_is_due() {
    let store = Arc::new(MapStore::default());
    let clock = support::clock();
    let manager = SessionManager::builder(store.clone())
        .clock(clock.clone())
        .renew_every(std::time::Duration::from_secs(60))
        .build()
        .unwrap();
    let (response, _) = send(&manager, &get("/"), count);
    let request = with(get("/"), "cookie", &cookie(&response).unwrap());
    clock.advance(std::time::Duration::from_secs(60));
    let (response, answer) = send(&manager, &request, |session| {
        let before = session.handle();
        count(session)?;
        pollster::block_on(session.save())?;
        Ok((session.handle() == before, store.len()))
    });
    assert_eq!(answer.unwrap().unwrap(), (true, 1), "only the end of a request replaces it");
    assert!(cookie(&response).is_some());
    assert_eq!(store.len(), 2, "the record, and what the old id leads to");
}

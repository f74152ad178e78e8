//! Looking at sessions without using them.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::{sync::Arc, time::Duration};

use session_core::{
    Clock, InspectedFormat, RecordState, Session, SessionError, SessionHandle, SessionManager,
    StoreErrorKind, SweepRequest,
};
use support::{MapStore, clock, cookie, get, send, with};

fn insert(session: &Session) -> Result<(), SessionError> {
    session.insert("n", 5_u8)
}

#[test]
fn a_session_is_seen_as_it_was_stored_and_not_used() {
    let (store, clock) = (Arc::new(MapStore::default()), clock());
    let manager = SessionManager::builder(store.clone()).clock(clock.clone()).build().unwrap();
    let begun = clock.now();
    let (response, _) = send(&manager, &get("/"), insert);
    let request = with(get("/"), "cookie", &cookie(&response).unwrap());
    let (_, answer) = send(&manager, &request, |session| session.handle().ok_or(SessionError::Ended));
    let handle = answer.unwrap().unwrap();

    clock.advance(Duration::from_secs(29 * 60));
    let look = || pollster::block_on(manager.inspect(handle)).unwrap().unwrap();
    let (seen, seen_again) = (look(), look());
    assert_eq!((seen.state(), seen.handle()), (RecordState::Live, handle));
    assert_eq!((seen.created(), seen.last_seen()), (Some(begun), Some(begun)));
    assert_eq!(seen.expires_at(), begun + Duration::from_secs(30 * 60));
    assert_eq!(seen_again.last_seen(), Some(begun));
    let entries: Vec<_> = seen.entries().map(|entry| (entry.key(), entry.format())).collect();
    assert_eq!(entries, [("n", InspectedFormat::Postcard("an 8-bit unsigned integer"))]);

    clock.advance(Duration::from_secs(60));
    assert!(look().is_expired(clock.now()));
    assert_eq!(store.len(), 1, "looking removes nothing");
    assert!(pollster::block_on(manager.inspect("0".repeat(64).parse().unwrap())).unwrap().is_none());
}

#[test]
fn a_store_that_cannot_be_read_as_a_whole_is_said() {
    let manager = SessionManager::builder(MapStore::default()).build().unwrap();
    let answer = pollster::block_on(manager.inspect_page(None, 10));
    assert!(matches!(answer, Err(SessionError::Unsupported { ability: "Scan" })));
    let answer = pollster::block_on(manager.sweep_with(SweepRequest::before(clock().now()), |_| {}));
    assert!(matches!(answer, Err(SessionError::Unsupported { ability: "Sweep" })));
}

#[test]
fn a_record_of_nobody_is_corrupt_and_no_absence() {
    use session_core::{Entry, Expect, Store};

    let (store, clock) = (Arc::new(MapStore::default()), clock());
    let manager = SessionManager::builder(store.clone()).clock(clock.clone()).build().unwrap();
    let handle: SessionHandle = "7".repeat(64).parse().unwrap();
    let entry = Entry::new("not a record", clock.now() + Duration::from_secs(60));
    let _ = pollster::block_on(store.write(handle.store_key(), entry, Expect::Absent)).unwrap();
    let answer = pollster::block_on(manager.inspect(handle));
    assert!(matches!(answer, Err(SessionError::Store(error)) if error.kind() == StoreErrorKind::Corrupt));
}

/// Names are text. A record in which one is not is damaged, whichever of them it is.
#[test]
fn names_that_are_no_text_are_damage() {
    use session_core::{Entry, Expect, Store, StoreKey};

    let (store, clock) = (Arc::new(MapStore::default()), clock());
    let manager = SessionManager::builder(store.clone()).clock(clock.clone()).build().unwrap();
    let (_, answer) = send(&manager, &get("/"), |session| {
        session.namespace("shelf")?.insert("title", 5_u8)?;
        session.authenticate("reader")?;
        pollster::block_on(session.save())?;
        Ok(session.handle())
    });
    let handle = answer.unwrap().unwrap().unwrap();
    let whole = pollster::block_on(store.load(handle.store_key())).unwrap().unwrap();
    for (number, name) in (1_u8..).zip(["shelf", "title", "reader"]) {
        let mut bytes = whole.bytes.to_vec();
        let at = bytes.windows(name.len()).position(|window| window == name.as_bytes()).unwrap();
        bytes[at] = 0xff;
        let key = StoreKey::from_bytes([number; 32]);
        let written = store.write(&key, Entry::new(bytes, whole.expires_at), Expect::Absent);
        let _ = pollster::block_on(written).unwrap();
        let answer = pollster::block_on(manager.inspect(key.to_hex().parse().unwrap()));
        let damaged =
            matches!(answer, Err(SessionError::Store(error)) if error.kind() == StoreErrorKind::Corrupt);
        assert!(damaged, "{name}");
    }
}

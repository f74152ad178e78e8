//! What a handler does while its own `save` is on the way to the store.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker},
};

use async_trait::async_trait;
use http::StatusCode;
use session_core::{
    Entry, Expect, LazySession, Opened, Removed, RequestHead, Session, SessionManager, Store, StoreError,
    StoreKey, Stored, Version, Written,
};
use support::{MapStore, cookie, get, send, with};

/// Holds back the next write, or the next load, until it is released.
#[derive(Debug, Default)]
struct HoldStore {
    map: MapStore,
    hold_next: AtomicBool,
    hold_next_load: AtomicBool,
    released: AtomicBool,
    loads: AtomicUsize,
}

impl HoldStore {
    async fn release(&self) {
        std::future::poll_fn(|_| match self.released.load(Ordering::SeqCst) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        })
        .await;
    }
}

#[async_trait]
impl Store for HoldStore {
    async fn load(&self, key: &StoreKey) -> Result<Option<Stored>, StoreError> {
        self.loads.fetch_add(1, Ordering::SeqCst);
        if self.hold_next_load.swap(false, Ordering::SeqCst) {
            self.release().await;
        }
        self.map.load(key).await
    }

    async fn write(&self, key: &StoreKey, entry: Entry, expect: Expect) -> Result<Written, StoreError> {
        if self.hold_next.swap(false, Ordering::SeqCst) {
            self.release().await;
        }
        self.map.write(key, entry, expect).await
    }

    async fn remove(&self, key: &StoreKey, expect: Option<Version>) -> Result<Removed, StoreError> {
        self.map.remove(key, expect).await
    }
}

fn open(manager: &SessionManager, cookie_pair: &str) -> (LazySession, Session) {
    let request = with(get("/"), "cookie", cookie_pair);
    let Ok(Opened::Continue(lazy)) = manager.open(&RequestHead::from(&request)).into_ready() else {
        panic!("ready at once");
    };
    let session = pollster::block_on(lazy.load()).unwrap();
    (lazy, session)
}

/// Saves `session`, and does `meanwhile` when the save has reached the store.
fn save_and_meanwhile(store: &HoldStore, session: &Session, meanwhile: impl FnOnce()) {
    store.hold_next.store(true, Ordering::SeqCst);
    store.released.store(false, Ordering::SeqCst);
    let mut save = pin!(session.save());
    let mut context = Context::from_waker(Waker::noop());
    assert!(save.as_mut().poll(&mut context).is_pending());
    meanwhile();
    store.released.store(true, Ordering::SeqCst);
    let Poll::Ready(saved) = save.as_mut().poll(&mut context) else { panic!("the save was released") };
    saved.unwrap();
}

fn close(lazy: LazySession) -> http::Response<bytes::Bytes> {
    let mut response = http::Response::new(bytes::Bytes::new());
    pollster::block_on(lazy.manager().close(lazy, StatusCode::OK)).unwrap().apply(response.headers_mut());
    response
}

fn add(session: &Session, by: u32) -> u32 {
    session.update("n", move |n: &mut u32| *n += by).unwrap()
}

#[test]
fn an_update_beside_a_save_that_conflicts_loses_nothing() {
    let store = Arc::new(HoldStore::default());
    let manager = SessionManager::builder(store.clone()).build().unwrap();
    let pair = cookie(&send(&manager, &get("/"), |session| Ok(add(session, 0))).0).unwrap();
    let (lazy, session) = open(&manager, &pair);
    add(&session, 1);
    save_and_meanwhile(&store, &session, || {
        send(&manager, &with(get("/"), "cookie", &pair), |other| Ok(add(other, 10))).1.unwrap().unwrap();
        add(&session.clone(), 100);
    });
    close(lazy);
    let (_, n) = send(&manager, &with(get("/"), "cookie", &pair), |session| session.get::<u32>("n"));
    assert_eq!(n.unwrap().unwrap(), Some(111));
}

#[test]
fn a_session_ended_beside_its_first_save_stays_ended() {
    // Shows: A42
    let store = Arc::new(HoldStore::default());
    let manager = SessionManager::builder(store.clone()).build().unwrap();
    let (lazy, session) = open(&manager, "a=b");
    add(&session, 1);
    save_and_meanwhile(&store, &session, || session.destroy().unwrap());
    let response = close(lazy);
    assert_eq!(store.map.len(), 0, "nothing is left behind");
    assert!(cookie(&response).is_none_or(|pair| pair == "__Host-id="), "no id is sent");
}

#[test]
fn a_write_after_an_end_beside_a_save_begins_a_new_session() {
    let store = Arc::new(HoldStore::default());
    let manager = SessionManager::builder(store.clone()).build().unwrap();
    let pair = cookie(&send(&manager, &get("/"), |session| Ok(add(session, 1))).0).unwrap();
    let (lazy, session) = open(&manager, &pair);
    add(&session, 1);
    save_and_meanwhile(&store, &session, || {
        session.destroy().unwrap();
        session.insert("new", true).unwrap();
    });
    let fresh = cookie(&close(lazy)).unwrap();
    assert_ne!(fresh, pair);
    assert_eq!(store.map.len(), 1, "the old session is gone");
    let (_, kept) =
        send(&manager, &with(get("/"), "cookie", &fresh), |session| Ok((session.keys(), session.len())));
    assert_eq!(kept.unwrap().unwrap(), (vec!["new".to_owned()], 1));
}

#[test]
fn a_session_that_is_asked_for_twice_at_once_is_loaded_once() {
    let store = Arc::new(HoldStore::default());
    let manager = SessionManager::builder(store.clone()).build().unwrap();
    let pair = cookie(&send(&manager, &get("/"), |session| Ok(add(session, 7))).0).unwrap();
    let request = with(get("/"), "cookie", &pair);
    let Ok(Opened::Continue(lazy)) = manager.open(&RequestHead::from(&request)).into_ready() else {
        panic!("ready at once");
    };
    store.hold_next_load.store(true, Ordering::SeqCst);
    let before = store.loads.load(Ordering::SeqCst);
    let (mut one, mut other) = (pin!(lazy.load()), pin!(lazy.load()));
    let mut context = Context::from_waker(Waker::noop());
    assert!(one.as_mut().poll(&mut context).is_pending());
    assert!(other.as_mut().poll(&mut context).is_pending());
    store.released.store(true, Ordering::SeqCst);
    for load in [one.as_mut(), other.as_mut()] {
        let Poll::Ready(loaded) = load.poll(&mut context) else { panic!("the load was released") };
        assert_eq!(loaded.unwrap().get::<u32>("n").unwrap(), Some(7));
    }
    assert_eq!(store.loads.load(Ordering::SeqCst), before + 1);
}

#[test]
fn who_lost_a_race_queues_behind_those_who_did_before() {
    let store = Arc::new(HoldStore::default());
    let manager = SessionManager::builder(store.clone()).build().unwrap();
    let pair = cookie(&send(&manager, &get("/"), |session| Ok(add(session, 0))).0).unwrap();
    let ((_, first), (_, second)) = (open(&manager, &pair), open(&manager, &pair));
    add(&first, 1);
    add(&second, 10);
    send(&manager, &with(get("/"), "cookie", &pair), |other| Ok(add(other, 100))).1.unwrap().unwrap();

    // The first one has found out that it lost, and looks at what is there now.
    store.hold_next_load.store(true, Ordering::SeqCst);
    let (mut one, mut other) = (pin!(first.save()), pin!(second.save()));
    let mut context = Context::from_waker(Waker::noop());
    assert!(one.as_mut().poll(&mut context).is_pending());
    let before = store.loads.load(Ordering::SeqCst);
    assert!(other.as_mut().poll(&mut context).is_pending(), "it waits for its turn");
    assert_eq!(store.loads.load(Ordering::SeqCst), before, "without asking the store");

    store.released.store(true, Ordering::SeqCst);
    for save in [one.as_mut(), other.as_mut()] {
        let Poll::Ready(saved) = save.poll(&mut context) else { panic!("the load was released") };
        saved.unwrap();
    }
    let (_, n) = send(&manager, &with(get("/"), "cookie", &pair), |session| session.get::<u32>("n"));
    assert_eq!(n.unwrap().unwrap(), Some(111));
}

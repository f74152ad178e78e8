//! A request that other processes overtake again and again.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU64, Ordering},
};

use async_trait::async_trait;
use session_core::{
    Entry, Expect, Removed, SessionManager, Store, StoreError, StoreKey, Stored, Version, Written,
};
use support::{MapStore, cookie, get, send, with};

/// A store in which somebody else is faster, so often.
#[derive(Debug, Default)]
struct BusyStore {
    map: MapStore,
    overtakes: AtomicU64,
    /// The session that others use as well: the one that was loaded last.
    shared: Mutex<Option<StoreKey>>,
}

impl BusyStore {
    /// Writes the record anew, as another process would.
    async fn overtake(&self, key: &StoreKey) -> Result<(), StoreError> {
        if *self.shared.lock().unwrap() != Some(*key) {
            return Ok(());
        }
        let left =
            self.overtakes.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        if left.is_ok()
            && let Some(stored) = self.map.load(key).await?
        {
            let same = Entry::new(&stored.bytes[..], stored.expires_at);
            let _ = self.map.write(key, same, Expect::Version(stored.version)).await?;
        }
        Ok(())
    }
}

#[async_trait]
impl Store for BusyStore {
    async fn load(&self, key: &StoreKey) -> Result<Option<Stored>, StoreError> {
        *self.shared.lock().unwrap() = Some(*key);
        self.map.load(key).await
    }

    async fn write(&self, key: &StoreKey, entry: Entry, expect: Expect) -> Result<Written, StoreError> {
        self.overtake(key).await?;
        self.map.write(key, entry, expect).await
    }

    async fn remove(&self, key: &StoreKey, expect: Option<Version>) -> Result<Removed, StoreError> {
        self.overtake(key).await?;
        self.map.remove(key, expect).await
    }
}

/// As long a losing streak as 64 writers in two processes saw on a busy machine, and more.
#[test]
fn a_request_that_is_overtaken_five_hundred_times_is_carried_out() {
    let store = Arc::new(BusyStore::default());
    let manager = SessionManager::builder(store.clone()).build().unwrap();
    let add = |session: &session_core::Session| session.update("n", |n: &mut u32| *n += 1);
    let pair = cookie(&send(&manager, &get("/"), add).0).unwrap();
    let request = with(get("/"), "cookie", &pair);

    store.overtakes.store(500, Ordering::SeqCst);
    assert_eq!(send(&manager, &request, add).0.status(), 200);
    assert_eq!(send(&manager, &request, |session| session.get::<u32>("n")).1.unwrap().unwrap(), Some(2));

    store.overtakes.store(500, Ordering::SeqCst);
    let renewed = send(&manager, &request, |session| session.renew()).0;
    assert_eq!(renewed.status(), 200);
    let request = with(get("/"), "cookie", &cookie(&renewed).unwrap());
    assert_eq!(send(&manager, &request, |session| session.get::<u32>("n")).1.unwrap().unwrap(), Some(2));

    store.overtakes.store(500, Ordering::SeqCst);
    assert_eq!(send(&manager, &request, |session| session.destroy()).0.status(), 200);
    assert_eq!(send(&manager, &request, |session| session.get::<u32>("n")).1.unwrap().unwrap(), None);
}

/// The work for one request has an end, and its answer says why.
#[test]
fn a_request_that_is_overtaken_for_ever_is_refused() {
    let store = Arc::new(BusyStore::default());
    let manager = SessionManager::builder(store.clone()).build().unwrap();
    let add = |session: &session_core::Session| session.update("n", |n: &mut u32| *n += 1);
    let pair = cookie(&send(&manager, &get("/"), add).0).unwrap();
    store.overtakes.store(u64::MAX, Ordering::SeqCst);
    let (refused, _) = send(&manager, &with(get("/"), "cookie", &pair), add);
    assert_eq!(refused.status(), 409);
    assert_eq!(manager.stats().contended, 1);
}

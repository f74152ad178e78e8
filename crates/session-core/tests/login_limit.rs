//! A principal who may have one session signs in twice at once, in two processes.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use session_core::{
    Entry, Expect, PrincipalIndex, PrincipalKey, Removed, Session, SessionError, SessionLimitPolicy,
    SessionManager, Status, Store, StoreError, StoreKey, Stored, Version, Written,
};
use support::{MapStore, cookie, get, send, with};

/// A store with an index, in which somebody else signs in right before the next login is written.
#[derive(Debug, Default)]
struct ListedStore {
    map: MapStore,
    listed: Mutex<Vec<(PrincipalKey, StoreKey)>>,
    other: Mutex<Option<SessionManager>>,
}

#[async_trait]
impl Store for ListedStore {
    async fn load(&self, key: &StoreKey) -> Result<Option<Stored>, StoreError> {
        self.map.load(key).await
    }

    async fn write(&self, key: &StoreKey, entry: Entry, expect: Expect) -> Result<Written, StoreError> {
        if let Some(principal) = entry.principal {
            let other = self.other.lock().unwrap().take();
            if let Some(other) = other {
                send(&other, &get("/"), |session| session.authenticate("ann")).1.unwrap().unwrap();
            }
            self.listed.lock().unwrap().push((principal, *key));
        }
        self.map.write(key, entry, expect).await
    }

    async fn remove(&self, key: &StoreKey, expect: Option<Version>) -> Result<Removed, StoreError> {
        self.map.remove(key, expect).await
    }

    fn as_principal_index(&self) -> Option<&dyn PrincipalIndex> {
        Some(self)
    }
}

#[async_trait]
impl PrincipalIndex for ListedStore {
    async fn keys_of(
        &self,
        principal: &PrincipalKey,
        after: Option<&StoreKey>,
        limit: usize,
    ) -> Result<Vec<StoreKey>, StoreError> {
        let listed = self.listed.lock().unwrap();
        let own = listed.iter().filter(|(of, key)| of == principal && after.is_none_or(|after| key > after));
        let mut keys: Vec<StoreKey> = own.map(|(_, key)| *key).collect();
        keys.sort_unstable();
        keys.truncate(limit);
        Ok(keys)
    }
}

fn two_processes() -> (Arc<ListedStore>, SessionManager, SessionManager) {
    let store = Arc::new(ListedStore::default());
    let manager = || {
        let builder = SessionManager::builder(store.clone());
        builder.max_sessions_per_principal(1, SessionLimitPolicy::Refuse).build().unwrap()
    };
    let (here, there) = (manager(), manager());
    (store, here, there)
}

/// Signs in while the other process does, and is refused.
fn refused(session: &Session) -> Result<(), SessionError> {
    session.authenticate("ann")?;
    let saved = pollster::block_on(session.save());
    assert!(matches!(saved, Err(SessionError::TooManySessions)), "{saved:?}");
    assert_eq!((session.status(), session.principal(), session.handle()), (Status::Ended, None, None));
    Ok(())
}

#[test]
fn the_slower_login_of_a_newcomer_is_taken_back() {
    let (store, here, there) = two_processes();
    *store.other.lock().unwrap() = Some(there.clone());
    let (response, answer) = send(&here, &get("/"), refused);
    answer.unwrap().unwrap();
    assert_eq!(cookie(&response), None, "an id that was never told is not withdrawn");
    assert_eq!(pollster::block_on(there.sessions_of("ann")).unwrap().len(), 1, "the faster one stays");
}

#[test]
fn the_slower_login_of_a_visitor_ends_the_session() {
    let (store, here, there) = two_processes();
    let (response, _) = send(&here, &get("/"), |session| session.insert("n", 1));
    let request = with(get("/"), "cookie", &cookie(&response).unwrap());
    *store.other.lock().unwrap() = Some(there.clone());
    let (response, answer) = send(&here, &request, refused);
    answer.unwrap().unwrap();
    assert_eq!(cookie(&response).as_deref(), Some("__Host-id="), "the old id leads nowhere any more");
    assert_eq!(pollster::block_on(there.sessions_of("ann")).unwrap().len(), 1, "the faster one stays");
}

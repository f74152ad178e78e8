//! An application around one manager: a store that can be told what to answer, a clock that stands still.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, UNIX_EPOCH},
};

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode, header::SET_COOKIE};
use session_core::{
    Entry, Expect, ManagerBuilder, ManualClock, Opened, Random, RandomError, Removed, RequestHead, Session,
    SessionError, SessionManager, Store, StoreError, StoreKey, Stored, Version, Written,
};

/// An id that looks right.
pub(super) const ID: &str = "KNOWN-known_KNOWN-known_KNOWN012";

pub(super) struct World {
    pub(super) manager: SessionManager,
    pub(super) desk: Desk,
}

impl World {
    /// With a store.
    pub(super) fn new(configure: impl FnOnce(ManagerBuilder) -> ManagerBuilder) -> Self {
        let desk = Desk::default();
        let builder = SessionManager::builder(desk.clone());
        Self { manager: build(configure(builder)), desk }
    }

    /// Without one.
    pub(super) fn sealed(configure: impl FnOnce(ManagerBuilder) -> ManagerBuilder) -> Self {
        Self { manager: build(configure(SessionManager::without_store())), desk: Desk::default() }
    }

    /// One request and its answer. `handler` is not called if the request is answered without it.
    pub(super) fn send<T>(
        &self,
        request: &Request<()>,
        handler: impl FnOnce(&Session) -> T,
    ) -> (Response<Bytes>, Option<Result<T, SessionError>>) {
        pollster::block_on(async {
            let session = match self.manager.open(&RequestHead::from(request)).await {
                Opened::Continue(session) => session,
                Opened::Respond(response) => return (response, None),
            };
            let answer = session.load().await.map(|loaded| handler(&loaded));
            let mut response = Response::new(Bytes::new());
            match self.manager.close(session, StatusCode::OK).await {
                Ok(closed) => drop(closed.apply(response.headers_mut())),
                Err(error) => response = error.into_response(),
            }
            (response, Some(answer))
        })
    }

    /// The bytes of a session in which `handler` did something.
    pub(super) fn record_of(&self, handler: impl FnOnce(&Session)) -> Bytes {
        let (_, answer) = self.send(&Request::new(()), handler);
        answer.unwrap().unwrap();
        let written = self.desk.shelf().written.pop().unwrap();
        self.desk.clear();
        written.bytes
    }
}

fn build(builder: ManagerBuilder) -> SessionManager {
    let clock = Arc::new(ManualClock::at_unix(1_700_000_000));
    builder.clock(clock).random(Counter::default()).build().unwrap()
}

/// `name=value` of the one `Set-Cookie` of a response, whose name and value must fit into a cookie.
pub(super) fn cookie_of(headers: &HeaderMap) -> Option<&str> {
    let mut fields = headers.get_all(SET_COOKIE).iter();
    let field = fields.next()?;
    assert!(fields.next().is_none(), "a response sets two cookies");
    let pair = field.to_str().unwrap().split(';').next().unwrap();
    assert!(pair.len() <= 4_096, "a response sets a cookie of {} bytes", pair.len());
    Some(pair)
}

/// The store.
#[derive(Clone, Debug, Default)]
pub(super) struct Desk(Arc<Mutex<Shelf>>);

#[derive(Debug, Default)]
pub(super) struct Shelf {
    records: HashMap<StoreKey, Stored>,
    /// What is under every key that has no record of its own.
    everywhere: Option<Stored>,
    versions: u64,
    /// The keys that were loaded.
    pub(super) asked: Vec<StoreKey>,
    pub(super) written: Vec<Entry>,
}

impl Desk {
    pub(super) fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.0.lock().unwrap()
    }

    pub(super) fn clear(&self) {
        *self.shelf() = Shelf::default();
    }

    /// Puts these bytes under every key.
    pub(super) fn plant(&self, bytes: &[u8]) {
        let expires_at = UNIX_EPOCH + Duration::from_secs(9_999_999_999);
        let planted = Stored::new(Entry::new(bytes, expires_at).bytes, expires_at, Version::new(0));
        *self.shelf() = Shelf { everywhere: Some(planted), ..Shelf::default() };
    }

    /// Puts these bytes under one key.
    pub(super) fn put(&self, key: StoreKey, bytes: &Bytes) {
        let expires_at = UNIX_EPOCH + Duration::from_secs(9_999_999_999);
        self.shelf().records.insert(key, Stored::new(bytes.clone(), expires_at, Version::new(0)));
    }
}

impl Shelf {
    fn found(&self, key: &StoreKey) -> Option<&Stored> {
        self.records.get(key).or(self.everywhere.as_ref())
    }
}

#[async_trait]
impl Store for Desk {
    async fn load(&self, key: &StoreKey) -> Result<Option<Stored>, StoreError> {
        let mut shelf = self.shelf();
        shelf.asked.push(*key);
        Ok(shelf.found(key).cloned())
    }

    async fn write(&self, key: &StoreKey, entry: Entry, expect: Expect) -> Result<Written, StoreError> {
        let mut shelf = self.shelf();
        // What is planted everywhere is in nobody's way.
        let found = match expect {
            Expect::Absent => shelf.records.get(key),
            Expect::Version(_) => shelf.found(key),
        };
        if found.map_or(Expect::Absent, |stored| Expect::Version(stored.version)) != expect {
            return Ok(Written::Conflict);
        }
        shelf.versions += 1;
        let version = Version::new(shelf.versions);
        shelf.records.insert(*key, Stored::new(entry.bytes.clone(), entry.expires_at, version));
        shelf.written.push(entry);
        Ok(Written::Stored(version))
    }

    async fn remove(&self, key: &StoreKey, _: Option<Version>) -> Result<Removed, StoreError> {
        let mut shelf = self.shelf();
        shelf.records.remove(key);
        shelf.everywhere = None;
        Ok(Removed::Gone)
    }
}

/// Ids that differ, and are the same in every run.
#[derive(Debug, Default)]
struct Counter(AtomicU64);

impl Random for Counter {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomError> {
        let number = self.0.fetch_add(1, Ordering::Relaxed).to_le_bytes();
        bytes.iter_mut().zip(number.iter().cycle()).for_each(|(byte, digit)| *byte = *digit);
        Ok(())
    }
}

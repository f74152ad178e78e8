//! A store that shows what it was given, a clock that stands still, and random numbers that come in order.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use session_core::{
    Entry, Expect, ManagerBuilder, ManualClock, Opened, PrincipalKey, Random, RandomError, Removed,
    RequestHead, Session, SessionError, SessionManager, Store, StoreError, StoreKey, Stored, Version,
    Written,
};
use session_golden::{Sample, hex};

/// When everything was written: 2026-01-01.
pub(crate) const NOW: u64 = 1_767_225_600;

pub(crate) fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::at_unix(NOW))
}

/// One byte after the other, from some number on.
#[derive(Debug, Default)]
pub(crate) struct InOrder(AtomicU64);

impl InOrder {
    pub(crate) fn from(first: u64) -> Self {
        Self(AtomicU64::new(first))
    }
}

impl Random for InOrder {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomError> {
        for byte in bytes {
            *byte = u8::try_from(self.0.fetch_add(1, Ordering::Relaxed) % 251).unwrap_or_default() + 1;
        }
        Ok(())
    }
}

/// The records, with what is beside them.
#[derive(Debug, Default)]
pub(crate) struct Shelf {
    pub(crate) records: Mutex<BTreeMap<StoreKey, (Entry, Version)>>,
    versions: AtomicU64,
}

impl Shelf {
    pub(crate) fn put(&self, key: StoreKey, entry: Entry) {
        let version = Version::new(self.versions.fetch_add(1, Ordering::Relaxed));
        self.records.lock().unwrap().insert(key, (entry, version));
    }

    pub(crate) fn entry(&self, key: &StoreKey) -> Option<Entry> {
        self.records.lock().unwrap().get(key).map(|(entry, _)| entry.clone())
    }
}

#[async_trait]
impl Store for Shelf {
    async fn load(&self, key: &StoreKey) -> Result<Option<Stored>, StoreError> {
        let records = self.records.lock().unwrap();
        Ok(records
            .get(key)
            .map(|(entry, version)| Stored::new(entry.bytes.clone(), entry.expires_at, *version)))
    }

    async fn write(&self, key: &StoreKey, entry: Entry, expect: Expect) -> Result<Written, StoreError> {
        let found = self.records.lock().unwrap().get(key).map(|(_, version)| *version);
        if found.map_or(Expect::Absent, Expect::Version) != expect {
            return Ok(Written::Conflict);
        }
        self.put(*key, entry);
        Ok(Written::Stored(self.records.lock().unwrap()[key].1))
    }

    async fn remove(&self, key: &StoreKey, expect: Option<Version>) -> Result<Removed, StoreError> {
        let mut records = self.records.lock().unwrap();
        match records.get(key) {
            Some((_, version)) if expect.is_some_and(|expected| expected != *version) => {
                Ok(Removed::Conflict)
            }
            _ => {
                records.remove(key);
                Ok(Removed::Gone)
            }
        }
    }
}

/// A site: a manager on a shelf.
pub(crate) struct Site {
    pub(crate) shelf: Arc<Shelf>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) manager: SessionManager,
}

impl Site {
    pub(crate) fn new(configure: impl FnOnce(ManagerBuilder) -> ManagerBuilder) -> Self {
        Self::drawing_from(0, configure)
    }

    /// With numbers, and so with ids, that others have not.
    pub(crate) fn drawing_from(first: u64, configure: impl FnOnce(ManagerBuilder) -> ManagerBuilder) -> Self {
        let (shelf, clock) = (Arc::new(Shelf::default()), clock());
        let random = InOrder::from(first);
        let builder = SessionManager::builder(shelf.clone()).clock(clock.clone()).random(random);
        Self { manager: configure(builder).build().unwrap(), shelf, clock }
    }

    /// One request that presents this cookie. Answers what the handler does, and the cookie that is set.
    pub(crate) fn send<T>(
        &self,
        cookie: Option<&str>,
        handler: impl FnOnce(&Session) -> Result<T, SessionError>,
    ) -> Result<(T, Option<String>), SessionError> {
        send(&self.manager, cookie, handler)
    }

    /// What is stored under the id in a cookie.
    pub(crate) fn sample(&self, key: &StoreKey, id: &str, means: serde_json::Value) -> Sample {
        let entry = self.shelf.entry(key).unwrap();
        let mut bytes = entry.bytes.to_vec();
        // Which attempt has made it: how many there are is nobody's business. A marker is shorter.
        if let Some(changed_by) = bytes.get_mut(75..83) {
            changed_by.fill(0);
        }
        Sample {
            key: key.to_hex(),
            written: hex(bytes),
            expires_at: Some(millis(entry.expires_at)),
            principal: entry.principal.map(|principal| principal.to_hex()),
            id: Some(id.to_owned()),
            means,
        }
    }
}

pub(crate) fn send<T>(
    manager: &SessionManager,
    cookie: Option<&str>,
    handler: impl FnOnce(&Session) -> Result<T, SessionError>,
) -> Result<(T, Option<String>), SessionError> {
    let mut request = Request::builder().method("POST").uri("/");
    if let Some(cookie) = cookie {
        request = request.header("cookie", format!("__Host-id={cookie}"));
    }
    let request = request.body(()).unwrap();
    pollster::block_on(async {
        let Opened::Continue(lazy) = manager.open(&RequestHead::from(&request)).await else {
            panic!("a redirect")
        };
        let answer = handler(&lazy.load().await?)?;
        let mut response = Response::new(Bytes::new());
        let closed = manager.close(lazy, StatusCode::OK).await;
        closed.map_err(|_| SessionError::Contended)?.apply(response.headers_mut());
        let set = response.headers().get("set-cookie").map(|field| field.to_str().unwrap().to_owned());
        let value = set.and_then(|set| Some(set.split(';').next()?.split_once('=')?.1.to_owned()));
        Ok((answer, value))
    })
}

/// The entry that a sample was.
pub(crate) fn entry(sample: &Sample) -> Entry {
    let expires_at = UNIX_EPOCH + Duration::from_millis(sample.expires_at.unwrap());
    let principal = sample.principal.as_deref().map(|hex| PrincipalKey::from_hex(hex).unwrap());
    Entry::new(session_golden::bytes(&sample.written), expires_at).with_principal(principal)
}

pub(crate) fn key(sample: &Sample) -> StoreKey {
    StoreKey::from_hex(&sample.key).unwrap()
}

pub(crate) fn millis(instant: SystemTime) -> u64 {
    u64::try_from(instant.duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

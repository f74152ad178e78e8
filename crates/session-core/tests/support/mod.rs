//! The smallest store and the smallest application that the strategies can be tried with.

#![allow(dead_code, reason = "every test file uses its own part")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use session_core::{
    Entry, Expect, ManualClock, Opened, Removed, RequestHead, Session, SessionError, SessionManager, Store,
    StoreError, StoreKey, Stored, Version, Written,
};

#[derive(Debug, Default)]
pub(crate) struct MapStore {
    records: Mutex<HashMap<StoreKey, Stored>>,
    versions: AtomicU64,
    pub(crate) calls: AtomicUsize,
}

impl MapStore {
    pub(crate) fn len(&self) -> usize {
        self.records.lock().unwrap().len()
    }

    fn next(&self) -> Version {
        Version::new(self.versions.fetch_add(1, Ordering::Relaxed))
    }
}

#[async_trait]
impl Store for MapStore {
    async fn load(&self, key: &StoreKey) -> Result<Option<Stored>, StoreError> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        Ok(self.records.lock().unwrap().get(key).cloned())
    }

    async fn write(&self, key: &StoreKey, entry: Entry, expect: Expect) -> Result<Written, StoreError> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let mut records = self.records.lock().unwrap();
        let found = records.get(key).map_or(Expect::Absent, |stored| Expect::Version(stored.version));
        if found != expect {
            return Ok(Written::Conflict);
        }
        let version = self.next();
        records.insert(*key, Stored::new(entry.bytes, entry.expires_at, version));
        Ok(Written::Stored(version))
    }

    async fn remove(&self, key: &StoreKey, expect: Option<Version>) -> Result<Removed, StoreError> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let mut records = self.records.lock().unwrap();
        match records.get(key) {
            Some(stored) if expect.is_some_and(|version| version != stored.version) => Ok(Removed::Conflict),
            _ => {
                records.remove(key);
                Ok(Removed::Gone)
            }
        }
    }
}

pub(crate) fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::at_unix(1_700_000_000))
}

/// Sends one request through `manager`; `handler` is what the application does with the session.
pub(crate) fn send<T>(
    manager: &SessionManager,
    request: &Request<()>,
    handler: impl FnOnce(&Session) -> Result<T, SessionError>,
) -> (Response<Bytes>, Option<Result<T, SessionError>>) {
    pollster::block_on(async {
        let session = match manager.open(&RequestHead::from(request)).await {
            Opened::Continue(session) => session,
            Opened::Respond(response) => return (response, None),
        };
        let answer = match session.load().await {
            Ok(loaded) => handler(&loaded),
            Err(error) => Err(error),
        };
        let mut response = Response::new(Bytes::new());
        match manager.close(session, StatusCode::OK).await {
            Ok(closed) => {
                closed.apply(response.headers_mut());
            }
            Err(error) => response = error.into_response(),
        }
        (response, Some(answer))
    })
}

pub(crate) fn get(uri: &str) -> Request<()> {
    Request::builder().uri(uri).body(()).unwrap()
}

pub(crate) fn post(uri: &str) -> Request<()> {
    Request::builder().method(Method::POST).uri(uri).body(()).unwrap()
}

pub(crate) fn with(mut request: Request<()>, field: &'static str, value: &str) -> Request<()> {
    request.headers_mut().append(field, value.parse().unwrap());
    request
}

pub(crate) fn field<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).map(|value| value.to_str().unwrap())
}

/// `name=value` of the one `Set-Cookie` of a response.
pub(crate) fn cookie(response: &Response<Bytes>) -> Option<String> {
    let fields: Vec<_> = response.headers().get_all("set-cookie").iter().collect();
    assert!(fields.len() <= 1, "{fields:?}");
    fields.first().map(|field| field.to_str().unwrap().split(';').next().unwrap().to_owned())
}

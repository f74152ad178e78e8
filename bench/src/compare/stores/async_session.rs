//! async-session's `MemoryStore`, which warp-sessions uses, as a store of the kit: loads, compares and saves, as the shim of
//! [`tower`](super::tower) does. The store's own `Session` cannot be given an id but by reading one that was written.

use std::{
    collections::HashMap,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use async_trait::async_trait;
use data_encoding::BASE64;
use serde_json::json;
use session_core::{
    Entry, Expect, Removed, Store, StoreError, StoreErrorKind, StoreKey, Stored, Version, Written,
};
use warp_sessions::{MemoryStore, Session, SessionStore};

/// The shim.
#[derive(Debug)]
pub(super) struct Shim(pub(super) MemoryStore);

impl Shim {
    async fn session(&self, key: &StoreKey) -> Result<Option<Session>, StoreError> {
        self.0.load_session(cookie(key)).await.map_err(failed)
    }
}

#[async_trait]
impl Store for Shim {
    async fn load(&self, key: &StoreKey) -> Result<Option<Stored>, StoreError> {
        let Some(session) = self.session(key).await? else { return Ok(None) };
        let text = session.get_raw("bytes").unwrap_or_default();
        let bytes = BASE64.decode(text.as_bytes()).map_err(|error| failed(error.into()))?;
        let millis = session.get_raw("expires").and_then(|millis| millis.parse().ok()).unwrap_or_default();
        let expires_at = UNIX_EPOCH + Duration::from_millis(millis);
        Ok(Some(Stored::new(bytes, expires_at, version(&session))))
    }

    async fn write(&self, key: &StoreKey, entry: Entry, expect: Expect) -> Result<Written, StoreError> {
        let current = self.session(key).await?.as_ref().map(version);
        let expected = match expect {
            Expect::Absent => None,
            Expect::Version(version) => Some(version),
        };
        if current != expected {
            return Ok(Written::Conflict);
        }
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        self.0.store_session(made(key, &entry, number)?).await.map_err(failed)?;
        Ok(Written::Stored(Version::new(number)))
    }

    async fn remove(&self, key: &StoreKey, expect: Option<Version>) -> Result<Removed, StoreError> {
        let Some(session) = self.session(key).await? else { return Ok(Removed::Gone) };
        if expect.is_some_and(|expected| expected != version(&session)) {
            return Ok(Removed::Conflict);
        }
        self.0.destroy_session(session).await.map_err(failed)?;
        Ok(Removed::Gone)
    }
}

/// A session with the id that belongs to the key.
fn made(key: &StoreKey, entry: &Entry, version: u64) -> Result<Session, StoreError> {
    let expires = entry.expires_at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let data = HashMap::from([
        ("bytes", BASE64.encode(&entry.bytes)),
        ("version", version.to_string()),
        ("expires", expires.as_millis().to_string()),
    ]);
    let at = time::OffsetDateTime::from(entry.expires_at);
    let at =
        at.format(&time::format_description::well_known::Rfc3339).map_err(|error| failed(error.into()))?;
    let id = Session::id_from_cookie_value(&cookie(key)).map_err(|error| failed(error.into()))?;
    serde_json::from_value(json!({ "id": id, "expiry": at, "data": data }))
        .map_err(|error| failed(error.into()))
}

fn cookie(key: &StoreKey) -> String {
    BASE64.encode(key.as_bytes())
}

fn version(session: &Session) -> Version {
    Version::new(session.get_raw("version").and_then(|number| number.parse().ok()).unwrap_or_default())
}

fn failed(error: anyhow::Error) -> StoreError {
    StoreError::new(StoreErrorKind::Unavailable, "async-session").with_source(error)
}

static NEXT: AtomicU64 = AtomicU64::new(1);

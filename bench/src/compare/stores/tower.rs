//! The stores of tower-sessions as stores of the kit.
//!
//! They load, create, save and delete by id; none compares versions. So the shim keeps the bytes and a version of its own in
//! the record's data, and does what an application could: it loads, compares, and saves. Nothing holds others up between
//! the steps. A record that must not be there yet is made by `create`, which tells of a collision by choosing another id.

use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
    time::SystemTime,
};

use async_trait::async_trait;
use data_encoding::BASE64;
use serde_json::{Value, json};
use session_core::{
    Entry, Expect, Removed, Store, StoreError, StoreErrorKind, StoreKey, Stored, Version, Written,
};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;

/// A store of tower-sessions, for whichever version of its core.
#[async_trait]
pub(super) trait Peer: fmt::Debug + Send + Sync + 'static {
    /// Whether it was created under the id that was asked for.
    async fn create(&self, record: Record) -> Result<bool, StoreError>;
    async fn save(&self, record: Record) -> Result<(), StoreError>;
    async fn load(&self, id: i128) -> Result<Option<Record>, StoreError>;
    async fn delete(&self, id: i128) -> Result<(), StoreError>;
}

/// A record of either version.
#[derive(Debug)]
pub(super) struct Record {
    id: i128,
    value: Value,
    version: Value,
    expires_at: OffsetDateTime,
}

macro_rules! peer {
    ($name:ident, $core:ident) => {
        #[derive(Debug)]
        pub(super) struct $name<S>(pub(super) S);

        #[async_trait]
        impl<S: $core::SessionStore> Peer for $name<S> {
            async fn create(&self, record: Record) -> Result<bool, StoreError> {
                let asked = $core::session::Id(record.id);
                let mut record = $name::<S>::record(record);
                self.0.create(&mut record).await.map_err($name::<S>::failed)?;
                if record.id == asked {
                    return Ok(true);
                }
                self.0.delete(&record.id).await.map_err($name::<S>::failed)?;
                Ok(false)
            }

            async fn save(&self, record: Record) -> Result<(), StoreError> {
                self.0.save(&$name::<S>::record(record)).await.map_err($name::<S>::failed)
            }

            async fn load(&self, id: i128) -> Result<Option<Record>, StoreError> {
                let found = self.0.load(&$core::session::Id(id)).await.map_err($name::<S>::failed)?;
                let part = |record: &$core::session::Record, name: &str| {
                    record.data.get(name).cloned().unwrap_or_default()
                };
                Ok(found.map(|record| Record {
                    id: record.id.0,
                    value: part(&record, "bytes"),
                    version: part(&record, "version"),
                    expires_at: record.expiry_date,
                }))
            }

            async fn delete(&self, id: i128) -> Result<(), StoreError> {
                self.0.delete(&$core::session::Id(id)).await.map_err($name::<S>::failed)
            }
        }

        impl<S> $name<S> {
            fn record(record: Record) -> $core::session::Record {
                let data = [("bytes".to_owned(), record.value), ("version".to_owned(), record.version)];
                $core::session::Record {
                    id: $core::session::Id(record.id),
                    data: data.into(),
                    expiry_date: record.expires_at,
                }
            }

            fn failed(error: $core::session_store::Error) -> StoreError {
                let kind = match error {
                    $core::session_store::Error::Decode(_) => StoreErrorKind::Corrupt,
                    _ => StoreErrorKind::Unavailable,
                };
                StoreError::new(kind, "tower-sessions").with_source(error)
            }
        }
    };
}

peer!(Core15, tower_sessions);
peer!(Core14, tower_sessions_core_014);

/// The shim.
#[derive(Debug)]
pub(super) struct Shim<P>(pub(super) P);

impl<P: Peer> Shim<P> {
    async fn current(&self, id: i128) -> Result<Option<Version>, StoreError> {
        Ok(self.0.load(id).await?.map(|record| version(&record)))
    }
}

#[async_trait]
impl<P: Peer> Store for Shim<P> {
    async fn load(&self, key: &StoreKey) -> Result<Option<Stored>, StoreError> {
        let Some(record) = self.0.load(id(key)).await? else { return Ok(None) };
        let text = record.value.as_str().unwrap_or_default();
        let bytes = BASE64
            .decode(text.as_bytes())
            .map_err(|error| StoreError::new(StoreErrorKind::Corrupt, "tower-sessions").with_source(error))?;
        Ok(Some(Stored::new(bytes, SystemTime::from(record.expires_at), version(&record))))
    }

    async fn write(&self, key: &StoreKey, entry: Entry, expect: Expect) -> Result<Written, StoreError> {
        let (id, current) = (id(key), self.current(id(key)).await?);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let record = Record {
            id,
            value: BASE64.encode(&entry.bytes).into(),
            version: json!(number),
            expires_at: entry.expires_at.into(),
        };
        let stored = match expect {
            Expect::Absent => current.is_none() && self.0.create(record).await?,
            Expect::Version(version) if current == Some(version) => {
                self.0.save(record).await?;
                true
            }
            Expect::Version(_) => false,
        };
        Ok(if stored { Written::Stored(Version::new(number)) } else { Written::Conflict })
    }

    async fn remove(&self, key: &StoreKey, expect: Option<Version>) -> Result<Removed, StoreError> {
        if let Some(expected) = expect {
            match self.current(id(key)).await? {
                None => return Ok(Removed::Gone),
                Some(current) if current != expected => return Ok(Removed::Conflict),
                Some(_) => {}
            }
        }
        self.0.delete(id(key)).await?;
        Ok(Removed::Gone)
    }
}

/// Its ids have 128 bits, the kit's keys 256: half of a digest, so that every bit counts.
pub(super) fn id(key: &StoreKey) -> i128 {
    let digest: [u8; 32] = Sha256::digest(key.as_bytes()).into();
    let mut half = [0; 16];
    half.copy_from_slice(&digest[..16]);
    i128::from_le_bytes(half)
}

fn version(record: &Record) -> Version {
    Version::new(record.version.as_u64().unwrap_or_default())
}

/// One for all, so that no version is ever used twice.
static NEXT: AtomicU64 = AtomicU64::new(1);

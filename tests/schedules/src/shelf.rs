//! The simplest correct store, which gives way before and after every call.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU64, Ordering},
    time::SystemTime,
};

use async_trait::async_trait;
use session_core::{
    Entry, Expect, Inspection, PrincipalIndex, PrincipalKey, RecordState, Removed, Store, StoreError,
    StoreKey, Stored, Version, Written,
};
use shuttle::{
    future::yield_now,
    sync::{Arc, Mutex, MutexGuard},
};

/// A store for tests. Clones share their records.
#[derive(Clone, Debug, Default)]
pub struct Shelf(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    records: Mutex<BTreeMap<StoreKey, (Entry, Version)>>,
    versions: AtomicU64,
    loads: AtomicU64,
}

impl Shelf {
    /// How many sessions there are; markers of replaced ids do not count.
    #[must_use]
    pub fn sessions(&self) -> usize {
        let is_live = |(key, (entry, _)): (&StoreKey, &(Entry, Version))| {
            Inspection::of(key, entry.bytes.clone(), SystemTime::UNIX_EPOCH)
                .is_ok_and(|inspection| inspection.state() == RecordState::Live)
        };
        self.records().iter().filter(|record| is_live(*record)).count()
    }

    /// How often a record was loaded.
    #[must_use]
    pub fn loads(&self) -> u64 {
        self.0.loads.load(Ordering::Relaxed)
    }

    fn records(&self) -> MutexGuard<'_, BTreeMap<StoreKey, (Entry, Version)>> {
        self.0.records.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[async_trait]
impl Store for Shelf {
    async fn load(&self, key: &StoreKey) -> Result<Option<Stored>, StoreError> {
        yield_now().await;
        self.0.loads.fetch_add(1, Ordering::Relaxed);
        let found = self.records().get(key).cloned();
        yield_now().await;
        Ok(found.map(|(entry, version)| Stored::new(entry.bytes, entry.expires_at, version)))
    }

    async fn write(&self, key: &StoreKey, entry: Entry, expect: Expect) -> Result<Written, StoreError> {
        yield_now().await;
        let written = {
            let mut records = self.records();
            let found = records.get(key).map_or(Expect::Absent, |(_, version)| Expect::Version(*version));
            if found == expect {
                let version = Version::new(self.0.versions.fetch_add(1, Ordering::Relaxed));
                records.insert(*key, (entry, version));
                Written::Stored(version)
            } else {
                Written::Conflict
            }
        };
        yield_now().await;
        Ok(written)
    }

    async fn remove(&self, key: &StoreKey, expect: Option<Version>) -> Result<Removed, StoreError> {
        yield_now().await;
        let removed = {
            let mut records = self.records();
            match records.get(key) {
                Some((_, version)) if expect.is_some_and(|expected| expected != *version) => {
                    Removed::Conflict
                }
                _ => {
                    records.remove(key);
                    Removed::Gone
                }
            }
        };
        yield_now().await;
        Ok(removed)
    }

    fn as_principal_index(&self) -> Option<&dyn PrincipalIndex> {
        Some(self)
    }
}

#[async_trait]
impl PrincipalIndex for Shelf {
    async fn keys_of(
        &self,
        principal: &PrincipalKey,
        after: Option<&StoreKey>,
        limit: usize,
    ) -> Result<Vec<StoreKey>, StoreError> {
        yield_now().await;
        let records = self.records();
        let theirs = records.iter().filter(|(_, (entry, _))| entry.principal == Some(*principal));
        let behind = theirs.map(|(key, _)| *key).filter(|key| after.is_none_or(|after| key > after));
        Ok(behind.take(limit).collect())
    }
}

//! A session store written by a reader of the documentation, whole: `session_conformance::store_tests!` says that it is
//! right.

use std::{
    collections::HashMap,
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use session_core::{
    Entry, Expect, Removed, Store, StoreError, StoreKey, Stored, SweepRequest, Swept, Version, Written,
};

/// Records in one map. Forgets them when the process ends, and grows until they are swept.
#[derive(Default)]
pub struct OwnStore(Mutex<Shelf>);

#[derive(Default)]
struct Shelf {
    records: HashMap<StoreKey, Stored>,
    /// Counts all writes to the store, so a key never has a version twice.
    writes: u64,
}

impl OwnStore {
    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Store for OwnStore {
    async fn load(&self, key: &StoreKey) -> Result<Option<Stored>, StoreError> {
        Ok(self.shelf().records.get(key).cloned())
    }

    async fn write(&self, key: &StoreKey, entry: Entry, expect: Expect) -> Result<Written, StoreError> {
        let mut shelf = self.shelf();
        let found = shelf.records.get(key).map_or(Expect::Absent, |stored| Expect::Version(stored.version));
        if found != expect {
            return Ok(Written::Conflict);
        }
        shelf.writes += 1;
        let version = Version::new(shelf.writes);
        shelf.records.insert(*key, Stored::new(entry.bytes, entry.expires_at, version));
        Ok(Written::Stored(version))
    }

    async fn remove(&self, key: &StoreKey, expect: Option<Version>) -> Result<Removed, StoreError> {
        let mut shelf = self.shelf();
        if let (Some(stored), Some(version)) = (shelf.records.get(key), expect)
            && stored.version != version
        {
            return Ok(Removed::Conflict);
        }
        shelf.records.remove(key);
        Ok(Removed::Gone)
    }

    fn as_sweep(&self) -> Option<&dyn session_core::Sweep> {
        Some(self)
    }
}

#[async_trait]
impl session_core::Sweep for OwnStore {
    async fn sweep(&self, request: SweepRequest) -> Result<Swept, StoreError> {
        let mut shelf = self.shelf();
        let covered = shelf.records.iter().filter(|(_, stored)| request.covers(stored.expires_at));
        let expired: Vec<_> = covered.map(|(key, _)| *key).take(request.budget).collect();
        expired.iter().for_each(|key| drop(shelf.records.remove(key)));
        let finished = expired.len() < request.budget;
        Ok(Swept::new(expired.len(), expired.len(), 0, finished))
    }
}

impl fmt::Debug for OwnStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnStore").field("records", &self.shelf().records.len()).finish_non_exhaustive()
    }
}

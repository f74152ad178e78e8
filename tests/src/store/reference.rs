//! The simplest correct store: one map behind one lock. It keeps the whole contract, so it must pass every case, and
//! the liars are made by spoiling it.

use std::{
    collections::BTreeMap,
    fmt,
    ops::Bound::{Excluded, Unbounded},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use session_core::{
    Entry, Environment, Expect, PrincipalIndex, PrincipalKey, Removed, Scan, ScanCursor, Scanned, Store,
    StoreError, StoreErrorKind, StoreKey, Stored, Sweep, SweepRequest, Swept, Version, Written,
};
use tokio::task::yield_now;

use super::fresh::{Foreign, Fresh, Medium};

/// A store for tests: correct, in memory, as slow as it likes. Clones share their records.
#[derive(Clone, Default)]
pub struct Reference {
    shelf: Arc<Mutex<Shelf>>,
}

/// What a [`Reference`] keeps, and the troubles it was told to have.
#[derive(Default)]
pub(crate) struct Shelf {
    pub(crate) records: BTreeMap<StoreKey, Kept>,
    pub(crate) last_version: u64,
    pub(crate) sweep_from: Option<StoreKey>,
    pub(crate) most_records: Option<usize>,
    pub(crate) medium_is_down: bool,
    pub(crate) dropped: bool,
    pub(crate) foreign: bool,
}

/// One record.
#[derive(Clone)]
pub(crate) struct Kept {
    pub(crate) entry: Entry,
    pub(crate) version: Version,
    pub(crate) damaged: bool,
}

impl Reference {
    /// An empty store without a bound.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty store that holds no more than `most_records`.
    #[must_use]
    pub fn bounded(most_records: usize) -> Self {
        let store = Self::default();
        store.shelf().most_records = Some(most_records);
        store
    }

    /// Makes the medium of the store fail, or work again.
    pub fn turn(&self, medium: Medium) {
        self.shelf().medium_is_down = medium == Medium::Down;
    }

    /// Makes the record under `key` unreadable, if there is one.
    pub fn damage(&self, key: &StoreKey) {
        if let Some(kept) = self.shelf().records.get_mut(key) {
            kept.damaged = true;
        }
    }

    /// Puts something beside the records that is not the store's own, or says whether it is there.
    #[must_use]
    pub fn foreign(&self, ask: Foreign) -> bool {
        let mut shelf = self.shelf();
        shelf.foreign |= ask == Foreign::Plant;
        shelf.foreign
    }

    /// A fresh reference store with every hook declared.
    #[must_use]
    pub fn fresh() -> Fresh {
        let store = Self::new();
        let beside = store.clone();
        let (reopened, peer, medium, victim) = (store.clone(), store.clone(), store.clone(), store.clone());
        Fresh::new(store)
            .reopen_with(move || std::future::ready(reopened.clone()))
            .peer_with(move || std::future::ready(peer.clone()))
            .outage_with(move |to| {
                medium.turn(to);
                std::future::ready(())
            })
            .damage_with(move |key| {
                victim.damage(&key);
                std::future::ready(())
            })
            .foreign_with(move |ask| std::future::ready(beside.foreign(ask)))
            .bounded_with(BOUND, || std::future::ready(Self::bounded(BOUND)))
    }

    pub(crate) fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The shelf, if the medium answers.
    pub(crate) fn open(&self) -> Result<MutexGuard<'_, Shelf>, StoreError> {
        let shelf = self.shelf();
        if shelf.medium_is_down {
            return Err(StoreError::new(StoreErrorKind::Unavailable, NAME));
        }
        Ok(shelf)
    }
}

// Every call gives way once before it does its work and once after: a real store waits there for its medium, and that
// is where other requests run and where futures are dropped.
#[async_trait]
impl Store for Reference {
    async fn load(&self, key: &StoreKey) -> Result<Option<Stored>, StoreError> {
        yield_now().await;
        let found = self.open()?.load(key);
        yield_now().await;
        found
    }

    async fn write(&self, key: &StoreKey, entry: Entry, expect: Expect) -> Result<Written, StoreError> {
        yield_now().await;
        let written = self.open()?.write(key, entry, expect);
        yield_now().await;
        written
    }

    async fn remove(&self, key: &StoreKey, expect: Option<Version>) -> Result<Removed, StoreError> {
        yield_now().await;
        let removed = self.open()?.remove(key, expect);
        yield_now().await;
        Ok(removed)
    }

    fn as_sweep(&self) -> Option<&dyn Sweep> {
        Some(self)
    }

    fn as_principal_index(&self) -> Option<&dyn PrincipalIndex> {
        Some(self)
    }

    fn as_environment(&self) -> Option<&dyn Environment> {
        Some(self)
    }

    fn as_scan(&self) -> Option<&dyn Scan> {
        Some(self)
    }
}

impl Shelf {
    pub(crate) fn load(&self, key: &StoreKey) -> Result<Option<Stored>, StoreError> {
        match self.records.get(key) {
            Some(kept) if kept.damaged => Err(StoreError::new(StoreErrorKind::Corrupt, NAME)),
            Some(Kept { entry, version, .. }) => {
                Ok(Some(Stored::new(entry.bytes.clone(), entry.expires_at, *version)))
            }
            None => Ok(None),
        }
    }

    fn write(&mut self, key: &StoreKey, entry: Entry, expect: Expect) -> Result<Written, StoreError> {
        match (self.records.get(key), expect) {
            (Some(kept), _) if kept.damaged => return Err(StoreError::new(StoreErrorKind::Corrupt, NAME)),
            (Some(kept), Expect::Version(expected)) if kept.version == expected => {}
            (None, Expect::Absent) if self.most_records == Some(self.records.len()) => {
                return Err(StoreError::new(StoreErrorKind::Full, NAME));
            }
            (None, Expect::Absent) => {}
            _ => return Ok(Written::Conflict),
        }
        Ok(Written::Stored(self.put(key, entry)))
    }

    /// Stores an entry, whatever is there, under the next version.
    pub(crate) fn put(&mut self, key: &StoreKey, entry: Entry) -> Version {
        self.last_version += 1;
        let version = Version::new(self.last_version);
        self.records.insert(*key, Kept { entry, version, damaged: false });
        version
    }

    fn remove(&mut self, key: &StoreKey, expect: Option<Version>) -> Removed {
        match (self.records.get(key), expect) {
            (Some(kept), Some(expected)) if kept.version != expected => Removed::Conflict,
            _ => {
                self.records.remove(key);
                Removed::Gone
            }
        }
    }
}

#[async_trait]
impl Sweep for Reference {
    async fn sweep(&self, request: SweepRequest) -> Result<Swept, StoreError> {
        yield_now().await;
        let swept = self.open()?.sweep(request);
        yield_now().await;
        Ok(swept)
    }
}

impl Shelf {
    fn sweep(&mut self, request: SweepRequest) -> Swept {
        let behind = self.sweep_from.map_or(Unbounded, Excluded);
        let looked_at: Vec<StoreKey> =
            self.records.range((behind, Unbounded)).map(|(key, _)| *key).take(request.budget).collect();
        let before = self.records.len();
        for key in &looked_at {
            if self
                .records
                .get(key)
                .is_some_and(|kept| !kept.damaged && request.covers(kept.entry.expires_at))
            {
                self.records.remove(key);
            }
        }
        let failed =
            looked_at.iter().filter(|key| self.records.get(key).is_some_and(|kept| kept.damaged)).count();
        let finished = looked_at.len() < request.budget;
        self.sweep_from = if finished { None } else { looked_at.last().copied() };
        Swept::new(looked_at.len(), before - self.records.len(), failed, finished)
    }
}

#[async_trait]
impl PrincipalIndex for Reference {
    async fn keys_of(
        &self,
        principal: &PrincipalKey,
        after: Option<&StoreKey>,
        limit: usize,
    ) -> Result<Vec<StoreKey>, StoreError> {
        yield_now().await;
        let keys = self.open()?.keys_of(principal, after, limit);
        yield_now().await;
        Ok(keys)
    }
}

impl Shelf {
    fn keys_of(&self, principal: &PrincipalKey, after: Option<&StoreKey>, limit: usize) -> Vec<StoreKey> {
        self.records
            .range((after.copied().map_or(Unbounded, Excluded), Unbounded))
            .filter(|(_, kept)| kept.entry.principal.as_ref() == Some(principal))
            .map(|(key, _)| *key)
            .take(limit)
            .collect()
    }
}

#[async_trait]
impl Scan for Reference {
    async fn scan(&self, cursor: Option<&ScanCursor>, limit: usize) -> Result<Scanned, StoreError> {
        yield_now().await;
        let scanned = self.open()?.scan(cursor, limit.max(1));
        yield_now().await;
        Ok(scanned)
    }
}

impl Shelf {
    fn scan(&self, cursor: Option<&ScanCursor>, limit: usize) -> Scanned {
        let after = cursor.and_then(ScanCursor::key);
        let behind = self.records.range((after.map_or(Unbounded, Excluded), Unbounded));
        let page: Vec<(&StoreKey, &Kept)> = behind.take(limit).collect();
        let mut scanned = Scanned::default();
        for (key, kept) in &page {
            if kept.damaged {
                scanned.failed += 1;
            } else {
                scanned.entries.push((**key, kept.entry.clone()));
            }
        }
        scanned.next = page.last().filter(|_| page.len() == limit).map(|(key, _)| ScanCursor::behind(key));
        scanned
    }
}

#[async_trait]
impl Environment for Reference {
    async fn create(&self) -> Result<(), Vec<StoreError>> {
        self.open().map_err(|error| vec![error])?.dropped = false;
        Ok(())
    }

    async fn check(&self) -> Result<(), Vec<StoreError>> {
        match self.open().map_err(|error| vec![error])?.dropped {
            true => Err(vec![StoreError::new(StoreErrorKind::Unavailable, NAME)]),
            false => Ok(()),
        }
    }

    async fn drop(&self) -> Result<(), Vec<StoreError>> {
        let mut shelf = self.open().map_err(|error| vec![error])?;
        shelf.records.clear();
        shelf.dropped = true;
        Ok(())
    }
}

impl fmt::Debug for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reference").field("records", &self.shelf().records.len()).finish_non_exhaustive()
    }
}

const NAME: &str = "reference";
pub(crate) const BOUND: usize = 64;

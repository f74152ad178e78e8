//! Lies that come out when the store is opened again.

use std::collections::{BTreeMap, BTreeSet};

use session_core::{PrincipalKey, SweepRequest, Swept};

use super::{index_changes::only, prelude::*, sweep::put_back};
use crate::store::reference::Kept;

/// A removal is kept in memory only: opened again, the store has the record back.
#[derive(Debug, Default)]
pub(super) struct ForgetsRemovals(Mutex<Removals>);

#[derive(Default)]
struct Removals(BTreeMap<StoreKey, Kept>);

impl std::fmt::Debug for Removals {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Removals")
    }
}

#[async_trait]
impl Lie for ForgetsRemovals {
    async fn remove(&self, honest: &Honest, key: &StoreKey, expect: Option<Version>) -> Answer<Removed> {
        let kept = honest.shelf().records.get(key).cloned();
        let removed = honest.remove(key, expect).await?;
        if let (Removed::Gone, Some(kept)) = (removed, kept) {
            locked(&self.0).0.insert(*key, kept);
        }
        Ok(removed)
    }

    fn reopened(&self, honest: &Honest) -> Self {
        let mut shelf = honest.shelf();
        for (key, kept) in std::mem::take(&mut locked(&self.0).0) {
            shelf.records.entry(key).or_insert(kept);
        }
        Self::default()
    }
}

/// The latest write of a record is kept in memory only.
#[derive(Debug, Default)]
pub(super) struct ForgetsTheLastWrite(Mutex<Option<StoreKey>>);

#[async_trait]
impl Lie for ForgetsTheLastWrite {
    async fn write(&self, honest: &Honest, key: &StoreKey, entry: Entry, expect: Expect) -> Answer<Written> {
        let written = honest.write(key, entry, expect).await?;
        if let Written::Stored(_) = written {
            *locked(&self.0) = Some(*key);
        }
        Ok(written)
    }

    fn reopened(&self, honest: &Honest) -> Self {
        locked(&self.0).take().map(|key| honest.shelf().records.remove(&key));
        Self::default()
    }
}

/// Versions are counted in memory, from one again after opening.
#[derive(Debug, Default)]
pub(super) struct CountsInMemory;

#[async_trait]
impl Lie for CountsInMemory {
    fn reopened(&self, honest: &Honest) -> Self {
        let mut shelf = honest.shelf();
        // Not below what is there: only a removed record can get a version twice.
        shelf.last_version =
            shelf.records.values().map(|kept| kept.version.number()).max().unwrap_or_default();
        Self
    }
}

/// Opening numbers all records anew.
#[derive(Debug, Default)]
pub(super) struct NumbersAnew;

#[async_trait]
impl Lie for NumbersAnew {
    fn reopened(&self, honest: &Honest) -> Self {
        let mut shelf = honest.shelf();
        let all: Vec<(StoreKey, Entry)> =
            shelf.records.iter().map(|(key, kept)| (*key, kept.entry.clone())).collect();
        for (key, entry) in all {
            shelf.put(&key, entry);
        }
        Self
    }
}

/// A stale version is current again once the store was opened: versions are not kept at all.
#[derive(Debug, Default)]
pub(super) struct TrustsAnyVersionAfterOpening(Mutex<BTreeSet<StoreKey>>);

#[async_trait]
impl Lie for TrustsAnyVersionAfterOpening {
    async fn write(&self, honest: &Honest, key: &StoreKey, entry: Entry, expect: Expect) -> Answer<Written> {
        let from_before = locked(&self.0).remove(key);
        let current = honest.shelf().records.get(key).map(|kept| kept.version);
        match (expect, current) {
            (Expect::Version(_), Some(current)) if from_before => {
                honest.write(key, entry, Expect::Version(current)).await
            }
            _ => honest.write(key, entry, expect).await,
        }
    }

    fn reopened(&self, honest: &Honest) -> Self {
        Self(Mutex::new(honest.shelf().records.keys().copied().collect()))
    }
}

/// The index is kept in memory only.
#[derive(Debug, Default)]
pub(super) struct ForgetsTheIndex(Mutex<BTreeSet<StoreKey>>);

#[async_trait]
impl Lie for ForgetsTheIndex {
    async fn keys_of(
        &self,
        honest: &Honest,
        principal: &PrincipalKey,
        after: Option<&StoreKey>,
        limit: usize,
    ) -> Answer<Vec<StoreKey>> {
        only(honest, principal, after, limit, |key| !locked(&self.0).contains(key)).await
    }

    fn reopened(&self, honest: &Honest) -> Self {
        Self(Mutex::new(honest.shelf().records.keys().copied().collect()))
    }
}

/// A sweep knows only the records written since the store was opened.
#[derive(Debug, Default)]
pub(super) struct SweepsTheNewOnly(Mutex<BTreeSet<StoreKey>>);

#[async_trait]
impl Lie for SweepsTheNewOnly {
    async fn sweep(&self, honest: &Honest, request: SweepRequest) -> Answer<Swept> {
        let old = locked(&self.0).clone();
        let before = honest.open()?.records.clone();
        let swept = honest.sweep(request).await?;
        put_back(honest, before.into_iter().filter(|(key, _)| old.contains(key)));
        Ok(swept)
    }

    fn reopened(&self, honest: &Honest) -> Self {
        Self(Mutex::new(honest.shelf().records.keys().copied().collect()))
    }
}

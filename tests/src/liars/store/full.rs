//! Lies about being full.

use session_core::{PrincipalKey, SweepRequest, Swept};

use super::prelude::*;

/// A full store forgets its oldest record for each new one.
#[derive(Debug, Default)]
pub(super) struct ForgetsTheOldest;

#[async_trait]
impl Lie for ForgetsTheOldest {
    async fn write(&self, honest: &Honest, key: &StoreKey, entry: Entry, expect: Expect) -> Answer<Written> {
        let written = honest.write(key, entry, expect).await;
        if is_full(&written) {
            let mut shelf = honest.shelf();
            let oldest =
                shelf.records.iter().min_by_key(|(_, kept)| kept.version.number()).map(|(key, _)| *key);
            oldest.map(|oldest| shelf.records.remove(&oldest));
        }
        written
    }
}

/// A full store calls itself unavailable.
#[derive(Debug, Default)]
pub(super) struct CallsItselfUnavailable;

#[async_trait]
impl Lie for CallsItselfUnavailable {
    async fn write(&self, honest: &Honest, key: &StoreKey, entry: Entry, expect: Expect) -> Answer<Written> {
        let written = honest.write(key, entry, expect).await;
        if is_full(&written) { Err(trouble(StoreErrorKind::Unavailable)) } else { written }
    }
}

/// A store takes more than it says.
#[derive(Debug, Default)]
pub(super) struct TakesMore;

#[async_trait]
impl Lie for TakesMore {
    async fn write(&self, honest: &Honest, key: &StoreKey, entry: Entry, expect: Expect) -> Answer<Written> {
        honest.shelf().most_records = None;
        honest.write(key, entry, expect).await
    }
}

/// A full store refuses removals.
#[derive(Debug, Default)]
pub(super) struct RefusesRemovalsWhenFull;

#[async_trait]
impl Lie for RefusesRemovalsWhenFull {
    async fn remove(&self, honest: &Honest, key: &StoreKey, expect: Option<Version>) -> Answer<Removed> {
        let full = {
            let shelf = honest.shelf();
            shelf.records.contains_key(key) && shelf.most_records == Some(shelf.records.len())
        };
        if full { Err(trouble(StoreErrorKind::Full)) } else { honest.remove(key, expect).await }
    }
}

/// A store that was full once stays full.
#[derive(Debug, Default)]
pub(super) struct StaysFull;

#[async_trait]
impl Lie for StaysFull {
    async fn remove(&self, honest: &Honest, key: &StoreKey, expect: Option<Version>) -> Answer<Removed> {
        let removed = honest.remove(key, expect).await;
        let mut shelf = honest.shelf();
        shelf.most_records = shelf.most_records.map(|most| most.min(shelf.records.len()));
        removed
    }
}

/// What expired stays in the way, although it is swept.
#[derive(Debug, Default)]
pub(super) struct StaysFullAfterSweeps;

#[async_trait]
impl Lie for StaysFullAfterSweeps {
    async fn sweep(&self, honest: &Honest, request: SweepRequest) -> Answer<Swept> {
        let swept = honest.sweep(request).await;
        let mut shelf = honest.shelf();
        shelf.most_records = shelf.most_records.map(|most| most.min(shelf.records.len()));
        swept
    }
}

/// A record that is refused for lack of room leaves its key behind.
#[derive(Debug, Default)]
pub(super) struct LeavesTheRefused;

#[async_trait]
impl Lie for LeavesTheRefused {
    async fn write(&self, honest: &Honest, key: &StoreKey, entry: Entry, expect: Expect) -> Answer<Written> {
        let expires_at = entry.expires_at;
        let written = honest.write(key, entry, expect).await;
        if is_full(&written) {
            let mut shelf = honest.shelf();
            shelf.put(key, Entry::new("", expires_at));
            shelf.most_records = Some(shelf.records.len());
        }
        written
    }
}

/// A full store that refuses a longer record has already removed the old one.
#[derive(Debug, Default)]
pub(super) struct RemovesBeforeItRefuses;

#[async_trait]
impl Lie for RemovesBeforeItRefuses {
    async fn write(&self, honest: &Honest, key: &StoreKey, entry: Entry, expect: Expect) -> Answer<Written> {
        let longer = {
            let shelf = honest.shelf();
            let old = shelf.records.get(key).filter(|kept| expect == Expect::Version(kept.version));
            shelf.most_records.is_some() && old.is_some_and(|kept| kept.entry.bytes.len() < entry.bytes.len())
        };
        if longer {
            honest.shelf().records.remove(key);
            return Err(trouble(StoreErrorKind::Full));
        }
        honest.write(key, entry, expect).await
    }
}

/// A full store does not answer conflicts: every write is refused.
#[derive(Debug, Default)]
pub(super) struct RefusesEveryWriteWhenFull;

#[async_trait]
impl Lie for RefusesEveryWriteWhenFull {
    async fn write(&self, honest: &Honest, key: &StoreKey, entry: Entry, expect: Expect) -> Answer<Written> {
        let full = {
            let shelf = honest.shelf();
            shelf.most_records == Some(shelf.records.len())
        };
        if full { Err(trouble(StoreErrorKind::Full)) } else { honest.write(key, entry, expect).await }
    }
}

/// A full store lists nothing any more.
#[derive(Debug, Default)]
pub(super) struct ListsNothingWhenFull;

#[async_trait]
impl Lie for ListsNothingWhenFull {
    async fn keys_of(
        &self,
        honest: &Honest,
        principal: &PrincipalKey,
        after: Option<&StoreKey>,
        limit: usize,
    ) -> Answer<Vec<StoreKey>> {
        let full = honest.shelf().most_records.is_some();
        super::index_changes::only(honest, principal, after, limit, |_| !full).await
    }
}

fn is_full(written: &Answer<Written>) -> bool {
    written.as_ref().is_err_and(|error| error.kind() == StoreErrorKind::Full)
}

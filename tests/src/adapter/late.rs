//! A store that expires records by a clock of its own, behind a clock that the case moves.

use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use async_trait::async_trait;
use session_core::{
    Clock, Entry, Expect, PrincipalIndex, PrincipalKey, Removed, Store, StoreError, StoreErrorKind, StoreKey,
    Stored, Sweep, SweepRequest, Swept, SystemClock, Version, Written,
};

/// Every instant that the store is told is later by one and the same time, and every instant that it tells is earlier by
/// that. So it keeps each record for as long as the case says, and a day: nothing is gone in the middle of a case, however
/// slow the machine. What is over by the clock of the case is the core's to notice.
#[derive(Debug)]
pub(super) struct Late {
    store: Arc<dyn Store>,
    by: Duration,
}

impl Late {
    /// The store, for a case whose clock shows `now`.
    pub(super) fn new(store: Arc<dyn Store>, now: SystemTime) -> Self {
        let behind = SystemClock.now().duration_since(now).unwrap_or_default();
        // Stores keep whole milliseconds.
        Self { store, by: Duration::from_secs(behind.as_secs()) + SPARE }
    }

    /// The instant by the store's clock. The latest of all stays that.
    fn told(&self, instant: SystemTime) -> SystemTime {
        instant.checked_add(self.by).map_or(latest(), |later| later.min(latest()))
    }

    /// The instant by the clock of the case.
    fn tells(&self, instant: SystemTime) -> SystemTime {
        let earlier = instant.checked_sub(self.by).unwrap_or(UNIX_EPOCH);
        if instant >= latest() { latest() } else { earlier }
    }
}

#[async_trait]
impl Store for Late {
    async fn load(&self, key: &StoreKey) -> Result<Option<Stored>, StoreError> {
        let stored = self.store.load(key).await?;
        Ok(stored.map(|stored| Stored::new(stored.bytes, self.tells(stored.expires_at), stored.version)))
    }

    async fn write(&self, key: &StoreKey, mut entry: Entry, expect: Expect) -> Result<Written, StoreError> {
        entry.expires_at = self.told(entry.expires_at);
        self.store.write(key, entry, expect).await
    }

    async fn remove(&self, key: &StoreKey, expect: Option<Version>) -> Result<Removed, StoreError> {
        self.store.remove(key, expect).await
    }

    fn as_sweep(&self) -> Option<&dyn Sweep> {
        self.store.as_sweep().map(|_| self as &dyn Sweep)
    }

    fn as_principal_index(&self) -> Option<&dyn PrincipalIndex> {
        self.store.as_principal_index().map(|_| self as &dyn PrincipalIndex)
    }
}

#[async_trait]
impl Sweep for Late {
    async fn sweep(&self, mut request: SweepRequest) -> Result<Swept, StoreError> {
        let Some(sweep) = self.store.as_sweep() else { return Err(lost_ability()) };
        request.expired_from = request.expired_from.map(|from| self.told(from));
        request.expired_before = self.told(request.expired_before);
        sweep.sweep(request).await
    }
}

#[async_trait]
impl PrincipalIndex for Late {
    async fn keys_of(
        &self,
        principal: &PrincipalKey,
        after: Option<&StoreKey>,
        limit: usize,
    ) -> Result<Vec<StoreKey>, StoreError> {
        let Some(index) = self.store.as_principal_index() else { return Err(lost_ability()) };
        index.keys_of(principal, after, limit).await
    }
}

fn lost_ability() -> StoreError {
    StoreError::new(StoreErrorKind::Unavailable, "late")
}

/// 9999-12-31T23:59:59Z, the latest instant that a store is ever told.
fn latest() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(253_402_300_799)
}

const SPARE: Duration = Duration::from_secs(86_400);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Reference;

    #[test]
    fn an_instant_comes_back_as_it_was_told() {
        let now = UNIX_EPOCH + Duration::from_secs(1_000_000_000);
        let late = Late::new(Arc::new(Reference::new()), now);
        for ahead in [0, 1, 1_800_000, 40 * 3_600_000] {
            let instant = now + Duration::from_millis(ahead);
            assert!(late.told(instant) > SystemClock.now() + Duration::from_secs(86_000));
            assert_eq!(late.tells(late.told(instant)), instant);
        }
        assert_eq!(late.told(latest()), latest());
        assert_eq!(late.tells(latest()), latest());
    }
}

//! Lies about outages.

use session_core::{PrincipalKey, SweepRequest, Swept};

use super::prelude::*;

/// During an outage nothing is there.
#[derive(Debug, Default)]
pub(super) struct FindsNothingInAnOutage;

#[async_trait]
impl Lie for FindsNothingInAnOutage {
    async fn load(&self, honest: &Honest, key: &StoreKey) -> Answer<Option<Stored>> {
        honest.load(key).await.or_else(|error| unless_down(error, None))
    }
}

/// During an outage loads say that the record is damaged.
#[derive(Debug, Default)]
pub(super) struct SeesDamageInAnOutage;

#[async_trait]
impl Lie for SeesDamageInAnOutage {
    async fn load(&self, honest: &Honest, key: &StoreKey) -> Answer<Option<Stored>> {
        honest.load(key).await.map_err(|_| trouble(StoreErrorKind::Corrupt))
    }
}

/// During an outage loads wait for ever.
#[derive(Debug, Default)]
pub(super) struct HangsInAnOutage;

#[async_trait]
impl Lie for HangsInAnOutage {
    const HANGS: bool = true;

    async fn load(&self, honest: &Honest, key: &StoreKey) -> Answer<Option<Stored>> {
        if honest.shelf().medium_is_down {
            std::future::pending::<()>().await;
        }
        honest.load(key).await
    }
}

/// During an outage writes conflict.
#[derive(Debug, Default)]
pub(super) struct ConflictsInAnOutage;

#[async_trait]
impl Lie for ConflictsInAnOutage {
    async fn write(&self, honest: &Honest, key: &StoreKey, entry: Entry, expect: Expect) -> Answer<Written> {
        honest.write(key, entry, expect).await.or_else(|error| unless_down(error, Written::Conflict))
    }
}

/// During an outage writes are acknowledged and forgotten.
#[derive(Debug, Default)]
pub(super) struct SwallowsWritesInAnOutage;

#[async_trait]
impl Lie for SwallowsWritesInAnOutage {
    async fn write(&self, honest: &Honest, key: &StoreKey, entry: Entry, expect: Expect) -> Answer<Written> {
        let swallowed = Written::Stored(Version::new(u64::MAX));
        honest.write(key, entry, expect).await.or_else(|error| unless_down(error, swallowed))
    }
}

/// During an outage writes are refused, but carried out.
#[derive(Debug, Default)]
pub(super) struct CarriesOutWhatItRefuses;

#[async_trait]
impl Lie for CarriesOutWhatItRefuses {
    async fn write(&self, honest: &Honest, key: &StoreKey, entry: Entry, expect: Expect) -> Answer<Written> {
        let written = honest.write(key, entry.clone(), expect).await;
        if written.as_ref().is_err_and(|error| error.kind() == StoreErrorKind::Unavailable) {
            honest.shelf().put(key, entry);
        }
        written
    }
}

/// During an outage removals are acknowledged and forgotten.
#[derive(Debug, Default)]
pub(super) struct SwallowsRemovalsInAnOutage;

#[async_trait]
impl Lie for SwallowsRemovalsInAnOutage {
    async fn remove(&self, honest: &Honest, key: &StoreKey, expect: Option<Version>) -> Answer<Removed> {
        honest.remove(key, expect).await.or_else(|error| unless_down(error, Removed::Gone))
    }
}

/// An outage loses what was there, as a server that comes back empty.
#[derive(Debug, Default)]
pub(super) struct ComesBackEmpty;

#[async_trait]
impl Lie for ComesBackEmpty {
    async fn load(&self, honest: &Honest, key: &StoreKey) -> Answer<Option<Stored>> {
        if honest.shelf().medium_is_down {
            honest.shelf().records.clear();
        }
        honest.load(key).await
    }
}

/// A store that has met an outage stays out of order.
#[derive(Debug, Default)]
pub(super) struct StaysDown(Mutex<bool>);

#[async_trait]
impl Lie for StaysDown {
    async fn load(&self, honest: &Honest, key: &StoreKey) -> Answer<Option<Stored>> {
        let down = {
            let mut down = locked(&self.0);
            *down |= honest.shelf().medium_is_down;
            *down
        };
        if down { Err(trouble(StoreErrorKind::Unavailable)) } else { honest.load(key).await }
    }
}

/// During an outage a list is empty.
#[derive(Debug, Default)]
pub(super) struct ListsNothingInAnOutage;

#[async_trait]
impl Lie for ListsNothingInAnOutage {
    async fn keys_of(
        &self,
        honest: &Honest,
        principal: &PrincipalKey,
        after: Option<&StoreKey>,
        limit: usize,
    ) -> Answer<Vec<StoreKey>> {
        honest.keys_of(principal, after, limit).await.or_else(|error| unless_down(error, Vec::new()))
    }
}

/// During an outage a sweep has finished at once.
#[derive(Debug, Default)]
pub(super) struct FinishesInAnOutage;

#[async_trait]
impl Lie for FinishesInAnOutage {
    async fn sweep(&self, honest: &Honest, request: SweepRequest) -> Answer<Swept> {
        honest.sweep(request).await.or_else(|error| unless_down(error, Swept::new(0, 0, 0, true)))
    }
}

/// The check looks at the environment only, not at whether the medium answers.
#[derive(Debug, Default)]
pub(super) struct ChecksWithoutTheMedium;

#[async_trait]
impl Lie for ChecksWithoutTheMedium {
    async fn check(&self, honest: &Honest) -> Result<(), Vec<StoreError>> {
        match honest.shelf().dropped {
            true => Err(vec![trouble(StoreErrorKind::Unavailable)]),
            false => Ok(()),
        }
    }
}

fn unless_down<T>(error: StoreError, lie: T) -> Answer<T> {
    match error.kind() {
        StoreErrorKind::Unavailable => Ok(lie),
        _ => Err(error),
    }
}

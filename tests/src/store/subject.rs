//! What a case is given: the store under test, the clock, and whatever its author declared.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use session_core::{Clock, Entry, ManualClock, StoreKey, SystemClock};

use super::{
    fresh::{Factory, Facts, Foreign, Hook, Medium},
    handle::Handle,
    runner::{Limits, START},
};
use crate::{Failure, Result, failure::ensure};

/// The store under test. One case gets one subject, and may do with it what it likes.
#[derive(Debug)]
pub struct Subject {
    pub(super) store: Handle,
    clock: Arc<ManualClock>,
    facts: Facts,
    factory: Factory,
    limits: Limits,
}

impl Subject {
    pub(super) fn new(
        store: Handle,
        clock: Arc<ManualClock>,
        facts: Facts,
        factory: Factory,
        limits: Limits,
    ) -> Self {
        Self { store, clock, facts, factory, limits }
    }

    /// What the store's clock shows.
    pub(super) fn now(&self) -> SystemTime {
        whole_millis(if self.facts.own_clock { SystemClock.now() } else { self.clock.now() })
    }

    /// The instant `seconds` from now.
    pub(super) fn within(&self, seconds: u64) -> SystemTime {
        self.now() + Duration::from_secs(seconds)
    }

    pub(super) fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// The instant so many moments from now. A moment is so short that a case can wait for its end, if it has to.
    pub(super) fn in_moments(&self, moments: u32) -> SystemTime {
        let moment = if self.facts.own_clock { MOMENT } else { Duration::from_secs(60) };
        self.now() + moment * moments
    }

    /// Lets `instant` go by: moves the clock, or waits where the store has its own.
    pub(super) async fn outlast(&self, instant: SystemTime) {
        while let Ok(left) = instant.duration_since(self.now()) {
            if self.facts.own_clock {
                tokio::time::sleep(left + MOMENT / 10).await;
            } else {
                self.clock.advance(left + Duration::from_secs(1));
            }
        }
    }

    pub(super) fn clock(&self) -> &ManualClock {
        &self.clock
    }

    /// An entry of these bytes that lives for half an hour.
    pub(super) fn entry(&self, bytes: impl Into<Vec<u8>>) -> Entry {
        Entry::new(bytes.into(), self.within(1_800))
    }

    /// How often a case of `rounds` rounds is to go round: the number times the scale that the environment sets.
    pub(super) fn rounds(&self, rounds: u64) -> u64 {
        rounds.saturating_mul(self.limits.scale)
    }

    pub(super) fn largest_record(&self) -> usize {
        self.facts.largest_record
    }

    /// The same subject after its store was closed and opened again.
    pub(super) async fn reopened(self) -> Result<Self> {
        let Self { store, clock, facts, factory, limits } = self;
        let open = facts.reopen.clone().ok_or_else(|| undeclared("reopen_with"))?;
        store.close()?;
        let store = Handle::new(open.call(()).await, limits.call);
        Ok(Self { store, clock, facts, factory, limits })
    }

    /// One more store on the same records.
    pub(super) async fn peer(&self) -> Result<Handle> {
        let open = self.facts.peer.as_ref().ok_or_else(|| undeclared("peer_with"))?;
        Ok(Handle::new(open.call(()).await, self.limits.call))
    }

    /// A store of its own that becomes full, and how many records it takes at most.
    pub(super) async fn bounded(&self) -> Result<(Handle, usize)> {
        let bounded = self.facts.bounded.as_ref().ok_or_else(|| undeclared("bounded_with"))?;
        Ok((Handle::new(bounded.open.call(()).await, self.limits.call), bounded.most_records))
    }

    /// A subject from another call of the author's factory.
    pub(super) async fn stranger(&self) -> (Self, impl Send + use<>) {
        let clock = Arc::new(ManualClock::at_unix(START));
        let fresh = self.factory.fresh(Arc::clone(&clock)).await;
        let handle = Handle::new(fresh.store, self.limits.call);
        (Self::new(handle, clock, fresh.facts, self.factory.clone(), self.limits), fresh.guards)
    }

    pub(super) async fn turn(&self, medium: Medium) -> Result {
        self.facts.outage.as_ref().ok_or_else(|| undeclared("outage_with"))?.call(medium).await;
        Ok(())
    }

    /// Puts something foreign beside the records.
    pub(super) async fn plant(&self) -> Result {
        let planted = self.foreign()?.call(Foreign::Plant).await;
        ensure!(planted, "nothing foreign could be put beside the records");
        Ok(())
    }

    /// What was planted must be there as it was.
    pub(super) async fn is_intact(&self) -> Result {
        let intact = self.foreign()?.call(Foreign::IsIntact).await;
        ensure!(intact, "something that is not the store's own is gone or changed");
        Ok(())
    }

    fn foreign(&self) -> Result<&Hook<Foreign, bool>> {
        self.facts.foreign.as_ref().ok_or_else(|| undeclared("foreign_with"))
    }

    pub(super) async fn damage(&self, key: StoreKey) -> Result {
        self.facts.damage.as_ref().ok_or_else(|| undeclared("damage_with"))?.call(key).await;
        Ok(())
    }
}

const MOMENT: Duration = Duration::from_millis(20);

/// Entries carry whole milliseconds; the system's clock does not.
fn whole_millis(instant: SystemTime) -> SystemTime {
    let since = instant.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    SystemTime::UNIX_EPOCH + Duration::new(since.as_secs(), since.subsec_millis() * 1_000_000)
}

fn undeclared(hook: &str) -> Failure {
    Failure::new(format!("the case does not say that it needs `Fresh::{hook}`"))
}

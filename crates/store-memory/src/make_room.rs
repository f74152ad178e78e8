//! What goes first when the store is full.

use crate::{
    engine::Engine,
    ledger::{Held, Room},
    record::Record,
    shard::Shard,
};

/// The record that a write is about to replace, which must not be evicted for its own sake.
#[derive(Clone, Copy)]
pub(crate) struct Spare {
    version: Option<u64>,
    evictable: u64,
}

impl Spare {
    pub(crate) const fn nothing() -> Self {
        Self { version: None, evictable: 0 }
    }

    pub(crate) const fn record(version: u64, evictable: u64) -> Self {
        Self { version: Some(version), evictable }
    }
}

impl Engine {
    /// Sets `need` aside: deletes expired records first, then anonymous ones, the longest unwritten first. `None` if
    /// that does not suffice, and then no anonymous record was deleted in vain.
    ///
    /// The caller holds no lock. What is freed belongs to this call until it has enough, so that writers who compete
    /// for room do not delete again and again for each other.
    pub(crate) fn make_room(&self, need: Room, spare: Spare, now: u64) -> Option<Held<'_>> {
        let mut held = self.ledger.hold_nothing();
        let mut evicting = false;
        while !held.top_up(need) {
            let freed = self.remove_expired(spare, now).or_else(|| {
                evicting = evicting || self.eviction_suffices(held.missing(need), spare);
                if evicting { self.evict(spare) } else { None }
            });
            match freed {
                Some(record) => held.add(record.room()),
                // What was to be freed may just have been, by somebody else.
                None => return held.top_up(need).then_some(held),
            }
        }
        Some(held)
    }

    fn remove_expired(&self, spare: Spare, now: u64) -> Option<Record> {
        let mut behind = self.shards.iter().filter(|shard| shard.first_deadline() < now);
        behind.find_map(|shard| shard.write().remove_expired(spare.version, now))
    }

    fn eviction_suffices(&self, missing: Room, spare: Spare) -> bool {
        let free = self.ledger.most().beyond(self.ledger.taken());
        let evictable: u64 = self.shards.iter().map(Shard::evictable).sum();
        missing.beyond(free).bytes <= evictable.saturating_sub(spare.evictable)
    }

    fn evict(&self, spare: Spare) -> Option<Record> {
        loop {
            let victims = self.shards.iter().filter_map(|shard| Some((next_victim(shard, spare)?, shard)));
            let (_, shard) = victims.min_by_key(|(version, _)| *version)?;
            let evicted = shard.write().evict(spare.version);
            if evicted.is_some() {
                return evicted;
            }
        }
    }
}

/// The version of the anonymous record of `shard` that was not written for the longest time.
fn next_victim(shard: &Shard, spare: Spare) -> Option<u64> {
    match shard.next_victim() {
        u64::MAX => None,
        hint if Some(hint) == spare.version => shard.read().next_victim(spare.version),
        hint => Some(hint),
    }
}

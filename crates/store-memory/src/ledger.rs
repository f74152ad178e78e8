//! The bounds of the whole store: what is taken, what is free, and the versions given out.

use crate::{
    record::OVERHEAD,
    sync::{AtomicU64, Ordering},
};

/// An amount of room: records, and the bytes they take with everything around them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Room {
    pub(crate) records: u64,
    pub(crate) bytes: u64,
}

impl Room {
    pub(crate) const fn of_record(length: usize) -> Self {
        Self { records: 1, bytes: (length + OVERHEAD) as u64 }
    }

    pub(crate) const fn plus(self, other: Self) -> Self {
        Self { records: self.records + other.records, bytes: self.bytes + other.bytes }
    }

    /// What of `self` is not in `other`.
    pub(crate) const fn beyond(self, other: Self) -> Self {
        Self {
            records: self.records.saturating_sub(other.records),
            bytes: self.bytes.saturating_sub(other.bytes),
        }
    }
}

/// Counts what all shards hold together. The counters share a cache line: a write changes them all.
#[repr(align(128))]
pub(crate) struct Ledger {
    records: AtomicU64,
    bytes: AtomicU64,
    versions: AtomicU64,
    most: Room,
}

impl Ledger {
    pub(crate) const fn new(most: Room) -> Self {
        Self { records: AtomicU64::new(0), bytes: AtomicU64::new(0), versions: AtomicU64::new(0), most }
    }

    /// A number that was never given out before. Within a shard, whose lock the caller holds, later ones are higher.
    pub(crate) fn next_version(&self) -> u64 {
        self.versions.fetch_add(1, Ordering::Relaxed).wrapping_add(1)
    }

    pub(crate) const fn most(&self) -> Room {
        self.most
    }

    pub(crate) fn taken(&self) -> Room {
        Room { records: self.records.load(Ordering::Relaxed), bytes: self.bytes.load(Ordering::Relaxed) }
    }

    /// Sets `room` aside if that much is free.
    pub(crate) fn take(&self, room: Room) -> Option<Held<'_>> {
        self.try_take(room).then(|| Held { ledger: self, room })
    }

    /// Nothing yet, to be filled by [`Held::add`] and [`Held::top_up`].
    pub(crate) const fn hold_nothing(&self) -> Held<'_> {
        Held { ledger: self, room: Room { records: 0, bytes: 0 } }
    }

    pub(crate) fn give_back(&self, room: Room) {
        if room.records > 0 {
            self.records.fetch_sub(room.records, Ordering::Relaxed);
        }
        if room.bytes > 0 {
            self.bytes.fetch_sub(room.bytes, Ordering::Relaxed);
        }
    }

    fn try_take(&self, room: Room) -> bool {
        if !raise(&self.records, room.records, self.most.records) {
            return false;
        }
        let taken = raise(&self.bytes, room.bytes, self.most.bytes);
        if !taken {
            self.give_back(Room { records: room.records, bytes: 0 });
        }
        taken
    }
}

/// Room set aside for a write. Dropped, it is free again.
#[must_use]
pub(crate) struct Held<'a> {
    ledger: &'a Ledger,
    room: Room,
}

impl Held<'_> {
    /// Adds what a record that was just deleted took, without freeing it for others.
    pub(crate) const fn add(&mut self, freed: Room) {
        self.room = self.room.plus(freed);
    }

    /// Tries to hold exactly `need`, taking what is missing and giving back what is too much.
    pub(crate) fn top_up(&mut self, need: Room) -> bool {
        let missing = self.missing(need);
        if !self.ledger.try_take(missing) {
            return false;
        }
        self.room = self.room.plus(missing);
        self.ledger.give_back(self.room.beyond(need));
        self.room = need;
        true
    }

    pub(crate) const fn missing(&self, need: Room) -> Room {
        need.beyond(self.room)
    }

    /// A record takes the room now.
    pub(crate) fn spend(mut self) {
        self.room = Room::default();
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.ledger.give_back(self.room);
    }
}

fn raise(counter: &AtomicU64, by: u64, most: u64) -> bool {
    let raised = |now: u64| now.checked_add(by).filter(|sum| *sum <= most);
    by == 0 || counter.fetch_update(Ordering::Relaxed, Ordering::Relaxed, raised).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: Room = Room { records: 2, bytes: 100 };

    #[test]
    fn takes_up_to_the_bounds_and_not_beyond() {
        let ledger = Ledger::new(MOST);
        ledger.take(Room { records: 1, bytes: 60 }).unwrap().spend();
        assert!(ledger.take(Room { records: 1, bytes: 41 }).is_none());
        assert_eq!(ledger.taken(), Room { records: 1, bytes: 60 });
        ledger.take(Room { records: 1, bytes: 40 }).unwrap().spend();
        assert!(ledger.take(Room { records: 1, bytes: 0 }).is_none());
        assert_eq!(ledger.taken(), MOST);
    }

    #[test]
    fn what_is_not_spent_is_free_again() {
        let ledger = Ledger::new(MOST);
        drop(ledger.take(MOST));
        assert_eq!(ledger.taken(), Room::default());
    }

    #[test]
    fn freed_room_goes_to_who_freed_it() {
        let ledger = Ledger::new(MOST);
        ledger.take(MOST).unwrap().spend();
        let mut held = ledger.hold_nothing();
        let need = Room { records: 1, bytes: 30 };
        assert!(!held.top_up(need));
        held.add(Room { records: 1, bytes: 70 });
        assert!(ledger.take(need).is_none());
        assert!(held.top_up(need));
        held.spend();
        assert_eq!(ledger.taken(), Room { records: 2, bytes: 60 });
    }

    #[test]
    fn versions_differ() {
        let ledger = Ledger::new(MOST);
        assert_ne!(ledger.next_version(), ledger.next_version());
    }
}

//! One shard: its records behind a lock, and what other threads may know of it without the lock.

use std::ops::{Deref, DerefMut};

use crate::{
    hash::KeyHash,
    records::Records,
    sync::{self, AtomicU64, Ordering, RwLock},
};

/// On cache lines of its own, so that threads in different shards do not disturb each other.
#[repr(align(128))]
pub(crate) struct Shard {
    records: RwLock<Records>,
    hints: Hints,
}

impl Shard {
    pub(crate) const fn new(hash: KeyHash) -> Self {
        Self { records: RwLock::new(Records::new(hash)), hints: Hints::new() }
    }

    pub(crate) fn read(&self) -> impl Deref<Target = Records> {
        sync::read(&self.records)
    }

    pub(crate) fn write(&self) -> Exclusive<'_> {
        Exclusive { records: sync::write(&self.records), hints: &self.hints }
    }

    /// When the first record expires; `u64::MAX` if there is none.
    pub(crate) fn first_deadline(&self) -> u64 {
        self.hints.first_deadline.load(Ordering::Acquire)
    }

    /// The version of the record to be evicted first; `u64::MAX` if there is none.
    pub(crate) fn next_victim(&self) -> u64 {
        self.hints.next_victim.load(Ordering::Acquire)
    }

    /// The bytes that evicting every anonymous record would free.
    pub(crate) fn evictable(&self) -> u64 {
        self.hints.evictable.load(Ordering::Acquire)
    }
}

/// As the last writer of the shard left it. Whoever acts on a hint takes the lock and looks again; who sees the hint of
/// a record gone also sees the room that it left (release, acquire).
struct Hints {
    first_deadline: AtomicU64,
    next_victim: AtomicU64,
    evictable: AtomicU64,
}

impl Hints {
    const fn new() -> Self {
        Self {
            first_deadline: AtomicU64::new(u64::MAX),
            next_victim: AtomicU64::new(u64::MAX),
            evictable: AtomicU64::new(0),
        }
    }

    fn publish(&self, records: &Records) {
        self.first_deadline.store(records.first_deadline().unwrap_or(u64::MAX), Ordering::Release);
        self.next_victim.store(records.next_victim(None).unwrap_or(u64::MAX), Ordering::Release);
        self.evictable.store(records.evictable(), Ordering::Release);
    }
}

/// The records of a shard, locked for writing. The hints are renewed before the lock is released.
pub(crate) struct Exclusive<'a> {
    records: sync::RwLockWriteGuard<'a, Records>,
    hints: &'a Hints,
}

impl Deref for Exclusive<'_> {
    type Target = Records;

    fn deref(&self) -> &Records {
        &self.records
    }
}

impl DerefMut for Exclusive<'_> {
    fn deref_mut(&mut self) -> &mut Records {
        &mut self.records
    }
}

impl Drop for Exclusive<'_> {
    fn drop(&mut self) {
        self.hints.publish(&self.records);
    }
}

//! What the store has done since it was opened.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts since the store was opened, in this process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileStats {
    /// Loads answered on the calling thread, from the page cache.
    pub cached_loads: u64,
    /// Loads answered by a thread of the store.
    pub waiting_loads: u64,
    /// Damaged records moved into the quarantine.
    pub quarantined: u64,
    /// Records that a sweep opened, because their time to expire had come according to the folder.
    pub swept_opened: u64,
    /// Files that a process that was killed left behind, deleted by a sweep.
    pub orphans_removed: u64,
    /// Names in the store's folders that are not the store's, as often as a sweep came across them. They are left alone.
    pub foreign_seen: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) cached_loads: Counter,
    pub(crate) waiting_loads: Counter,
    pub(crate) quarantined: Counter,
    pub(crate) swept_opened: Counter,
    pub(crate) orphans_removed: Counter,
    pub(crate) foreign_seen: Counter,
}

impl Counters {
    pub(crate) fn stats(&self) -> FileStats {
        FileStats {
            cached_loads: self.cached_loads.value(),
            waiting_loads: self.waiting_loads.value(),
            quarantined: self.quarantined.value(),
            swept_opened: self.swept_opened.value(),
            orphans_removed: self.orphans_removed.value(),
            foreign_seen: self.foreign_seen.value(),
        }
    }
}

#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

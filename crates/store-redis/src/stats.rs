//! What the store has done since it was built.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts since the store was built, in this process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RedisStats {
    /// Connections that were made.
    pub connections: u64,
    /// Requests that were sent once more because their connection broke.
    pub repeated: u64,
    /// Requests that a server had to be told the script for: after `SCRIPT FLUSH`, or a restart behind a proxy.
    pub scripts_forgotten: u64,
    /// Requests that a Cluster sent to another node.
    pub redirected: u64,
    /// Requests that were refused because too many were waiting.
    pub overloaded: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) connections: Counter,
    pub(crate) repeated: Counter,
    pub(crate) scripts_forgotten: Counter,
    pub(crate) redirected: Counter,
    pub(crate) overloaded: Counter,
}

impl Counters {
    pub(crate) fn stats(&self) -> RedisStats {
        RedisStats {
            connections: self.connections.value(),
            repeated: self.repeated.value(),
            scripts_forgotten: self.scripts_forgotten.value(),
            redirected: self.redirected.value(),
            overloaded: self.overloaded.value(),
        }
    }
}

#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

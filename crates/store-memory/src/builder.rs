//! The options of the store.

use session_core::{Clock, SystemClock};

use crate::{
    MemoryStore,
    engine::{Engine, MOST_SHARDS},
    ledger::Room,
    sync::Arc,
};

/// Builds a [`MemoryStore`].
///
/// ```
/// # use session_store_memory::MemoryStore;
/// let store = MemoryStore::builder().max_records(50_000).max_bytes(64 << 20).build();
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct MemoryStoreBuilder {
    max_records: usize,
    max_bytes: usize,
    shards: usize,
    clock: Arc<dyn Clock>,
}

impl MemoryStoreBuilder {
    pub(crate) fn new() -> Self {
        Self { max_records: 1_000_000, max_bytes: 256 << 20, shards: 64, clock: Arc::new(SystemClock) }
    }

    /// The most records the whole store holds. Default: 1,000,000.
    pub const fn max_records(mut self, records: usize) -> Self {
        self.max_records = records;
        self
    }

    /// The most bytes the whole store takes, counted as in [`MemoryStore::bytes`]. Default: 256 MiB.
    pub const fn max_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// How many locks the records are spread over: rounded up to a power of two, 65,536 at most. Default: 64, enough
    /// for dozens of threads. The bounds hold for all shards together, however the records are spread.
    pub const fn shards(mut self, shards: usize) -> Self {
        self.shards = shards;
        self
    }

    /// What tells which records are expired. Default: [`SystemClock`].
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// The store, empty.
    #[must_use]
    pub fn build(self) -> MemoryStore {
        let shards = self.shards.clamp(1, MOST_SHARDS).next_power_of_two();
        let most = Room { records: self.max_records as u64, bytes: self.max_bytes as u64 };
        MemoryStore::from_engine(Engine::new(shards, most, self.clock))
    }
}

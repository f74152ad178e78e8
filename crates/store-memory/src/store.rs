//! The store as its users see it.

use std::fmt;

use async_trait::async_trait;
use session_core::{
    Entry, Expect, PrincipalIndex, PrincipalKey, Removed, Scan, ScanCursor, Scanned, Store, StoreError,
    StoreKey, Stored, Sweep, SweepRequest, Swept, Version, Written,
};

use crate::{MemoryStoreBuilder, engine::Engine, sync::Arc};

/// Keeps session records in the memory of this process, up to a bound.
///
/// A clone is another handle to the same records, for reading [`len`](Self::len) and [`bytes`](Self::bytes) after the
/// store was given away. Everything is lost when the last handle is dropped.
///
/// No operation ever waits: the futures are ready at the first poll, except that of a [`Sweep`], which lets other
/// tasks run between its batches. So a dropped future has either not begun or is done.
///
/// # Decisions the contract leaves to the store
/// - Between its expiry and the moment it is freed a record is still there: [`load`](Store::load) returns it, and a
///   write that expects its version is stored, so a request that was faster than the expiry keeps its changes.
///   A write that expects [`Expect::Absent`] replaces it.
/// - Full means full of records with a principal: see the table in the [crate documentation](crate).
#[derive(Clone)]
pub struct MemoryStore {
    engine: Arc<Engine>,
}

impl MemoryStore {
    /// A store of up to a million records and 256 MiB.
    ///
    /// ```
    /// let store = session_store_memory::MemoryStore::new();
    /// assert!(store.is_empty());
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// A store with other bounds, or another clock.
    pub fn builder() -> MemoryStoreBuilder {
        MemoryStoreBuilder::new()
    }

    /// The number of records, expired ones that were not freed yet included. A record that is being written at this
    /// moment may already count.
    #[must_use]
    pub fn len(&self) -> usize {
        to_usize(self.engine.ledger.taken().records)
    }

    /// Whether there are no records at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes that the records take, each counted as its length and 256 bytes for the key, the indexes and the
    /// allocator. That is a little more than they really take: see the figures in the [crate documentation](crate).
    #[must_use]
    pub fn bytes(&self) -> usize {
        to_usize(self.engine.ledger.taken().bytes)
    }

    pub(crate) fn from_engine(engine: Engine) -> Self {
        Self { engine: Arc::new(engine) }
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let most = self.engine.ledger.most();
        f.debug_struct("MemoryStore")
            .field("len", &self.len())
            .field("max_records", &most.records)
            .field("bytes", &self.bytes())
            .field("max_bytes", &most.bytes)
            .field("shards", &self.engine.shards.len())
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn load(&self, key: &StoreKey) -> Result<Option<Stored>, StoreError> {
        Ok(self.engine.load(key))
    }

    async fn write(&self, key: &StoreKey, entry: Entry, expect: Expect) -> Result<Written, StoreError> {
        self.engine.write(key, entry, expect)
    }

    async fn remove(&self, key: &StoreKey, expect: Option<Version>) -> Result<Removed, StoreError> {
        Ok(self.engine.remove(key, expect))
    }

    fn load_now(&self, key: &StoreKey) -> Option<Result<Option<Stored>, StoreError>> {
        Some(Ok(self.engine.load(key)))
    }

    fn write_now(
        &self,
        key: &StoreKey,
        entry: Entry,
        expect: Expect,
    ) -> Result<Result<Written, StoreError>, Entry> {
        Ok(self.engine.write(key, entry, expect))
    }

    fn as_sweep(&self) -> Option<&dyn Sweep> {
        Some(self)
    }

    fn as_principal_index(&self) -> Option<&dyn PrincipalIndex> {
        Some(self)
    }

    fn as_scan(&self) -> Option<&dyn Scan> {
        Some(self)
    }
}

#[async_trait]
impl Sweep for MemoryStore {
    async fn sweep(&self, request: SweepRequest) -> Result<Swept, StoreError> {
        Ok(self.engine.sweep(request).await)
    }
}

#[async_trait]
impl PrincipalIndex for MemoryStore {
    async fn keys_of(
        &self,
        principal: &PrincipalKey,
        after: Option<&StoreKey>,
        limit: usize,
    ) -> Result<Vec<StoreKey>, StoreError> {
        Ok(self.engine.keys_of(principal, after, limit))
    }
}

#[async_trait]
impl Scan for MemoryStore {
    async fn scan(&self, cursor: Option<&ScanCursor>, limit: usize) -> Result<Scanned, StoreError> {
        Ok(self.engine.scan(cursor.and_then(ScanCursor::key).as_ref(), limit.max(1)))
    }
}

fn to_usize(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

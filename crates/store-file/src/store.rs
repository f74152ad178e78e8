//! The store as the core sees it.

use std::{fmt, path::PathBuf};

use async_trait::async_trait;
use session_core::{
    Entry, Environment, Expect, PrincipalIndex, PrincipalKey, Removed, Scan, ScanCursor, Scanned, Store,
    StoreError, StoreKey, Stored, Sweep, SweepRequest, Swept, Version, Written,
};

use crate::{
    builder::FileStoreBuilder,
    environment::droppable,
    layout::shard_of,
    open_error::OpenError,
    pool::Pool,
    records::Records,
    root::{Root, parts},
    stats::FileStats,
    sweep::Cursor,
    sync::{Arc, Mutex, PoisonError},
};

/// Keeps every session in a file of its own. See the [crate](crate) for what it promises.
///
/// A clone is another handle on the same store. Any number of processes may open the same root.
#[derive(Clone)]
pub struct FileStore {
    inner: Arc<Inner>,
}

struct Inner {
    root: Arc<Root>,
    records: Arc<Records>,
    pool: Pool,
    cursor: Mutex<Cursor>,
}

impl FileStore {
    /// Opens the store in the folder `root` with the default settings, and creates what is missing. Waits for the disk:
    /// to be called while the application starts.
    ///
    /// # Errors
    /// [`OpenError`] if the root breaks a [rule](crate::RootRule).
    pub fn open(root: impl Into<PathBuf>) -> Result<Self, OpenError> {
        Self::builder(root).open()
    }

    /// The settings of a store in the folder `root`.
    pub fn builder(root: impl Into<PathBuf>) -> FileStoreBuilder {
        FileStoreBuilder::new(root.into())
    }

    /// What this handle, and its clones, have done since the store was opened.
    #[must_use]
    pub fn stats(&self) -> FileStats {
        self.inner.records.counters.stats()
    }

    pub(crate) fn new(root: Arc<Root>, records: Arc<Records>, pool: Pool) -> Self {
        Self { inner: Arc::new(Inner { root, records, pool, cursor: Mutex::new(Cursor::default()) }) }
    }

    fn records(&self) -> Arc<Records> {
        Arc::clone(&self.inner.records)
    }
}

/// Every future may be dropped at any await: a change that has not begun is not made, one that has begun is completed.
#[async_trait]
impl Store for FileStore {
    async fn load(&self, key: &StoreKey) -> Result<Option<Stored>, StoreError> {
        if let Some(stored) = self.inner.records.load_cached(key) {
            return Ok(stored);
        }
        let (records, key) = (self.records(), *key);
        self.inner.pool.run(None, move |ticket| records.load(&key, ticket)).await
    }

    async fn write(&self, key: &StoreKey, entry: Entry, expect: Expect) -> Result<Written, StoreError> {
        let (records, key) = (self.records(), *key);
        let work = self
            .inner
            .pool
            .run(Some(shard_of(&key)), move |ticket| records.write(&key, &entry, expect, ticket));
        work.await
    }

    async fn remove(&self, key: &StoreKey, expect: Option<Version>) -> Result<Removed, StoreError> {
        let (records, key) = (self.records(), *key);
        let work =
            self.inner.pool.run(Some(shard_of(&key)), move |ticket| records.remove(&key, expect, ticket));
        work.await
    }

    fn load_now(&self, key: &StoreKey) -> Option<Result<Option<Stored>, StoreError>> {
        self.inner.records.load_cached(key).map(Ok)
    }

    fn as_sweep(&self) -> Option<&dyn Sweep> {
        Some(self)
    }

    fn as_principal_index(&self) -> Option<&dyn PrincipalIndex> {
        Some(self)
    }

    fn as_environment(&self) -> Option<&dyn Environment> {
        Some(self)
    }

    fn as_scan(&self) -> Option<&dyn Scan> {
        Some(self)
    }
}

/// One process sweeps at a time; for the others there is nothing to do. The deadline is that of each slice.
#[async_trait]
impl Sweep for FileStore {
    async fn sweep(&self, request: SweepRequest) -> Result<Swept, StoreError> {
        let records = self.records();
        let Some(election) = self.inner.pool.run(None, move |_| records.elect_sweeper()).await? else {
            return Ok(Swept::new(0, 0, 0, true));
        };
        // Shared with each slice, so that nobody else sweeps while one goes on after this future was dropped.
        let election = Arc::new(election);
        let mut swept = Swept::default();
        let mut looked_at = 0;
        while looked_at < request.budget {
            let cursor = *self.inner.cursor.lock().unwrap_or_else(PoisonError::into_inner);
            let limit = (request.budget - looked_at).min(SLICE);
            let (records, election) = (self.records(), Arc::clone(&election));
            let slice = self.inner.pool.run(None, move |ticket| {
                let _election = election;
                records.sweep_slice(cursor, &request, limit, ticket)
            });
            let slice = match slice.await {
                Ok(slice) => slice,
                Err(error) if swept == Swept::default() => return Err(error),
                Err(_) => return Ok(swept),
            };
            looked_at += slice.looked_at;
            swept.examined += slice.examined;
            swept.removed += slice.removed;
            swept.failed += slice.failed;
            swept.finished = slice.next.is_none();
            *self.inner.cursor.lock().unwrap_or_else(PoisonError::into_inner) =
                slice.next.unwrap_or_default();
            if swept.finished {
                break;
            }
        }
        Ok(swept)
    }
}

#[async_trait]
impl PrincipalIndex for FileStore {
    async fn keys_of(
        &self,
        principal: &PrincipalKey,
        after: Option<&StoreKey>,
        limit: usize,
    ) -> Result<Vec<StoreKey>, StoreError> {
        let (records, principal, after) = (self.records(), *principal, after.copied());
        self.inner.pool.run(None, move |_| records.keys_of(&principal, after.as_ref(), limit)).await
    }
}

#[async_trait]
impl Scan for FileStore {
    async fn scan(&self, cursor: Option<&ScanCursor>, limit: usize) -> Result<Scanned, StoreError> {
        let mut after = cursor.and_then(ScanCursor::key);
        let mut scanned = Scanned::default();
        let limit = limit.max(1);
        for shard in after.as_ref().map_or(0, shard_of)..=u8::MAX {
            loop {
                let (records, most) = (self.records(), (limit - scanned.entries.len()).min(SLICE));
                let slice = self
                    .inner
                    .pool
                    .run(None, move |ticket| records.scan_slice(shard, after.as_ref(), most, ticket))
                    .await?;
                scanned.entries.extend(slice.entries);
                scanned.failed += slice.failed;
                let Some(last) = slice.last else { break };
                after = Some(last);
                if scanned.entries.len() >= limit {
                    scanned.next = Some(ScanCursor::behind(&last));
                    return Ok(scanned);
                }
            }
        }
        Ok(scanned)
    }
}

#[async_trait]
impl Environment for FileStore {
    async fn create(&self) -> Result<(), Vec<StoreError>> {
        let (records, root) = (self.records(), Arc::clone(&self.inner.root));
        self.inner.pool.run(None, move |_| records.create_root(&root)).await.map_err(|error| vec![error])?;
        let mut problems = Vec::new();
        for part in parts() {
            let records = self.records();
            let made = self.inner.pool.run(None, move |_| records.create_part(&part)).await;
            problems.extend(made.err());
        }
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }

    async fn check(&self) -> Result<(), Vec<StoreError>> {
        let (records, root) = (self.records(), Arc::clone(&self.inner.root));
        let checked = self.inner.pool.run(None, move |_| Ok(records.check_environment(&root))).await;
        checked.unwrap_or_else(|error| Err(vec![error]))
    }

    async fn drop(&self) -> Result<(), Vec<StoreError>> {
        let mut problems = Vec::new();
        for place in droppable() {
            loop {
                let records = self.records();
                match self.inner.pool.run(None, move |ticket| records.drop_folder(&place, ticket)).await {
                    Ok(false) => {}
                    Ok(true) => break,
                    Err(error) => {
                        problems.push(error);
                        break;
                    }
                }
            }
        }
        if problems.is_empty() {
            let (records, root) = (self.records(), Arc::clone(&self.inner.root));
            let dropped = self.inner.pool.run(None, move |_| records.drop_root(&root)).await;
            problems.extend(dropped.err());
        }
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }
}

impl fmt::Debug for FileStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileStore")
            .field("root", &self.inner.root.path)
            .field("durability", &self.inner.root.durability)
            .finish_non_exhaustive()
    }
}

/// How many records are looked at before the next task of the pool gets its turn.
const SLICE: usize = 1_024;

//! The store as its users see it.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use session_core::{
    Entry, Environment, Expect, PrincipalIndex, PrincipalKey, Removed, Scan, ScanCursor, Scanned, Store,
    StoreError, StoreKey, Stored, Sweep, SweepRequest, Swept, Version, Written,
};

use crate::{SqlStoreBuilder, backend::Backend, open_error::OpenError};

/// Keeps sessions in a table of a database. See the [crate](crate) for what it promises.
///
/// A clone is another handle on the same store and its connections. Must be used within a tokio runtime.
#[derive(Clone)]
pub struct SqlStore {
    backend: Arc<dyn Backend>,
}

impl SqlStore {
    /// Connects to the database at `url` with the default settings, and makes the tables if they are missing: see
    /// [`SqlStoreBuilder::connect`].
    ///
    /// ```
    /// # use session_store_sql::SqlStore;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let store = SqlStore::connect("sqlite::memory:").await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`OpenError`] if the URL is refused, the database does not answer, or a table cannot be made.
    pub async fn connect(url: &str) -> Result<Self, OpenError> {
        Self::builder().connect(url).await
    }

    /// Other settings, or connections of the application's.
    pub fn builder() -> SqlStoreBuilder {
        SqlStoreBuilder::new()
    }

    /// Closes the connections that are not in use, and waits for it; those in use are closed when they have answered.
    /// Later calls fail. Dropping the last handle closes them too, without waiting. A pool of the application's stays
    /// open.
    pub async fn close(&self) {
        self.backend.close().await;
    }

    pub(crate) fn new(backend: impl Backend) -> Self {
        Self { backend: Arc::new(backend) }
    }
}

/// Every future may be dropped at any await: a statement that was sent goes on by itself, within the deadline.
#[async_trait]
impl Store for SqlStore {
    async fn load(&self, key: &StoreKey) -> Result<Option<Stored>, StoreError> {
        self.backend.load(key).await
    }

    async fn write(&self, key: &StoreKey, entry: Entry, expect: Expect) -> Result<Written, StoreError> {
        self.backend.write(key, entry, expect).await
    }

    async fn remove(&self, key: &StoreKey, expect: Option<Version>) -> Result<Removed, StoreError> {
        self.backend.remove(key, expect).await
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

/// The deadline is that of each batch of 200 records.
#[async_trait]
impl Sweep for SqlStore {
    async fn sweep(&self, request: SweepRequest) -> Result<Swept, StoreError> {
        self.backend.sweep(request).await
    }
}

/// The list is exact: it has no stale key, except those of expired records. One answer has at most 10,000 keys.
#[async_trait]
impl PrincipalIndex for SqlStore {
    async fn keys_of(
        &self,
        principal: &PrincipalKey,
        after: Option<&StoreKey>,
        limit: usize,
    ) -> Result<Vec<StoreKey>, StoreError> {
        self.backend.keys_of(principal, after, limit).await
    }
}

/// In the order of the keys, up to 1,000 records in one answer.
#[async_trait]
impl Scan for SqlStore {
    async fn scan(&self, cursor: Option<&ScanCursor>, limit: usize) -> Result<Scanned, StoreError> {
        self.backend.scan(cursor, limit).await
    }
}

/// Making or dropping a table or an index may take up to a minute; everything else keeps to the deadline.
#[async_trait]
impl Environment for SqlStore {
    async fn create(&self) -> Result<(), Vec<StoreError>> {
        self.backend.create().await
    }

    async fn check(&self) -> Result<(), Vec<StoreError>> {
        self.backend.check().await
    }

    async fn drop(&self) -> Result<(), Vec<StoreError>> {
        Environment::drop(&*self.backend).await
    }
}

impl fmt::Debug for SqlStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.backend.fmt(f)
    }
}

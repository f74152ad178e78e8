//! One store for all databases: what [`SqlStore`](crate::SqlStore) holds.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use session_core::{
    Entry, Environment, Expect, PrincipalIndex, PrincipalKey, Removed, Scan, ScanCursor, Scanned, Store,
    StoreError, StoreKey, Stored, Sweep, SweepRequest, Swept, Version, Written,
};

use crate::{
    connections::Purpose,
    driver::Driver,
    engine::{Call, Engine},
};

/// A store of which the database is not known.
#[async_trait]
pub(crate) trait Backend: Store + Sweep + PrincipalIndex + Environment + Scan {
    async fn close(&self);
}

/// A store in one database.
pub(crate) struct In<D: Driver>(pub(crate) Arc<Engine<D>>);

#[async_trait]
impl<D: Driver> Backend for In<D> {
    async fn close(&self) {
        self.0.connections.close().await;
    }
}

#[async_trait]
impl<D: Driver> Store for In<D> {
    async fn load(&self, key: &StoreKey) -> Result<Option<Stored>, StoreError> {
        let key = *key;
        let load = |engine: Arc<Engine<D>>, call: Call| async move { engine.load(&key, &call).await };
        self.0.detached(Purpose::Read, load).await
    }

    async fn write(&self, key: &StoreKey, entry: Entry, expect: Expect) -> Result<Written, StoreError> {
        let key = *key;
        let write = move |engine: Arc<Engine<D>>, call: Call| async move {
            engine.write(&key, &entry, expect, &call).await
        };
        self.0.detached(Purpose::Write, write).await
    }

    async fn remove(&self, key: &StoreKey, expect: Option<Version>) -> Result<Removed, StoreError> {
        let key = *key;
        let remove =
            move |engine: Arc<Engine<D>>, call: Call| async move { engine.remove(&key, expect, &call).await };
        self.0.detached(Purpose::Write, remove).await
    }
}

#[async_trait]
impl<D: Driver> Sweep for In<D> {
    async fn sweep(&self, request: SweepRequest) -> Result<Swept, StoreError> {
        self.0.sweep(request).await
    }
}

#[async_trait]
impl<D: Driver> PrincipalIndex for In<D> {
    async fn keys_of(
        &self,
        principal: &PrincipalKey,
        after: Option<&StoreKey>,
        limit: usize,
    ) -> Result<Vec<StoreKey>, StoreError> {
        let (principal, after) = (*principal, after.copied());
        let list = move |engine: Arc<Engine<D>>, call: Call| async move {
            engine.keys_of(&principal, after.as_ref(), limit, &call).await
        };
        self.0.detached(Purpose::Read, list).await
    }
}

#[async_trait]
impl<D: Driver> Scan for In<D> {
    async fn scan(&self, cursor: Option<&ScanCursor>, limit: usize) -> Result<Scanned, StoreError> {
        let after = cursor.and_then(ScanCursor::key);
        let scan = move |engine: Arc<Engine<D>>, call: Call| async move {
            engine.scan(after.as_ref(), limit, &call).await
        };
        self.0.detached(Purpose::Read, scan).await
    }
}

#[async_trait]
impl<D: Driver> Environment for In<D> {
    async fn create(&self) -> Result<(), Vec<StoreError>> {
        self.0.create().await
    }

    async fn check(&self) -> Result<(), Vec<StoreError>> {
        self.0.check().await
    }

    async fn drop(&self) -> Result<(), Vec<StoreError>> {
        self.0.drop().await
    }
}

impl<D: Driver> fmt::Debug for In<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlStore")
            .field("database", &D::STORE)
            .field("table", &self.0.table)
            .field("deadline", &self.0.deadline)
            .finish_non_exhaustive()
    }
}

//! Turns a call that never returns into a failure.

use std::{future::Future, panic::resume_unwind, sync::Arc, time::Duration};

use async_trait::async_trait;
use session_core::{
    Entry, Environment, Expect, PrincipalIndex, PrincipalKey, Removed, Scan, ScanCursor, Scanned, Store,
    StoreError, StoreKey, Stored, Sweep, SweepRequest, Swept, Version, Written,
};

/// The store of a case. Every call must return within the suite's patience, or the case fails with the call's name.
#[derive(Debug)]
pub(super) struct Watched {
    store: Arc<dyn Store>,
    patience: Duration,
}

impl Watched {
    pub(super) fn new(store: Arc<dyn Store>, patience: Duration) -> Self {
        Self { store, patience }
    }

    pub(super) fn bare(&self) -> &dyn Store {
        &*self.store
    }

    async fn watch<T>(&self, call: &str, answer: impl Future<Output = T>) -> T {
        match tokio::time::timeout(self.patience, answer).await {
            Ok(answer) => answer,
            // Not a panic: nothing is to be printed where the failure is expected.
            Err(_) => {
                resume_unwind(Box::new(format!("`{call}` hangs: no answer within {:?}", self.patience)))
            }
        }
    }
}

#[async_trait]
impl Store for Watched {
    async fn load(&self, key: &StoreKey) -> Result<Option<Stored>, StoreError> {
        self.watch("load", self.store.load(key)).await
    }

    async fn write(&self, key: &StoreKey, entry: Entry, expect: Expect) -> Result<Written, StoreError> {
        self.watch("write", self.store.write(key, entry, expect)).await
    }

    async fn remove(&self, key: &StoreKey, expect: Option<Version>) -> Result<Removed, StoreError> {
        self.watch("remove", self.store.remove(key, expect)).await
    }

    fn as_sweep(&self) -> Option<&dyn Sweep> {
        self.store.as_sweep().map(|_| self as &dyn Sweep)
    }

    fn as_principal_index(&self) -> Option<&dyn PrincipalIndex> {
        self.store.as_principal_index().map(|_| self as &dyn PrincipalIndex)
    }

    fn as_environment(&self) -> Option<&dyn Environment> {
        self.store.as_environment().map(|_| self as &dyn Environment)
    }

    fn as_scan(&self) -> Option<&dyn Scan> {
        self.store.as_scan().map(|_| self as &dyn Scan)
    }
}

#[async_trait]
impl Sweep for Watched {
    async fn sweep(&self, request: SweepRequest) -> Result<Swept, StoreError> {
        let ability = ability(self.store.as_sweep(), "as_sweep");
        self.watch("sweep", ability.sweep(request)).await
    }
}

#[async_trait]
impl PrincipalIndex for Watched {
    async fn keys_of(
        &self,
        principal: &PrincipalKey,
        after: Option<&StoreKey>,
        limit: usize,
    ) -> Result<Vec<StoreKey>, StoreError> {
        let ability = ability(self.store.as_principal_index(), "as_principal_index");
        self.watch("keys_of", ability.keys_of(principal, after, limit)).await
    }
}

#[async_trait]
impl Scan for Watched {
    async fn scan(&self, cursor: Option<&ScanCursor>, limit: usize) -> Result<Scanned, StoreError> {
        self.watch("scan", ability(self.store.as_scan(), "as_scan").scan(cursor, limit)).await
    }
}

#[async_trait]
impl Environment for Watched {
    async fn create(&self) -> Result<(), Vec<StoreError>> {
        self.watch("create", ability(self.store.as_environment(), "as_environment").create()).await
    }

    async fn check(&self) -> Result<(), Vec<StoreError>> {
        self.watch("check", ability(self.store.as_environment(), "as_environment").check()).await
    }

    async fn drop(&self) -> Result<(), Vec<StoreError>> {
        self.watch("drop", ability(self.store.as_environment(), "as_environment").drop()).await
    }
}

/// An ability that the store had a moment ago.
fn ability<'a, T: ?Sized>(ability: Option<&'a T>, method: &str) -> &'a T {
    match ability {
        Some(ability) => ability,
        None => resume_unwind(Box::new(format!(
            "`{method}` answers sometimes with an ability, sometimes without"
        ))),
    }
}

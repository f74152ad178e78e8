//! What a lie is, and the store that tells it.

use std::{
    fmt,
    future::ready,
    ops::Deref,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use session_core::{
    Entry, Environment, Expect, ManualClock, PrincipalIndex, PrincipalKey, Removed, Scan, ScanCursor,
    Scanned, Store, StoreError, StoreErrorKind, StoreKey, Stored, Sweep, SweepRequest, Swept, Version,
    Written,
};

use crate::store::{Fresh, Reference, reference::BOUND};

/// One fault. Whatever a lie does not change is answered honestly.
#[async_trait]
pub(super) trait Lie: fmt::Debug + Default + Send + Sync + 'static {
    /// Whether all stores of one factory share their records.
    const SHARES: bool = false;

    /// Whether the lie is told by not answering.
    const HANGS: bool = false;

    async fn load(&self, honest: &Honest, key: &StoreKey) -> Answer<Option<Stored>> {
        honest.load(key).await
    }

    fn load_now(&self, _honest: &Honest, _key: &StoreKey) -> Option<Answer<Option<Stored>>> {
        None
    }

    fn write_now(
        &self,
        _honest: &Honest,
        _key: &StoreKey,
        entry: Entry,
        _expect: Expect,
    ) -> Result<Answer<Written>, Entry> {
        Err(entry)
    }

    async fn write(&self, honest: &Honest, key: &StoreKey, entry: Entry, expect: Expect) -> Answer<Written> {
        honest.write(key, entry, expect).await
    }

    async fn remove(&self, honest: &Honest, key: &StoreKey, expect: Option<Version>) -> Answer<Removed> {
        honest.remove(key, expect).await
    }

    async fn sweep(&self, honest: &Honest, request: SweepRequest) -> Answer<Swept> {
        honest.sweep(request).await
    }

    async fn keys_of(
        &self,
        honest: &Honest,
        principal: &PrincipalKey,
        after: Option<&StoreKey>,
        limit: usize,
    ) -> Answer<Vec<StoreKey>> {
        honest.keys_of(principal, after, limit).await
    }

    async fn scan(&self, honest: &Honest, cursor: Option<&ScanCursor>, limit: usize) -> Answer<Scanned> {
        honest.scan(cursor, limit).await
    }

    async fn create(&self, honest: &Honest) -> Result<(), Vec<StoreError>> {
        Environment::create(&honest.store).await
    }

    async fn check(&self, honest: &Honest) -> Result<(), Vec<StoreError>> {
        honest.check().await
    }

    async fn drop(&self, honest: &Honest) -> Result<(), Vec<StoreError>> {
        Environment::drop(&honest.store).await
    }

    /// What the lie has become when the store is opened again.
    fn reopened(&self, _honest: &Honest) -> Self {
        Self::default()
    }

    fn debug(&self, _honest: &Honest, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Liar")
    }
}

/// What calls answer.
pub(super) type Answer<T> = Result<T, StoreError>;

/// The honest store behind a liar, and the time.
#[derive(Clone)]
pub(super) struct Honest {
    pub(super) store: Reference,
    pub(super) clock: Arc<ManualClock>,
}

impl Deref for Honest {
    type Target = Reference;

    fn deref(&self) -> &Reference {
        &self.store
    }
}

/// A store that tells the lie `L`.
pub(super) struct Liar<L> {
    honest: Honest,
    lie: Arc<L>,
}

impl<L: Lie> Liar<L> {
    /// A liar with every hook declared. All stores of one liar are made from `honest`.
    pub(super) fn fresh(store: Reference, clock: Arc<ManualClock>) -> Fresh {
        let honest = Honest { store, clock };
        let lie = Arc::new(L::default());
        // A store that is opened again goes on from the one before it; a peer starts with a lie of its own.
        let latest = Mutex::new(Arc::clone(&lie));
        let (again, peer, medium) = (honest.clone(), honest.clone(), honest.clone());
        let (victim, beside, bounded) = (honest.clone(), honest.clone(), honest.clone());
        Fresh::new(Self { honest, lie })
            .reopen_with(move || {
                let mut latest = locked(&latest);
                *latest = Arc::new(latest.reopened(&again));
                ready(Self { honest: again.clone(), lie: Arc::clone(&latest) })
            })
            .peer_with(move || ready(Self { honest: peer.clone(), lie: Arc::default() }))
            .outage_with(move |to| {
                medium.turn(to);
                ready(())
            })
            .damage_with(move |key| {
                victim.damage(&key);
                ready(())
            })
            .foreign_with(move |ask| ready(beside.foreign(ask)))
            .bounded_with(BOUND, move || {
                let honest = Honest { store: Reference::bounded(BOUND), clock: Arc::clone(&bounded.clock) };
                ready(Self { honest, lie: Arc::default() })
            })
    }
}

#[async_trait]
impl<L: Lie> Store for Liar<L> {
    async fn load(&self, key: &StoreKey) -> Answer<Option<Stored>> {
        self.lie.load(&self.honest, key).await
    }

    async fn write(&self, key: &StoreKey, entry: Entry, expect: Expect) -> Answer<Written> {
        self.lie.write(&self.honest, key, entry, expect).await
    }

    async fn remove(&self, key: &StoreKey, expect: Option<Version>) -> Answer<Removed> {
        self.lie.remove(&self.honest, key, expect).await
    }

    fn load_now(&self, key: &StoreKey) -> Option<Answer<Option<Stored>>> {
        self.lie.load_now(&self.honest, key)
    }

    fn write_now(&self, key: &StoreKey, entry: Entry, expect: Expect) -> Result<Answer<Written>, Entry> {
        self.lie.write_now(&self.honest, key, entry, expect)
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

#[async_trait]
impl<L: Lie> Sweep for Liar<L> {
    async fn sweep(&self, request: SweepRequest) -> Answer<Swept> {
        self.lie.sweep(&self.honest, request).await
    }
}

#[async_trait]
impl<L: Lie> PrincipalIndex for Liar<L> {
    async fn keys_of(
        &self,
        principal: &PrincipalKey,
        after: Option<&StoreKey>,
        limit: usize,
    ) -> Answer<Vec<StoreKey>> {
        self.lie.keys_of(&self.honest, principal, after, limit).await
    }
}

#[async_trait]
impl<L: Lie> Scan for Liar<L> {
    async fn scan(&self, cursor: Option<&ScanCursor>, limit: usize) -> Answer<Scanned> {
        self.lie.scan(&self.honest, cursor, limit).await
    }
}

#[async_trait]
impl<L: Lie> Environment for Liar<L> {
    async fn create(&self) -> Result<(), Vec<StoreError>> {
        self.lie.create(&self.honest).await
    }

    async fn check(&self) -> Result<(), Vec<StoreError>> {
        self.lie.check(&self.honest).await
    }

    async fn drop(&self) -> Result<(), Vec<StoreError>> {
        Lie::drop(&*self.lie, &self.honest).await
    }
}

impl<L: Lie> fmt::Debug for Liar<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lie.debug(&self.honest, f)
    }
}

/// The state of a lie.
pub(super) fn locked<T>(state: &Mutex<T>) -> MutexGuard<'_, T> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(super) fn trouble(kind: StoreErrorKind) -> StoreError {
    StoreError::new(kind, "liar")
}

//! What every call of a peer for its own store passes first: a call of the store that the kit counts, holds back and makes
//! fail. It keeps nothing.

use std::{
    collections::HashSet,
    sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use session_conformance::store::{Fresh, ManualClock};
use session_core::{Entry, Expect, Removed, Store, StoreError, StoreKey, Stored, Version, Written};
use sha2::{Digest, Sha256};

/// The way of a peer to its store.
#[derive(Clone, Debug)]
pub(crate) struct Toll(Arc<dyn Store>);

impl Toll {
    pub(crate) fn new(store: Arc<dyn Store>) -> Self {
        Self(store)
    }

    /// Lets the peer load the session of `id`, as the peer spells it for its store.
    pub(crate) async fn load<T, E>(
        &self,
        id: &[u8],
        failed: impl FnOnce(StoreError) -> E,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        pass(id, self.0.load(&key(id)).await.map(drop), failed, work).await
    }

    /// Lets the peer store `bytes`.
    pub(crate) async fn write<T, E>(
        &self,
        id: &[u8],
        bytes: &[u8],
        failed: impl FnOnce(StoreError) -> E,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        // What the store is shown is all that the kit can search: the id as well.
        let shown = [id, b"\n", bytes].concat();
        let entry = Entry::new(shown, SystemTime::now() + Duration::from_secs(1_800));
        let written = self.0.write(&key(id), entry, Expect::Version(Version::new(0))).await;
        pass(id, written.map(drop), failed, work).await
    }

    /// Lets the peer delete the session of `id`.
    pub(crate) async fn remove<T, E>(
        &self,
        id: &[u8],
        failed: impl FnOnce(StoreError) -> E,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        pass(id, self.0.remove(&key(id), None).await.map(drop), failed, work).await
    }
}

/// The peer's own call, unless the kit has it fail; done all the same where it is the answer that is lost.
async fn pass<T, E>(
    id: &[u8],
    toll: Result<(), StoreError>,
    failed: impl FnOnce(StoreError) -> E,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    let carried_out = carried_out().remove(&key(id));
    match toll {
        Ok(()) => work.await,
        Err(error) => {
            if carried_out {
                work.await?;
            }
            Err(failed(error))
        }
    }
}

/// The keys of the changes that have come through to [`Nothing`]. Cases run one at a time.
fn carried_out() -> MutexGuard<'static, HashSet<StoreKey>> {
    static KEYS: LazyLock<Mutex<HashSet<StoreKey>>> = LazyLock::new(Mutex::default);
    KEYS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What is behind the kit's probe: nothing.
pub(crate) async fn fresh(_: Arc<ManualClock>) -> Fresh {
    Fresh::new(Nothing)
}

#[derive(Debug)]
struct Nothing;

#[async_trait]
impl Store for Nothing {
    async fn load(&self, _: &StoreKey) -> Result<Option<Stored>, StoreError> {
        Ok(None)
    }

    async fn write(&self, key: &StoreKey, _: Entry, _: Expect) -> Result<Written, StoreError> {
        carried_out().insert(*key);
        Ok(Written::Stored(Version::new(0)))
    }

    async fn remove(&self, key: &StoreKey, _: Option<Version>) -> Result<Removed, StoreError> {
        carried_out().insert(*key);
        Ok(Removed::Gone)
    }
}

/// Some key for each id.
pub(crate) fn key(id: &[u8]) -> StoreKey {
    StoreKey::from_bytes(Sha256::digest(id).into())
}

//! What the contract allows must pass: stores that take every "may" at its word.

#![allow(clippy::unwrap_used, reason = "a test may")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    future::ready,
    sync::{Arc, Mutex},
    time::{Duration, UNIX_EPOCH},
};

use async_trait::async_trait;
use session_conformance::store::{Fresh, ManualClock, Medium, Reference};
use session_core::{
    Clock, Entry, Expect, PrincipalIndex, PrincipalKey, Removed, Store, StoreError, StoreErrorKind, StoreKey,
    Stored, Sweep, SweepRequest, Swept, Version, Written,
};

/// Three methods, no ability, nothing declared but a clock of its own.
mod bare {
    async fn fresh(_: super::Arc<super::ManualClock>) -> super::Fresh {
        super::Fresh::new(super::Bare(super::Reference::new())).own_clock()
    }

    session_conformance::store_tests!(fresh);
}

/// Expired is gone; expiries are rounded up; versions are huge; lists keep every key they ever held; a sweep takes one
/// record at a time and finishes with an empty call.
mod eager {
    async fn fresh(clock: super::Arc<super::ManualClock>) -> super::Fresh {
        super::Eager::fresh(clock)
    }

    session_conformance::store_tests!(fresh);
}

/// In an outage nobody knows whether a change was made, and every second one was; loads are answered from memory; and
/// after it the first calls are still refused.
mod doubtful {
    async fn fresh(_: super::Arc<super::ManualClock>) -> super::Fresh {
        super::Doubtful::fresh()
    }

    session_conformance::store_tests!(fresh);
}

#[derive(Debug)]
struct Bare(Reference);

#[async_trait]
impl Store for Bare {
    async fn load(&self, key: &StoreKey) -> Result<Option<Stored>, StoreError> {
        self.0.load(key).await
    }

    async fn write(&self, key: &StoreKey, entry: Entry, expect: Expect) -> Result<Written, StoreError> {
        self.0.write(key, entry, expect).await
    }

    async fn remove(&self, key: &StoreKey, expect: Option<Version>) -> Result<Removed, StoreError> {
        self.0.remove(key, expect).await
    }
}

#[derive(Clone)]
struct Eager {
    store: Reference,
    clock: Arc<ManualClock>,
    turn: Arc<tokio::sync::Mutex<()>>,
    ever: Arc<Mutex<BTreeMap<PrincipalKey, BTreeSet<StoreKey>>>>,
}

impl Eager {
    fn new(store: Reference, clock: Arc<ManualClock>) -> Self {
        Self { store, clock, turn: Arc::default(), ever: Arc::default() }
    }

    fn fresh(clock: Arc<ManualClock>) -> Fresh {
        let store = Self::new(Reference::new(), Arc::clone(&clock));
        let (again, peer, victim, medium) = (store.clone(), store.clone(), store.clone(), store.clone());
        Fresh::new(store)
            .reopen_with(move || ready(again.clone()))
            .peer_with(move || ready(peer.clone()))
            .damage_with(move |key| {
                victim.store.damage(&key);
                ready(())
            })
            .outage_with(move |to| {
                medium.store.turn(to);
                ready(())
            })
            .bounded_with(20, move || ready(Self::new(Reference::bounded(20), Arc::clone(&clock))))
    }

    async fn bury_if_expired(&self, key: &StoreKey) -> Result<(), StoreError> {
        let now = self.clock.now();
        if let Ok(Some(stored)) = self.store.load(key).await
            && stored.expires_at <= now
        {
            let _ = self.store.remove(key, Some(stored.version)).await?;
        }
        Ok(())
    }
}

#[async_trait]
impl Store for Eager {
    async fn load(&self, key: &StoreKey) -> Result<Option<Stored>, StoreError> {
        let _turn = self.turn.lock().await;
        self.bury_if_expired(key).await?;
        let shown = |stored: Stored| Stored::new(stored.bytes, stored.expires_at, turned(stored.version));
        Ok(self.store.load(key).await?.map(shown))
    }

    async fn write(&self, key: &StoreKey, mut entry: Entry, expect: Expect) -> Result<Written, StoreError> {
        let _turn = self.turn.lock().await;
        self.bury_if_expired(key).await?;
        let since = entry.expires_at.duration_since(UNIX_EPOCH).unwrap_or_default();
        let seconds = since.as_secs() + u64::from(since.subsec_nanos() > 0);
        entry.expires_at = UNIX_EPOCH + Duration::from_secs(seconds);
        if let Some(whose) = entry.principal {
            self.ever.lock().unwrap().entry(whose).or_default().insert(*key);
        }
        let expect = match expect {
            Expect::Absent => Expect::Absent,
            Expect::Version(version) => Expect::Version(turned(version)),
        };
        Ok(match self.store.write(key, entry, expect).await? {
            Written::Stored(version) => Written::Stored(turned(version)),
            Written::Conflict => Written::Conflict,
        })
    }

    async fn remove(&self, key: &StoreKey, expect: Option<Version>) -> Result<Removed, StoreError> {
        let _turn = self.turn.lock().await;
        self.bury_if_expired(key).await?;
        self.store.remove(key, expect.map(turned)).await
    }

    fn as_sweep(&self) -> Option<&dyn Sweep> {
        Some(self)
    }

    fn as_principal_index(&self) -> Option<&dyn PrincipalIndex> {
        Some(self)
    }
}

#[async_trait]
impl Sweep for Eager {
    async fn sweep(&self, request: SweepRequest) -> Result<Swept, StoreError> {
        self.store.sweep(request.budget(request.budget.min(1))).await
    }
}

#[async_trait]
impl PrincipalIndex for Eager {
    async fn keys_of(
        &self,
        principal: &PrincipalKey,
        after: Option<&StoreKey>,
        limit: usize,
    ) -> Result<Vec<StoreKey>, StoreError> {
        // Whether the medium answers: a list would be as good without it, but the kit's outage is over then too.
        self.store.keys_of(principal, None, 0).await?;
        let ever = self.ever.lock().unwrap();
        let keys = ever.get(principal).into_iter().flatten().copied();
        Ok(keys.filter(|key| after.is_none_or(|after| key > after)).take(limit).collect())
    }
}

impl fmt::Debug for Eager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Eager").finish_non_exhaustive()
    }
}

/// Counting up becomes numbers from all over the range.
fn turned(version: Version) -> Version {
    Version::new(version.number().reverse_bits())
}

#[derive(Clone, Debug, Default)]
struct Doubtful {
    store: Reference,
    state: Arc<Mutex<Doubt>>,
}

#[derive(Debug, Default)]
struct Doubt {
    is_down: bool,
    refusals: u32,
    changes: u32,
}

impl Doubtful {
    fn fresh() -> Fresh {
        let store = Self::default();
        let medium = store.clone();
        Fresh::new(store).outage_with(move |to| {
            let mut state = medium.state.lock().unwrap();
            state.is_down = to == Medium::Down;
            state.refusals = 5;
            ready(())
        })
    }

    /// Whether a change is made, and whether the caller is told.
    fn doubt(&self) -> Result<Option<StoreError>, StoreError> {
        let mut state = self.state.lock().unwrap();
        state.changes += 1;
        match (state.is_down, state.changes % 2) {
            (false, _) => Ok(None),
            (true, 0) => Ok(Some(StoreError::new(StoreErrorKind::Indeterminate, "doubtful"))),
            (true, _) => Err(StoreError::new(StoreErrorKind::Indeterminate, "doubtful")),
        }
    }
}

#[async_trait]
impl Store for Doubtful {
    async fn load(&self, key: &StoreKey) -> Result<Option<Stored>, StoreError> {
        let refused = {
            let mut state = self.state.lock().unwrap();
            let refused = !state.is_down && state.refusals > 0;
            state.refusals -= u32::from(refused);
            refused
        };
        if refused {
            return Err(StoreError::new(StoreErrorKind::Overloaded, "doubtful"));
        }
        self.store.load(key).await
    }

    async fn write(&self, key: &StoreKey, entry: Entry, expect: Expect) -> Result<Written, StoreError> {
        let doubt = self.doubt()?;
        let written = self.store.write(key, entry, expect).await?;
        doubt.map_or(Ok(written), Err)
    }

    async fn remove(&self, key: &StoreKey, expect: Option<Version>) -> Result<Removed, StoreError> {
        let doubt = self.doubt()?;
        let removed = self.store.remove(key, expect).await?;
        doubt.map_or(Ok(removed), Err)
    }
}

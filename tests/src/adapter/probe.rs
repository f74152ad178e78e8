//! The store under the application of a case: it counts every call, fails when told to, and holds calls back so that
//! two requests can be put into one particular order.

use std::{
    collections::HashSet,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

use async_trait::async_trait;
use bytes::Bytes;
use session_core::{
    Entry, Expect, PrincipalIndex, PrincipalKey, Removed, Store, StoreError, StoreErrorKind, StoreKey,
    Stored, Sweep, SweepRequest, Swept, Version, Written,
};

use super::hold::{Barrier, Hold};

/// A handle on the store of a case. Clones share everything.
#[derive(Clone)]
pub(super) struct Probe(Arc<Inner>);

struct Inner {
    store: Arc<dyn Store>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    calls: Calls,
    troubles: Vec<Trouble>,
    /// With the kind of call that is held; any of sessions without one.
    holds: Vec<(Option<Call>, Arc<Barrier>)>,
    /// Keys that are written and not removed, expired or not.
    present: HashSet<StoreKey>,
    asked: Vec<StoreKey>,
    written: Vec<Bytes>,
    expiries: Vec<SystemTime>,
    without_abilities: bool,
}

/// The kinds of calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Call {
    Load,
    Write,
    Remove,
    List,
    Sweep,
}

/// How many calls of each kind were made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Calls {
    pub(super) loads: usize,
    pub(super) writes: usize,
    pub(super) removes: usize,
    pub(super) lists: usize,
    pub(super) sweeps: usize,
}

/// What is to go wrong with calls of one kind.
#[derive(Clone, Copy, Debug)]
struct Trouble {
    call: Call,
    kind: StoreErrorKind,
    /// The call is carried out and then reported as failed.
    applied: bool,
    /// Calls that go well before.
    spared: usize,
    /// Calls that go wrong then.
    left: usize,
}

impl Probe {
    pub(super) fn new(store: Arc<dyn Store>) -> Self {
        Self(Arc::new(Inner { store, state: Mutex::default() }))
    }

    /// Calls since the last [`reset`](Self::reset).
    pub(super) fn calls(&self) -> Calls {
        self.state().calls
    }

    pub(super) fn reset(&self) {
        self.state().calls = Calls::default();
    }

    /// Records that were written and not removed.
    pub(super) fn records(&self) -> usize {
        self.state().present.len()
    }

    /// Every key that was asked for.
    pub(super) fn asked(&self) -> Vec<StoreKey> {
        self.state().asked.clone()
    }

    /// The bytes of everything that was to be written.
    pub(super) fn written(&self) -> Vec<Bytes> {
        self.state().written.clone()
    }

    /// When everything that was to be written is to expire.
    pub(super) fn expiries(&self) -> Vec<SystemTime> {
        self.state().expiries.clone()
    }

    /// Makes every call of a kind fail until [`heal`](Self::heal).
    pub(super) fn fail(&self, call: Call, kind: StoreErrorKind) {
        self.trouble(Trouble { call, kind, applied: false, spared: 0, left: usize::MAX });
    }

    /// Makes one call of a kind fail, after `spared` that go well.
    pub(super) fn fail_once(&self, call: Call, kind: StoreErrorKind, spared: usize) {
        self.trouble(Trouble { call, kind, applied: false, spared, left: 1 });
    }

    /// Carries one call of a kind out and then loses its answer, after `spared` that go well.
    pub(super) fn lose_answer(&self, call: Call, spared: usize) {
        let kind = StoreErrorKind::Indeterminate;
        self.trouble(Trouble { call, kind, applied: true, spared, left: 1 });
    }

    pub(super) fn heal(&self) {
        self.state().troubles.clear();
    }

    /// Holds every call of a kind back from now on.
    pub(super) fn hold(&self, call: Call) -> Hold {
        self.hold_some(Some(call), 0, usize::MAX)
    }

    /// Holds the next call of a kind back.
    pub(super) fn hold_one(&self, call: Call) -> Hold {
        self.hold_some(Some(call), 0, 1)
    }

    /// Holds one call of a kind back, after `spared` that go through.
    pub(super) fn hold_one_after(&self, call: Call, spared: usize) -> Hold {
        self.hold_some(Some(call), spared, 1)
    }

    /// Holds one call back, of whatever kind, after `spared` that go through.
    pub(super) fn hold_any_after(&self, spared: usize) -> Hold {
        self.hold_some(None, spared, 1)
    }

    fn hold_some(&self, call: Option<Call>, spared: usize, held: usize) -> Hold {
        let barrier = Barrier::new(spared, held);
        self.state().holds.push((call, barrier.clone()));
        Hold::new(barrier)
    }

    /// Hides what the store can do besides keeping records.
    pub(super) fn hide_abilities(&self) {
        self.state().without_abilities = true;
    }

    fn trouble(&self, trouble: Trouble) {
        self.state().troubles.push(trouble);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether nothing is to happen to any call.
    fn is_calm(&self) -> bool {
        let mut state = self.state();
        state.holds.retain(|(_, barrier)| !barrier.is_over());
        state.holds.is_empty() && state.troubles.iter().all(|trouble| trouble.left == 0)
    }

    /// What happens to every call before the store sees it. Answers how it is to fail, if it is.
    async fn enter(&self, call: Call, key: Option<&StoreKey>) -> Result<(), Trouble> {
        let barriers: Vec<Arc<Barrier>> = {
            let mut state = self.state();
            state.asked.extend(key);
            let calls = &mut state.calls;
            *match call {
                Call::Load => &mut calls.loads,
                Call::Write => &mut calls.writes,
                Call::Remove => &mut calls.removes,
                Call::List => &mut calls.lists,
                Call::Sweep => &mut calls.sweeps,
            } += 1;
            state.holds.retain(|(_, barrier)| !barrier.is_over());
            let holds = state.holds.iter().filter(|(held, _)| held.is_none_or(|held| held == call));
            holds.map(|(_, barrier)| barrier.clone()).collect()
        };
        for barrier in barriers {
            barrier.pass().await;
        }
        self.state().misfortune(call).map_or(Ok(()), Err)
    }

    /// Carries a call out, with whatever trouble it is to have.
    async fn call<T>(
        &self,
        call: Call,
        key: Option<&StoreKey>,
        carry_out: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        match self.enter(call, key).await {
            Ok(()) => carry_out.await,
            Err(trouble) => {
                if trouble.applied {
                    carry_out.await?;
                }
                Err(StoreError::new(trouble.kind, "probe"))
            }
        }
    }
}

impl State {
    fn misfortune(&mut self, call: Call) -> Option<Trouble> {
        let trouble = self.troubles.iter_mut().find(|trouble| trouble.call == call && trouble.left > 0)?;
        if trouble.spared > 0 {
            trouble.spared -= 1;
            return None;
        }
        trouble.left -= 1;
        Some(*trouble)
    }
}

#[async_trait]
impl Store for Probe {
    async fn load(&self, key: &StoreKey) -> Result<Option<Stored>, StoreError> {
        self.call(Call::Load, Some(key), self.0.store.load(key)).await
    }

    async fn write(&self, key: &StoreKey, entry: Entry, expect: Expect) -> Result<Written, StoreError> {
        {
            let mut state = self.state();
            state.written.push(entry.bytes.clone());
            state.expiries.push(entry.expires_at);
        }
        let write = async {
            let written = self.0.store.write(key, entry, expect).await?;
            if matches!(written, Written::Stored(_)) {
                self.state().present.insert(*key);
            }
            Ok(written)
        };
        self.call(Call::Write, Some(key), write).await
    }

    async fn remove(&self, key: &StoreKey, expect: Option<Version>) -> Result<Removed, StoreError> {
        let remove = async {
            let removed = self.0.store.remove(key, expect).await?;
            if removed == Removed::Gone {
                self.state().present.remove(key);
            }
            Ok(removed)
        };
        self.call(Call::Remove, Some(key), remove).await
    }

    fn load_now(&self, key: &StoreKey) -> Option<Result<Option<Stored>, StoreError>> {
        let loaded = self.is_calm().then(|| self.0.store.load_now(key))??;
        let mut state = self.state();
        state.asked.push(*key);
        state.calls.loads += 1;
        Some(loaded)
    }

    fn write_now(
        &self,
        key: &StoreKey,
        entry: Entry,
        expect: Expect,
    ) -> Result<Result<Written, StoreError>, Entry> {
        if !self.is_calm() {
            return Err(entry);
        }
        let (bytes, expires_at) = (entry.bytes.clone(), entry.expires_at);
        let written = self.0.store.write_now(key, entry, expect)?;
        let mut state = self.state();
        state.asked.push(*key);
        state.calls.writes += 1;
        state.written.push(bytes);
        state.expiries.push(expires_at);
        if matches!(written, Ok(Written::Stored(_))) {
            state.present.insert(*key);
        }
        Ok(written)
    }

    fn as_sweep(&self) -> Option<&dyn Sweep> {
        self.0.store.as_sweep().filter(|_| !self.state().without_abilities).map(|_| self as &dyn Sweep)
    }

    fn as_principal_index(&self) -> Option<&dyn PrincipalIndex> {
        let index = self.0.store.as_principal_index().filter(|_| !self.state().without_abilities);
        index.map(|_| self as &dyn PrincipalIndex)
    }
}

#[async_trait]
impl Sweep for Probe {
    async fn sweep(&self, request: SweepRequest) -> Result<Swept, StoreError> {
        let Some(sweep) = self.0.store.as_sweep() else { return Err(lost_ability()) };
        self.call(Call::Sweep, None, sweep.sweep(request)).await
    }
}

#[async_trait]
impl PrincipalIndex for Probe {
    async fn keys_of(
        &self,
        principal: &PrincipalKey,
        after: Option<&StoreKey>,
        limit: usize,
    ) -> Result<Vec<StoreKey>, StoreError> {
        let Some(index) = self.0.store.as_principal_index() else { return Err(lost_ability()) };
        self.call(Call::List, None, index.keys_of(principal, after, limit)).await
    }
}

fn lost_ability() -> StoreError {
    StoreError::new(StoreErrorKind::Unavailable, "probe")
}

impl fmt::Debug for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Probe").field(&self.0.store).finish()
    }
}

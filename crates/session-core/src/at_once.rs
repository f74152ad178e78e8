//! The two ways to the store that nearly every request takes, for a store that need not be waited for: no future, no
//! allocation of its own, one lock. Whatever is less common is left to the futures that say the same in general
//! ([`find`](crate::manager::Shared::find), [`commit`](crate::lazy::Inner::commit)), which then begin from the start.

use std::sync::{Arc, atomic::Ordering};

use crate::{
    attempt::changed,
    commit::{Outcome, Task},
    error::SessionError,
    event::EventKind,
    lazy::Inner,
    manager::{Found, Shared},
    persist::Presented,
    record::{Content, Record},
    state::{Live, State},
    store::{Expect, Version, Written},
};

impl Inner {
    /// Loads the session, if there is no id or a single one that names a live session. `None` if that takes a future.
    pub(crate) fn load_now(&self) -> Option<Result<(), SessionError>> {
        let known = self.was_asked();
        if known.is_some() {
            return known;
        }
        let candidate = match &self.presented {
            Presented::Nothing => return Some(self.nothing_presented()),
            Presented::Ids(candidates) => candidates.only()?,
            Presented::State { .. } | Presented::Ambiguous => return None,
        };
        let shared = &*self.shared;
        let key = shared.realm.store_key(&candidate.id);
        // Of parallel calls in one request the first asks the store; the others wait for it here.
        let mut state = self.state();
        let known = self.was_asked();
        if known.is_some() {
            return known;
        }
        let stored = shared.store().load_now(&key)?.ok()??;
        let Ok(Content::Live(record)) = Content::parse(stored.bytes) else { return None };
        let now = shared.now();
        if !shared.is_alive(&record, now) {
            return None;
        }
        let (id, source, version) = (candidate.id.clone(), candidate.source, stored.version);
        let live = Arc::new(Live { id, key, version, source, record });
        let loaded = self.take_in(&mut state, Found::Live(live, candidate.outdated), false, now);
        drop(state);
        shared.events.emit(EventKind::Loaded, Some(&key));
        Some(loaded)
    }

    /// Stores a new session or the changes of one, at the end of a request. `None` if nothing was done.
    pub(crate) fn commit_now(&self, state: &mut State, task: Task) -> Option<Result<(), SessionError>> {
        let shared = &*self.shared;
        let pending = &state.pending;
        let is_common = shared.writes_now.load(Ordering::Relaxed)
            && state.saving.is_none()
            && !pending.stale
            && !pending.intent.authenticates()
            && shared.config.sweep_probability <= 0.0
            && !shared.is_sealed;
        if !is_common {
            return None;
        }
        let _turn = self.gate.enter_now()?;
        let now = shared.now();
        match (task, &state.live) {
            (Task::Update, Some(live)) => {
                let key = live.key;
                let record = changed(live, &pending.changes, pending, now, shared.attempt());
                let version = match shared.write_now(live, &record, Expect::Version(live.version))? {
                    Ok(version) => version,
                    Err(error) => return Some(Err(error)),
                };
                state.pending = Default::default();
                state.stored(Outcome::InPlace(version, record), task, shared);
                shared.events.emit(EventKind::Saved, Some(&key));
            }
            (Task::Create, None) => {
                let mut live = match shared.fresh(self.presented.supplied(), pending, now) {
                    Ok(live) => live,
                    Err(error) => return Some(Err(error)),
                };
                live.version = match shared.write_now(&live, &live.record, Expect::Absent)? {
                    Ok(version) => version,
                    Err(error) => return Some(Err(error)),
                };
                let key = live.key;
                state.pending = Default::default();
                state.stored(Outcome::Elsewhere(Arc::new(live)), task, shared);
                shared.events.emit(EventKind::Created, Some(&key));
            }
            _ => return None,
        }
        Some(Ok(()))
    }
}

impl Shared {
    /// `None` if the store has to be waited for, or what it has is not what was expected.
    fn write_now(
        &self,
        live: &Live,
        record: &Record,
        expect: Expect,
    ) -> Option<Result<Version, SessionError>> {
        let Ok(written) = self.store().write_now(&live.key, self.entry(record), expect) else {
            self.writes_now.store(false, Ordering::Relaxed);
            return None;
        };
        match written {
            Ok(Written::Stored(version)) => Some(Ok(version)),
            Ok(Written::Conflict) => None,
            Err(error) => Some(Err(self.failed(error, &live.key))),
        }
    }
}

//! The session of a request before anybody asked for it.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::{
    error::SessionError,
    event::EventKind,
    gate::Gate,
    manager::{Found, SessionManager, Shared},
    persist::{Candidates, Presented},
    report::Announced,
    session::Session,
    state::{State, Status},
};

/// The session of a request that may not need it. Cheap to clone.
///
/// Until somebody calls [`load`](Self::load), the request costs no store call and its response carries no `Set-Cookie`
/// and no `Vary`.
#[derive(Clone)]
pub struct LazySession(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) shared: Arc<Shared>,
    /// Held while this request talks to the store.
    pub(crate) gate: Gate,
    state: Mutex<State>,
}

impl LazySession {
    pub(crate) fn new(shared: Arc<Shared>, presented: Presented) -> Self {
        Self(Arc::new(Inner { shared, gate: Gate::default(), state: Mutex::new(State::new(presented)) }))
    }

    /// The session, loaded from the store if this is the first time that the request asks for it.
    ///
    /// Cancelled, nothing has happened; the next call asks the store again.
    ///
    /// # Errors
    /// [`SessionError::Store`] when the store cannot tell: a store that does not answer never looks like a visitor
    /// without a session. [`SessionError::ResponseSent`] if nobody has asked before the response was sent.
    pub async fn load(&self) -> Result<Session, SessionError> {
        self.0.load().await?;
        Ok(Session(self.0.clone()))
    }

    /// The session if some part of the request has loaded it already.
    #[must_use]
    pub fn loaded(&self) -> Option<Session> {
        matches!(self.0.state().was_asked(), Some(Ok(()))).then(|| Session(self.0.clone()))
    }

    /// The manager that has opened the session.
    #[must_use]
    pub fn manager(&self) -> SessionManager {
        SessionManager(self.0.shared.clone())
    }

    /// Whether `manager`, or a clone of it, has opened this session: for adapters, where layers may be nested.
    #[must_use]
    pub fn is_of(&self, manager: &SessionManager) -> bool {
        Arc::ptr_eq(&self.0.shared, &manager.0)
    }

    /// Whether the request presents something that could be a session id. Says nothing about whether it is alive.
    #[must_use]
    pub fn presents_id(&self) -> bool {
        !matches!(self.0.state().presented, Presented::Nothing)
    }
}

impl fmt::Debug for LazySession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LazySession").field("loaded", &self.loaded().is_some()).finish_non_exhaustive()
    }
}

impl Inner {
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The future of a handler holds this one and is allocated anew for every request, so what only runs when the
    /// store is asked is kept outside of it.
    async fn load(&self) -> Result<(), SessionError> {
        {
            let mut state = self.state();
            if let Some(known) = state.was_asked() {
                return known;
            }
            if matches!(state.presented, Presented::Nothing) {
                state.loaded(Status::New, None);
                return Ok(());
            }
        }
        Box::pin(self.load_presented()).await
    }

    async fn load_presented(&self) -> Result<(), SessionError> {
        let _turn = self.gate.enter().await;
        let presented = {
            let state = self.state();
            if let Some(known) = state.was_asked() {
                return known;
            }
            state.presented.clone()
        };
        let (found, outdated) = match presented {
            Presented::Ids(candidates) => (self.shared.find_one(&candidates).await?, false),
            Presented::State { record, outdated } => (self.shared.unseal(record), outdated),
            Presented::Ambiguous => {
                self.shared.events.emit(EventKind::AmbiguousId, None);
                (Found::Nothing(Status::Unknown), false)
            }
            Presented::Nothing => (Found::Nothing(Status::New), false),
        };
        let mut state = self.state();
        if let Some(closed) = state.was_asked() {
            return closed;
        }
        match found {
            Found::Live(live, announce) => {
                let status = if live.record.meta().unclaimed { Status::New } else { Status::Active };
                state.source = live.source;
                state.loaded(status, Some(live));
                if announce {
                    state.announced = Announced::Rotated;
                }
                if outdated {
                    state.pending.intent.forced = true;
                }
            }
            Found::Superseded(key, source) => {
                state.loaded(Status::Superseded, None);
                state.source = source;
                state.superseded = Some(key);
            }
            Found::Nothing(status) => state.loaded(status, None),
        }
        Ok(())
    }
}

impl Shared {
    /// The one live session among the presented ids of the first source that has one. Several live ones, or more ids
    /// than are looked up, are as good as none: which of them is the user's own cannot be told (cookie tossing).
    async fn find_one(&self, candidates: &Candidates) -> Result<Found, SessionError> {
        let mut best = Found::Nothing(Status::Unknown);
        let mut candidates = candidates.iter().peekable();
        while let Some(source) = candidates.peek().map(|candidate| candidate.source) {
            let (mut live, mut looked_up) = (0, 0);
            while let Some(candidate) = candidates.next_if(|candidate| candidate.source == source) {
                looked_up += 1;
                if looked_up > Candidates::MOST {
                    live = looked_up;
                    continue;
                }
                let found = self.find(candidate).await?;
                // After a routine rotation two ids may lead to one session.
                live += match (&best, &found) {
                    (Found::Live(one, _), Found::Live(other, _)) => usize::from(one.key != other.key),
                    (_, Found::Live(..)) => 1,
                    _ => 0,
                };
                if weight(&found) > weight(&best) {
                    best = found;
                }
            }
            if live > 1 {
                self.events.emit(EventKind::AmbiguousId, None);
                return Ok(Found::Nothing(Status::Unknown));
            }
            if live == 1 {
                return Ok(best);
            }
        }
        Ok(best)
    }
}

/// Of several answers the one that says most counts.
const fn weight(found: &Found) -> u8 {
    match found {
        Found::Live(..) => 3,
        Found::Superseded(..) => 2,
        Found::Nothing(Status::Expired) => 1,
        Found::Nothing(_) => 0,
    }
}

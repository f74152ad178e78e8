//! The session of a request before anybody asked for it.

use std::{
    fmt,
    sync::{Arc, atomic::fence},
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
    sync::{AtomicU8, Mutex, MutexGuard, Ordering, PoisonError},
    timestamp::Timestamp,
};

/// The session of a request that may not need it. Cheap to clone.
///
/// Until somebody calls [`load`](Self::load), the request costs no store call and its response carries no `Set-Cookie`
/// and no `Vary`.
#[derive(Clone)]
pub struct LazySession(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) shared: Arc<Shared>,
    pub(crate) presented: Presented,
    /// Held while this request talks to the store.
    pub(crate) gate: Gate,
    /// Whether anybody has asked for the session or can still do so: most requests never do, and then this is all there
    /// is to look at. Leaves [`UNASKED`] once, under the lock of the state or when nobody else is left.
    asked: AtomicU8,
    state: Mutex<State>,
}

const UNASKED: u8 = 0;
const ASKED: u8 = 1;
/// The request has ended and nobody had asked.
const NEVER: u8 = 2;

impl LazySession {
    pub(crate) fn new(shared: Arc<Shared>, presented: Presented) -> Self {
        Self(Arc::new(Inner {
            shared,
            presented,
            gate: Gate::default(),
            asked: AtomicU8::new(UNASKED),
            state: Mutex::new(State::new()),
        }))
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
        matches!(self.0.was_asked(), Some(Ok(()))).then(|| Session(self.0.clone()))
    }

    /// The manager that has opened the session.
    #[must_use]
    pub fn manager(&self) -> SessionManager {
        SessionManager(self.0.shared.clone())
    }

    /// Whether `manager`, or a clone of it, has opened this session: for adapters, where layers may be nested.
    #[must_use]
    #[inline]
    pub fn is_of(&self, manager: &SessionManager) -> bool {
        Arc::ptr_eq(&self.0.shared, &manager.0)
    }

    /// Whether the request presents something that could be a session id. Says nothing about whether it is alive.
    #[must_use]
    pub fn presents_id(&self) -> bool {
        !matches!(self.0.presented, Presented::Nothing)
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

    /// What a request that asks for the session gets; `None` if it has to be loaded first.
    pub(crate) fn was_asked(&self) -> Option<Result<(), SessionError>> {
        match self.asked.load(Ordering::Acquire) {
            UNASKED => None,
            ASKED => Some(Ok(())),
            _ => Some(Err(SessionError::ResponseSent)),
        }
    }

    /// Ends the time in which the session can be asked for. Answers whether nobody did.
    #[inline]
    pub(crate) fn close_unasked(self: &Arc<Self>) -> bool {
        if self.asked.load(Ordering::Acquire) != UNASKED {
            return false;
        }
        if Arc::strong_count(self) == 1 {
            // Nobody else is left who could ask, so no lock is needed; the fence shows what they did before they left.
            fence(Ordering::Acquire);
            let nobody = self.asked.load(Ordering::Relaxed) == UNASKED;
            if nobody {
                self.asked.store(NEVER, Ordering::Release);
            }
            return nobody;
        }
        self.leave_unasked(&self.state(), NEVER).is_ok()
    }

    /// Settles once, under the lock of the state, whether the session was asked for. Fails with what was settled before.
    fn leave_unasked(&self, _: &MutexGuard<'_, State>, to: u8) -> Result<(), u8> {
        match self.asked.load(Ordering::Relaxed) {
            UNASKED => {
                self.asked.store(to, Ordering::Release);
                Ok(())
            }
            settled => Err(settled),
        }
    }

    pub(crate) fn is_unasked(&self) -> bool {
        self.asked.load(Ordering::Acquire) == UNASKED
    }

    /// The future of a handler holds this one and is allocated anew for every request, so what only runs when the
    /// store has to be waited for is kept outside of it.
    async fn load(&self) -> Result<(), SessionError> {
        if let Some(loaded) = self.load_now() {
            return loaded;
        }
        Box::pin(self.load_presented()).await
    }

    async fn load_presented(&self) -> Result<(), SessionError> {
        let _turn = self.gate.enter().await;
        if let Some(known) = self.was_asked() {
            return known;
        }
        match &self.presented {
            Presented::Ids(candidates) => {
                let now = self.shared.now();
                let found = match candidates.only() {
                    Some(candidate) => self.shared.find(candidate, now).await?,
                    None => Box::pin(self.shared.find_one(candidates, now)).await?,
                };
                self.found(found, false, now)
            }
            Presented::State { record, outdated } => {
                let now = self.shared.now();
                self.found(self.shared.unseal(record.clone(), now), *outdated, now)
            }
            Presented::Ambiguous => {
                self.shared.events.emit(EventKind::AmbiguousId, None);
                self.found(Found::Nothing(Status::Unknown), false, Timestamp::from_millis(0))
            }
            Presented::Nothing => self.nothing_presented(),
        }
    }

    pub(crate) fn nothing_presented(&self) -> Result<(), SessionError> {
        // Nothing that is there needs the time of its use.
        self.found(Found::Nothing(Status::New), false, Timestamp::from_millis(0))
    }

    /// Takes in what was presented. `outdated`: it has to be sent again because its key is about to be retired.
    fn found(&self, found: Found, outdated: bool, now: Timestamp) -> Result<(), SessionError> {
        let mut state = self.state();
        self.take_in(&mut state, found, outdated, now)
    }

    pub(crate) fn take_in(
        &self,
        state: &mut MutexGuard<'_, State>,
        found: Found,
        outdated: bool,
        now: Timestamp,
    ) -> Result<(), SessionError> {
        if let Err(already) = self.leave_unasked(state, ASKED) {
            return if already == ASKED { Ok(()) } else { Err(SessionError::ResponseSent) };
        }
        state.loaded_at = now;
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
    async fn find_one(&self, candidates: &Candidates, now: Timestamp) -> Result<Found, SessionError> {
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
                let found = self.find(candidate, now).await?;
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

//! Stores what a request did: one write that checks the version, and if another request was faster, the same changes
//! once more on top of its result.

use std::{ops::Deref, sync::Arc};

use crate::{
    config::SavePolicy,
    digest::StoreKey,
    error::{Limit, SessionError},
    event::EventKind,
    id::SessionId,
    lazy::Inner,
    manager::{Found, Shared},
    persist::Candidate,
    record::{Content, Meta},
    report::{Announced, Saved},
    rotate::Rotation,
    state::{Ending, Live, Pending, State, Status},
    store::{Expect, Written},
    timestamp::Timestamp,
};

/// How often changes are made again before giving up. Requests of one process queue after the first conflict, so this
/// is reached only when other processes keep winning.
pub(crate) const MOST_ATTEMPTS: usize = 128;

/// What there is to do for a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Task {
    Nothing,
    Create,
    Update,
    Touch,
    Rotate(Rotation),
}

/// When the changes are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    /// The handler asked for it.
    Save,
    /// The request ends.
    Close,
}

impl Task {
    pub(crate) fn of(
        state: &State,
        pending: &Pending,
        shared: &Shared,
        moment: Moment,
        now: Timestamp,
    ) -> Self {
        let Some(live) = &state.live else {
            let creates = pending.changes.alter(None) || pending.intent.creates();
            return if creates { Self::Create } else { Self::Nothing };
        };
        let (config, meta) = (&shared.config, live.record.meta());
        let closing = moment == Moment::Close;
        // An id that the application supplies is the application's to replace.
        let rotates = !live.id.is_supplied() || shared.is_sealed();
        if pending.intent.renew && rotates {
            return Self::Rotate(Rotation::Privilege);
        }
        if closing
            && rotates
            && config
                .renew_every
                .is_some_and(|every| !state.created_here && now.since(meta.id_drawn) >= every)
        {
            return Self::Rotate(Rotation::Routine);
        }
        let always = closing && config.save == SavePolicy::Always && !state.created_here;
        if always || pending.intent.changes_record() || pending.changes.alter(Some(&live.record)) {
            return Self::Update;
        }
        if closing && config.expiry.touch_is_due(&meta, now) {
            return Self::Touch;
        }
        Self::Nothing
    }
}

impl Inner {
    /// Stores what is pending. Cancelled or failed, everything is still pending; only changes to a session that is
    /// over are dropped.
    pub(crate) async fn commit(&self, moment: Moment) -> Result<(), SessionError> {
        let _turn = self.gate.enter().await;
        self.end_ending().await?;
        let now = self.shared.now();
        let (saving, live, task, supplied) = {
            let mut state = self.state();
            let task = Task::of(&state, &state.pending, &self.shared, moment, now);
            let supplied = state.presented.supplied().cloned();
            (Saving::begin(self, &mut state, moment), state.live.clone(), task, supplied)
        };
        let (pending, shared): (&Pending, _) = (&saving.pending, &*self.shared);
        if shared.is_sealed() && task != Task::Nothing {
            let (live, sealed) = shared.reseal(task, live.as_ref(), pending, now)?;
            saving.done(|state| {
                state.stored(live, task, shared);
                (state.announced, state.sealed) = (Announced::Resealed, Some(sealed));
            });
            return Ok(());
        }
        if pending.intent.authenticates() {
            let own = live.as_ref().map(|live| &live.key);
            shared.check_session_limit(pending.intent.principal_over(None), own).await?;
        }
        let result = match (task, live) {
            (Task::Create, _) => shared.create(supplied, pending, now).await,
            (Task::Update, Some(live)) => shared.update(&live, pending, now).await,
            (Task::Rotate(rotation), Some(live)) => shared.rotate(&live, pending, rotation, now).await,
            (Task::Touch, Some(live)) => {
                let touched = shared.touch(&live, now).await;
                saving.done(|state| {
                    if let Some(touched) = touched {
                        state.replace(Some(touched));
                        state.saved = Saved::Touched;
                        state.announce(Announced::Refreshed, &self.shared);
                    }
                });
                return Ok(());
            }
            _ => {
                saving.done(|_| {});
                return Ok(());
            }
        };
        match result {
            Ok(live) => {
                if pending.intent.authenticates() {
                    let principal = live.record.principal().unwrap_or_default();
                    if let Err(error) = shared.enforce_session_limit(principal, &live.key).await {
                        shared.discard(&live.key).await;
                        saving.done(|state| state.lost(&error));
                        return Err(error);
                    }
                    shared.events.emit(EventKind::Authenticated, Some(&live.key));
                }
                saving.done(|state| state.stored(live, task, &self.shared));
                Ok(())
            }
            Err(error @ (SessionError::Ended | SessionError::Superseded)) => {
                let lost = moment == Moment::Save || !pending.is_empty();
                saving.done(|state| state.lost(&error));
                shared.events.emit(EventKind::ChangesDropped, None);
                if lost { Err(error) } else { Ok(()) }
            }
            Err(error) => Err(error),
        }
    }

    /// Ends the session that the handler ended. It stays to be ended until the store has confirmed it.
    async fn end_ending(&self) -> Result<(), SessionError> {
        let ending = self.state().ending;
        if let Some(Ending { key, seen }) = ending {
            let ended = self.shared.is_sealed() || self.shared.end(&key, seen).await?;
            let mut state = self.state();
            state.ending = None;
            if ended || seen.is_some() {
                state.announced = Announced::Withdrawn;
                state.saved = Saved::Ended;
            }
        }
        Ok(())
    }
}

impl State {
    fn stored(&mut self, live: Live, task: Task, shared: &Shared) {
        let renamed = self.live.as_ref().is_none_or(|old| old.key != live.key);
        self.replace(Some(live));
        match task {
            Task::Create => {
                self.created_here = true;
                self.announced = Announced::New;
                self.saved = Saved::Created;
            }
            Task::Rotate(_) => {
                self.announced = Announced::Rotated;
                self.saved = Saved::Rotated;
            }
            _ => {
                self.announce(if renamed { Announced::Rotated } else { Announced::Refreshed }, shared);
                self.saved = Saved::Updated;
            }
        }
    }

    /// Has the client told something, unless it has to be told something more important.
    fn announce(&mut self, announced: Announced, shared: &Shared) {
        let refresh = announced == Announced::Refreshed;
        if self.announced == Announced::NothingNew && (!refresh || shared.persistence.expires_at_client()) {
            self.announced = announced;
        }
    }

    fn lost(&mut self, error: &SessionError) {
        self.replace(None);
        self.gone = true;
        self.status = if matches!(error, SessionError::Ended) { Status::Ended } else { Status::Superseded };
    }
}

/// What is being stored. Dropped before it is done, it becomes pending again, below what was done since.
struct Saving<'a> {
    inner: &'a Inner,
    pending: Held,
    done: bool,
}

enum Held {
    /// While the handler runs on, the session is read through what is being stored.
    Shared(Arc<Pending>),
    /// At the end of a request nobody reads any more.
    Own(Pending),
}

impl Deref for Held {
    type Target = Pending;

    fn deref(&self) -> &Pending {
        match self {
            Self::Shared(pending) => pending,
            Self::Own(pending) => pending,
        }
    }
}

impl<'a> Saving<'a> {
    fn begin(inner: &'a Inner, state: &mut State, moment: Moment) -> Self {
        let pending = std::mem::take(&mut state.pending);
        let pending = match moment {
            Moment::Save => {
                let pending = Arc::new(pending);
                state.saving = Some(pending.clone());
                Held::Shared(pending)
            }
            Moment::Close => Held::Own(pending),
        };
        Self { inner, pending, done: false }
    }

    fn done(mut self, finish: impl FnOnce(&mut State)) {
        self.done = true;
        let mut state = self.inner.state();
        state.saving = None;
        finish(&mut state);
    }
}

impl Drop for Saving<'_> {
    fn drop(&mut self) {
        if self.done {
            return;
        }
        let mut state = self.inner.state();
        state.saving = None;
        let later = std::mem::take(&mut state.pending);
        state.pending = Pending::clone(&self.pending).then(later);
    }
}

impl Shared {
    /// Stores a new session: under the id that the application has supplied or the handler has seen, or else a drawn
    /// one.
    async fn create(
        &self,
        supplied: Option<SessionId>,
        pending: &Pending,
        now: Timestamp,
    ) -> Result<Live, SessionError> {
        const MOST_COLLISIONS: usize = 3;
        for _ in 0..MOST_COLLISIONS {
            let (drawn, csrf_secret) = self.draw()?;
            let id = supplied.clone().or_else(|| pending.intent.next_id.clone()).unwrap_or(drawn);
            let key = self.realm.store_key(&id);
            let meta = pending.intent.apply(Meta::new(now, csrf_secret), now);
            let record = pending.changes.encode(None, &meta, pending.intent.principal_over(None));
            if let Written::Stored(version) = self.write(&key, &record, Expect::Absent).await? {
                self.events.emit(EventKind::Created, Some(&key));
                return Ok(Live { id, key, version, source: 0, record });
            }
            if supplied.is_some() {
                // A parallel request was faster; both belong to the same session.
                if let Some((Content::Live(record), version)) = self.fetch(&key).await? {
                    let live = Live { id, key, version, source: 0, record };
                    let pending =
                        Pending { changes: self.replay(pending, &live)?, intent: pending.intent.clone() };
                    return self.update(&live, &pending, now).await;
                }
            }
        }
        Err(SessionError::Contended)
    }

    pub(crate) async fn update(
        &self,
        live: &Live,
        pending: &Pending,
        now: Timestamp,
    ) -> Result<Live, SessionError> {
        let mut base = live.clone();
        let mut replayed = None;
        let mut turn = None;
        for _ in 0..MOST_ATTEMPTS {
            let changes = replayed.as_ref().unwrap_or(&pending.changes);
            let meta = pending.intent.apply(base.record.meta().claimed(), now);
            let principal = pending.intent.principal_over(Some(&base.record));
            let record = changes.encode(Some(&base.record), &meta, principal);
            if let Written::Stored(version) =
                self.write(&base.key, &record, Expect::Version(base.version)).await?
            {
                self.events.emit(EventKind::Saved, Some(&base.key));
                return Ok(Live { version, record, ..base });
            }
            if turn.is_none() {
                turn = Some(self.gates.of(&live.key).enter().await);
            }
            base = self.refresh(&base).await?;
            replayed = Some(self.replay(pending, &base)?);
        }
        self.events.emit(EventKind::Contended, Some(&live.key));
        Err(SessionError::Contended)
    }

    /// Writes down that the session was used. Whoever is faster has done the same, and a store that fails here has
    /// lost nothing, so neither is an error.
    async fn touch(&self, live: &Live, now: Timestamp) -> Option<Live> {
        let nothing = Pending::default();
        let meta = nothing.intent.apply(live.record.meta(), now);
        let principal = live.record.principal().unwrap_or_default();
        let record = nothing.changes.encode(Some(&live.record), &meta, principal);
        match self.write(&live.key, &record, Expect::Version(live.version)).await {
            Ok(Written::Stored(version)) => {
                self.events.emit(EventKind::Touched, Some(&live.key));
                Some(Live { version, record, ..live.clone() })
            }
            Ok(Written::Conflict) | Err(_) => None,
        }
    }

    /// The record as it is now, behind a replaced id if need be.
    pub(crate) async fn refresh(&self, live: &Live) -> Result<Live, SessionError> {
        match self.fetch(&live.key).await? {
            None => Err(SessionError::Ended),
            Some((Content::Live(record), version)) => Ok(Live { version, record, ..live.clone() }),
            Some((Content::Superseded(marker), _)) if marker.in_grace(self.clock.now()) => {
                let successor = live.id.unmask_successor(marker.masked_id);
                match self.find(&Candidate { id: successor, source: live.source, outdated: false }).await? {
                    Found::Live(live, _) => Ok(live),
                    Found::Superseded(_) => Err(SessionError::Superseded),
                    Found::Nothing(_) => Err(SessionError::Ended),
                }
            }
            Some((Content::Superseded(_), _)) => Err(SessionError::Superseded),
        }
    }

    /// The changes, made again on a newer record.
    pub(crate) fn replay(
        &self,
        pending: &Pending,
        base: &Live,
    ) -> Result<crate::changes::Changes, SessionError> {
        self.events.emit(EventKind::ConflictReplayed, Some(&base.key));
        let mut changes = pending.changes.clone();
        changes.replay(&base.record)?;
        let record = changes.encode(
            Some(&base.record),
            &base.record.meta(),
            base.record.principal().unwrap_or_default(),
        );
        self.config.limits.check(Limit::Keys, record.keys())?;
        self.config.limits.check(Limit::RecordBytes, record.bytes().len())?;
        Ok(changes)
    }

    /// A new id and a new CSRF secret.
    pub(crate) fn draw(&self) -> Result<(SessionId, [u8; 24]), SessionError> {
        let mut bytes = [[0; 24]; 2];
        self.random.fill(bytes.as_flattened_mut())?;
        let [id, csrf_secret] = bytes;
        Ok((SessionId::from_random(id), csrf_secret))
    }

    pub(crate) async fn discard(&self, key: &StoreKey) {
        if let Err(error) = self.store.remove(key, None).await.map(drop) {
            self.events.store_failed(error.kind(), key);
        }
    }
}

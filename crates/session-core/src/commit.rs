//! Decides what there is to store for a request, has it stored, and remembers how that went.

use std::{ops::Deref, sync::Arc};

use crate::{
    config::SavePolicy,
    error::SessionError,
    event::EventKind,
    lazy::Inner,
    manager::Shared,
    record::Record,
    report::{Announced, Saved},
    rotate::Rotation,
    state::{Ending, Live, Pending, State, Status},
    store::Version,
    timestamp::Timestamp,
};

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

/// What became of a [`Task`].
pub(crate) enum Outcome {
    Nothing,
    /// The record that the session had has another content now.
    InPlace(Version, Record),
    /// The session has another record now, or a newer one than it was based on.
    Elsewhere(Arc<Live>),
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
            if pending.is_empty() {
                return Self::Nothing;
            }
            let creates = pending.changes.alter(None) || pending.intent.creates();
            return if creates { Self::Create } else { Self::Nothing };
        };
        let (config, meta) = (&shared.config, live.record.meta());
        let closing = moment == Moment::Close;
        // An id that the application supplies is the application's to replace.
        let rotates = !live.id.is_supplied() || shared.is_sealed;
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
        if pending.stale {
            return Self::Update;
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
    ///
    /// The future is allocated at the end of every request that stores something, so what is rare is kept outside of it.
    pub(crate) async fn commit(&self, moment: Moment) -> Result<(), SessionError> {
        let _turn = self.gate.enter().await;
        let ending = self.state().ending;
        if let Some(ending) = ending {
            Box::pin(self.end_ending(ending)).await?;
        }
        let (saving, task, now) = self.begin(moment);
        if saving.pending.intent.authenticates() && self.shared.config.max_sessions_per_principal.is_some() {
            return Box::pin(self.sign_in_within_limit(saving, task, moment, now)).await;
        }
        let result = self.perform(task, &saving.pending, now).await;
        self.finish(saving, task, moment, result)
    }

    fn begin(&self, moment: Moment) -> (Saving<'_>, Task, Timestamp) {
        let now = self.shared.now();
        let mut state = self.state();
        let task = Task::of(&state, &state.pending, &self.shared, moment, now);
        (Saving::begin(self, &mut state, moment), task, now)
    }

    async fn perform(&self, task: Task, pending: &Pending, now: Timestamp) -> Result<Outcome, SessionError> {
        if task == Task::Nothing {
            return Ok(Outcome::Nothing);
        }
        if self.shared.is_sealed {
            return self.reseal(task, pending, now);
        }
        let live = self.state().live.clone();
        let rebased = match &live {
            Some(live) if pending.stale => Some(Box::new(self.shared.rebase(pending, live)?)),
            _ => None,
        };
        let pending = rebased.as_deref().unwrap_or(pending);
        match (task, live) {
            (Task::Update, Some(live)) => self.shared.update(live, pending, now).await,
            (Task::Touch, Some(live)) => Ok(Box::pin(self.shared.touch(live, now)).await),
            (Task::Rotate(rotation), Some(live)) => {
                let new = Box::pin(self.shared.rotate(&live, pending, rotation, now)).await?;
                Ok(Outcome::Elsewhere(new))
            }
            _ => self.shared.create(self.presented.supplied(), pending, now).await.map(Outcome::Elsewhere),
        }
    }

    fn finish(
        &self,
        saving: Saving<'_>,
        task: Task,
        moment: Moment,
        result: Result<Outcome, SessionError>,
    ) -> Result<(), SessionError> {
        match result {
            Ok(outcome) => {
                if saving.pending.intent.authenticates() {
                    let key = match &outcome {
                        Outcome::Elsewhere(live) if !self.shared.is_sealed => Some(&live.key),
                        _ => None,
                    };
                    self.shared.events.emit(EventKind::Authenticated, key);
                }
                saving.done(|state| state.stored(outcome, task, &self.shared));
                Ok(())
            }
            Err(error @ (SessionError::Ended | SessionError::Superseded)) => {
                let lost = moment == Moment::Save || !saving.pending.is_empty();
                saving.done(|state| state.lost(&error));
                self.shared.events.emit(EventKind::ChangesDropped, None);
                if lost { Err(error) } else { Ok(()) }
            }
            // The id that is due works on, so the next request can replace it as well.
            Err(_) if task == Task::Rotate(Rotation::Routine) && saving.pending.is_empty() => {
                saving.done(|_| {});
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// Signs in a principal who may have only so many sessions. One login of a principal after the other: of parallel
    /// ones each would see the others, and they would end or refuse each other.
    async fn sign_in_within_limit(
        &self,
        saving: Saving<'_>,
        task: Task,
        moment: Moment,
        now: Timestamp,
    ) -> Result<(), SessionError> {
        let shared = &self.shared;
        let principal = saving.pending.intent.principal_over(None).to_owned();
        let _turn = shared.login_turn(&principal).await;
        let own = self.state().live.as_ref().map(|live| live.key);
        shared.check_session_limit(&principal, own.as_ref()).await?;
        let result = self.perform(task, &saving.pending, now).await;
        self.finish(saving, task, moment, result)?;
        let Some(key) = self.state().live.as_ref().map(|live| live.key) else { return Ok(()) };
        match shared.enforce_session_limit(&principal, &key).await {
            Err(error @ SessionError::TooManySessions) => {
                self.state().refused(task);
                Err(error)
            }
            // A list that fails is reported as an event; the next login makes up for it.
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Makes the record that the client will carry.
    fn reseal(&self, task: Task, pending: &Pending, now: Timestamp) -> Result<Outcome, SessionError> {
        let live = self.state().live.clone();
        let (live, sealed) = self.shared.reseal(task, live.as_deref(), pending, now)?;
        self.state().sealed = Some(sealed);
        Ok(Outcome::Elsewhere(Arc::new(live)))
    }

    /// Ends the session that the handler ended. It stays to be ended until the store has confirmed it.
    async fn end_ending(&self, ending: Ending) -> Result<(), SessionError> {
        let ended = if self.shared.is_sealed {
            self.shared.events.emit(EventKind::Ended, None);
            true
        } else {
            self.shared.end(&ending.key, ending.seen).await?
        };
        let mut state = self.state();
        state.ending = None;
        if ended {
            let withdraws = ending.withdraws || self.shared.is_sealed;
            state.announced = if withdraws { Announced::Withdrawn } else { Announced::NothingNew };
            state.saved = Saved::Ended;
        } else if ending.seen.is_some() {
            // A login has taken the visitor's session over. Whatever the client were told now, withdrawal or new id, it
            // would lose the one of the login.
            let dropped = !std::mem::take(&mut state.pending).is_empty();
            state.lost(&SessionError::Superseded);
            if dropped {
                self.shared.events.emit(EventKind::ChangesDropped, Some(&ending.key));
                return Err(SessionError::Superseded);
            }
        }
        Ok(())
    }
}

impl State {
    pub(crate) fn stored(&mut self, outcome: Outcome, task: Task, shared: &Shared) {
        let ended = self.end_when_saved.take();
        let renamed = match outcome {
            Outcome::Nothing => return,
            Outcome::Elsewhere(live) => {
                if let Some(withdraws) = ended {
                    self.ending = Some(Ending { key: live.key, seen: Some(live.version), withdraws });
                    return;
                }
                let renamed = self.live.as_ref().is_none_or(|old| old.key != live.key);
                self.replace(Some(live));
                renamed
            }
            Outcome::InPlace(version, record) => {
                if let (Some(withdraws), Some(ending)) = (ended, &mut self.ending) {
                    (ending.seen, ending.withdraws) = (Some(version), withdraws);
                    return;
                }
                let mut live = self.live.take();
                if let Some(live) = &mut live {
                    let live = Arc::make_mut(live);
                    (live.version, live.record) = (version, record);
                }
                self.replace(live);
                false
            }
        };
        self.pending.stale = !self.pending.changes.is_empty();
        (self.announced, self.saved) = match task {
            Task::Create => {
                self.created_here = true;
                (Announced::New, Saved::Created)
            }
            Task::Rotate(_) => (Announced::Rotated, Saved::Rotated),
            _ => {
                let announced = if renamed { Announced::Rotated } else { Announced::Refreshed };
                let saved = if task == Task::Touch { Saved::Touched } else { Saved::Updated };
                (self.more_important(announced, shared), saved)
            }
        };
        if self.sealed.is_some() {
            self.announced = Announced::Resealed;
        }
    }

    /// What the client is told: this, unless it has to be told something more important already.
    fn more_important(&self, announced: Announced, shared: &Shared) -> Announced {
        let needed = announced != Announced::Refreshed || shared.persistence.expires_at_client();
        if self.announced == Announced::NothingNew && needed { announced } else { self.announced }
    }

    /// What was just stored has been ended again.
    fn refused(&mut self, task: Task) {
        self.announced = if task == Task::Create { Announced::NothingNew } else { Announced::Withdrawn };
        self.saved = Saved::Ended;
        self.lost(&SessionError::Ended);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Opened, SessionManager, persist::Header};

    /// Both are allocated again and again; common allocators have a slow path from 1 KiB on.
    #[test]
    fn futures_that_every_request_allocates_stay_small() {
        let store = crate::sealed::NoStore;
        let manager = SessionManager::builder(store).persistence(Header::default()).build().unwrap();
        let request = http::Request::new(());
        let Ok(Opened::Continue(session)) = manager.open(&(&request).into()).into_ready() else {
            panic!("ready at once");
        };
        let (load, commit) = (size_of_val(&session.load()), size_of_val(&session.0.commit(Moment::Close)));
        assert!(load <= 64 && commit <= 384, "load {load}, commit {commit}");
    }
}

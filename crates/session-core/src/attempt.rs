//! Writes a record: a version-checked attempt, and if another request was faster, the same changes once more on top of
//! its result.

use std::sync::Arc;

use crate::{
    changes::Changes,
    commit::Outcome,
    digest::StoreKey,
    error::{Limit, SessionError},
    event::EventKind,
    id::SessionId,
    manager::{Found, Shared},
    persist::Candidate,
    record::{Content, Meta, Record},
    state::{Live, Pending},
    store::{Expect, Version, Written},
    timestamp::Timestamp,
};

/// How often changes are made again before giving up. Requests of one process queue after the first conflict, so this
/// is reached only when other processes keep winning. On a busy machine with 64 writers in two processes, one request in
/// hundreds of thousands lost 128 times in a row.
pub(crate) const MOST_ATTEMPTS: usize = 1_024;

/// What becomes of a record.
pub(crate) fn changed(
    live: &Live,
    changes: &Changes,
    pending: &Pending,
    now: Timestamp,
    attempt: u64,
) -> Record {
    let mut meta = pending.intent.apply(live.record.meta().claimed(), now);
    meta.changed_by = attempt;
    changes.tried_by(attempt);
    changes.encode(Some(&live.record), &meta, pending.intent.principal_over(Some(&live.record)))
}

impl Shared {
    /// Stores a new session: under the id that the application has supplied or the handler has seen, or else a drawn
    /// one.
    pub(crate) async fn create(
        &self,
        supplied: Option<&Candidate>,
        pending: &Pending,
        now: Timestamp,
    ) -> Result<Arc<Live>, SessionError> {
        const MOST_COLLISIONS: usize = 3;
        for _ in 0..MOST_COLLISIONS {
            let mut live = Arc::new(self.fresh(supplied, pending, now)?);
            if let Written::Stored(version) = self.write(&live.key, &live.record, Expect::Absent).await? {
                self.events.emit(EventKind::Created, Some(&live.key));
                Arc::make_mut(&mut live).version = version;
                return Ok(live);
            }
            if supplied.is_some() || pending.intent.next_id.is_some() {
                // A parallel request was faster, or an attempt of ours that seemed to fail; both belong to the same
                // session.
                return Box::pin(self.update_after_conflict(live, pending, now)).await;
            }
        }
        Err(SessionError::Contended)
    }

    pub(crate) fn fresh(
        &self,
        supplied: Option<&Candidate>,
        pending: &Pending,
        now: Timestamp,
    ) -> Result<Live, SessionError> {
        let (drawn, csrf_secret) = self.draw()?;
        let (id, source) = match supplied {
            Some(supplied) => (supplied.id.clone(), supplied.source),
            None => (pending.intent.next_id.clone().unwrap_or(drawn), 0),
        };
        let mut meta = pending.intent.apply(Meta::new(now, csrf_secret), now);
        meta.changed_by = self.attempt();
        pending.changes.tried_by(meta.changed_by);
        let record = pending.changes.encode(None, &meta, pending.intent.principal_over(None));
        Ok(Live { key: self.realm.store_key(&id), id, version: Version::new(0), source, record })
    }

    /// Stores the changes on `live`, or on what another request has made of it.
    pub(crate) async fn update(
        &self,
        live: Arc<Live>,
        pending: &Pending,
        now: Timestamp,
    ) -> Result<Outcome, SessionError> {
        let record = changed(&live, &pending.changes, pending, now, self.attempt());
        if let Written::Stored(version) =
            self.write(&live.key, &record, Expect::Version(live.version)).await?
        {
            self.events.emit(EventKind::Saved, Some(&live.key));
            return Ok(Outcome::InPlace(version, record));
        }
        Box::pin(self.update_after_conflict(live, pending, now)).await.map(Outcome::Elsewhere)
    }

    pub(crate) async fn update_after_conflict(
        &self,
        mut live: Arc<Live>,
        pending: &Pending,
        now: Timestamp,
    ) -> Result<Arc<Live>, SessionError> {
        let _turn = self.gates.of(&live.key).enter().await;
        for _ in 0..MOST_ATTEMPTS {
            live = self.refresh(&live).await?;
            let changes = self.replay(pending, &live)?;
            let record = changed(&live, &changes, pending, now, self.attempt());
            if let Written::Stored(version) =
                self.write(&live.key, &record, Expect::Version(live.version)).await?
            {
                self.events.emit(EventKind::Saved, Some(&live.key));
                let new = Arc::make_mut(&mut live);
                (new.version, new.record) = (version, record);
                return Ok(live);
            }
        }
        self.events.emit(EventKind::Contended, Some(&live.key));
        Err(SessionError::Contended)
    }

    /// Writes down that the session was used. Whoever is faster has done the same, and a store that fails here has
    /// lost nothing, so neither is an error.
    pub(crate) async fn touch(&self, live: Arc<Live>, now: Timestamp) -> Outcome {
        let nothing = Pending::default();
        let meta = nothing.intent.apply(live.record.meta(), now);
        let principal = live.record.principal().unwrap_or_default();
        let record = nothing.changes.encode(Some(&live.record), &meta, principal);
        match self.write(&live.key, &record, Expect::Version(live.version)).await {
            Ok(Written::Stored(version)) => {
                self.events.emit(EventKind::Touched, Some(&live.key));
                Outcome::InPlace(version, record)
            }
            Ok(Written::Conflict) | Err(_) => Outcome::Nothing,
        }
    }

    /// The record as it is now, behind a replaced id if need be.
    pub(crate) async fn refresh(&self, live: &Live) -> Result<Arc<Live>, SessionError> {
        match self.fetch(&live.key).await? {
            None => Err(SessionError::Ended),
            Some((Content::Live(record), version)) => Ok(Arc::new(Live { version, record, ..live.clone() })),
            Some((Content::Superseded(marker), _)) if marker.in_grace(self.clock.now()) => {
                let id = live.id.unmask_successor(marker.masked_id);
                let successor = Candidate { id, source: live.source, outdated: false };
                match self.find(&successor, self.now()).await? {
                    Found::Live(live, _) => Ok(live),
                    Found::Superseded(..) => Err(SessionError::Superseded),
                    Found::Nothing(_) => Err(SessionError::Ended),
                }
            }
            Some((Content::Superseded(_), _)) => Err(SessionError::Superseded),
        }
    }

    /// The changes, made again on a newer record.
    pub(crate) fn replay(&self, pending: &Pending, base: &Live) -> Result<Changes, SessionError> {
        self.events.emit(EventKind::ConflictReplayed, Some(&base.key));
        self.make_again(pending, base)
    }

    pub(crate) fn rebase(&self, pending: &Pending, base: &Live) -> Result<Pending, SessionError> {
        Ok(Pending { changes: self.make_again(pending, base)?, intent: pending.intent.clone(), stale: false })
    }

    fn make_again(&self, pending: &Pending, base: &Live) -> Result<Changes, SessionError> {
        let mut changes = pending.changes.clone();
        changes.replay(&base.record)?;
        let record = changes.encode(
            Some(&base.record),
            &base.record.meta(),
            base.record.principal().unwrap_or_default(),
        );
        for entry in changes.entries() {
            self.config.limits.check(Limit::ValueBytes, entry.value.len())?;
        }
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
        if let Err(error) = self.store().remove(key, None).await.map(drop) {
            self.events.store_failed(error.kind(), key);
        }
    }
}

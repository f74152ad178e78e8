//! Gives a session another id without losing it, and without leaving two ids that work.

use std::sync::Arc;

use crate::{
    attempt::MOST_ATTEMPTS,
    error::SessionError,
    event::EventKind,
    manager::Shared,
    record::Marker,
    state::{Live, Pending},
    store::{Entry, Expect, Written},
    store_error::StoreErrorKind,
    timestamp::Timestamp,
};

/// Why an id is replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rotation {
    /// Time has passed. The old id works a little longer, so that parallel requests are not signed out.
    Routine,
    /// The handler asked for it, or who the session belongs to changes. The old id stops working at once (OWASP ASVS
    /// 5.0 V7.2.4).
    Privilege,
}

impl Shared {
    /// Stores `live` with what is pending under a new id.
    ///
    /// First the new record is written, then the old one is turned into a marker if nobody has touched it; so there is
    /// no moment without a record, and of several rotations one wins. A crash in between leaves the old id working
    /// and a record whose id nobody has.
    pub(crate) async fn rotate(
        &self,
        live: &Arc<Live>,
        pending: &Pending,
        rotation: Rotation,
        now: Timestamp,
    ) -> Result<Arc<Live>, SessionError> {
        let (drawn, _) = self.draw()?;
        let id = pending.intent.next_id.clone().unwrap_or(drawn);
        let key = self.realm.store_key(&id);
        let mut base = Arc::clone(live);
        let mut expect = Expect::Absent;
        let mut replayed = None;
        let mut turn = None;
        for _ in 0..MOST_ATTEMPTS {
            let changes = replayed.as_ref().unwrap_or(&pending.changes);
            let mut meta = pending.intent.apply(base.record.meta().claimed(), now);
            meta.id_drawn = now;
            meta.changed_by = self.attempt();
            changes.tried_by(meta.changed_by);
            let principal = pending.intent.principal_over(Some(&base.record));
            let record = changes.encode(Some(&base.record), &meta, principal);
            let version = match self.write(&key, &record, expect).await {
                Ok(Written::Stored(version)) => version,
                Ok(Written::Conflict) => return Err(SessionError::Contended),
                Err(error) => {
                    if expect != Expect::Absent || is_in_doubt(&error) {
                        self.discard(&key).await;
                    }
                    return Err(error);
                }
            };
            let new = Arc::new(Live { id: id.clone(), key, version, source: base.source, record });
            match self.supersede(&base, &new, rotation, now).await {
                Ok(Written::Stored(_)) => {
                    self.events.emit(EventKind::Rotated, Some(&key));
                    return Ok(new);
                }
                Ok(Written::Conflict) => expect = Expect::Version(version),
                Err(error) => {
                    // If the marker may have been written, the new record may be the only one there is.
                    if !is_in_doubt(&error) {
                        self.discard(&key).await;
                    }
                    return Err(error);
                }
            }
            if turn.is_none() {
                turn = Some(self.gates.of(&live.key).enter().await);
            }
            match self.refresh(&base).await {
                Ok(fresh) if fresh.key == base.key => base = fresh,
                Ok(moved) => {
                    self.discard(&key).await;
                    drop(turn);
                    return self.after_lost_rotation(moved, pending, rotation, now).await;
                }
                Err(error) => {
                    self.discard(&key).await;
                    return Err(error);
                }
            }
            match self.replay(pending, &base) {
                Ok(changes) => replayed = Some(changes),
                Err(error) => {
                    self.discard(&key).await;
                    return Err(error);
                }
            }
        }
        self.discard(&key).await;
        Err(SessionError::Contended)
    }

    /// Another request has rotated routinely in the meantime: its id is as new as ours would be, but a change of
    /// privileges still needs an id that nobody had before.
    async fn after_lost_rotation(
        &self,
        moved: Arc<Live>,
        pending: &Pending,
        rotation: Rotation,
        now: Timestamp,
    ) -> Result<Arc<Live>, SessionError> {
        let changes = self.replay(pending, &moved)?;
        let pending = Pending { changes, intent: pending.intent.clone(), stale: false };
        match rotation {
            Rotation::Routine => Box::pin(self.update_after_conflict(moved, &pending, now)).await,
            Rotation::Privilege => Box::pin(self.rotate(&moved, &pending, rotation, now)).await,
        }
    }

    async fn supersede(
        &self,
        old: &Live,
        new: &Live,
        rotation: Rotation,
        now: Timestamp,
    ) -> Result<Written, SessionError> {
        let routine = rotation == Rotation::Routine;
        let grace = self.config.renewal_grace;
        let marker = Marker {
            linked: routine || old.record.principal().is_some(),
            grace_until: routine.then(|| now.plus(grace)),
            successor: new.key,
            masked_id: if routine { old.id.mask_successor(&new.id) } else { [0; 24] },
        };
        let expires_at = now.plus(self.config.superseded_for.max(grace));
        let entry = Entry::new(marker.to_bytes(), expires_at.into());
        let written = self.store().write(&old.key, entry, Expect::Version(old.version)).await;
        written.map_err(|error| self.failed(error, &old.key))
    }
}

/// Whether what failed may have been carried out all the same.
fn is_in_doubt(error: &SessionError) -> bool {
    matches!(error, SessionError::Store(error) if error.kind() == StoreErrorKind::Indeterminate)
}

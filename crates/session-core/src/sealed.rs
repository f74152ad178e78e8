//! Sessions without a store: the record travels with the client, so storing it means announcing it.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

use crate::{
    commit::Task,
    digest::StoreKey,
    error::{Limit, SessionError},
    event::EventKind,
    id::SessionId,
    manager::{Found, Shared},
    record::{Content, Meta},
    state::{Live, Pending, Status},
    store::{Entry, Expect, Removed, Store, Stored, Version, Written},
    store_error::{StoreError, StoreErrorKind},
    timestamp::Timestamp,
};

impl Shared {
    /// The session of a record that the client has presented and that is authentic.
    pub(crate) fn unseal(&self, record: Bytes, now: Timestamp) -> Found {
        match Content::parse(record) {
            Ok(Content::Live(record)) if self.config.expiry.deadline(&record.meta()) > now => {
                self.events.emit(EventKind::Loaded, None);
                Found::Live(Arc::new(Live { record, ..nowhere() }), false)
            }
            Ok(Content::Live(_)) => {
                self.events.emit(EventKind::Expired, None);
                Found::Nothing(Status::Expired)
            }
            Ok(Content::Superseded(_)) | Err(_) => {
                self.events.emit(EventKind::Corrupt, None);
                Found::Nothing(Status::Unknown)
            }
        }
    }

    /// The record with what is pending, and the form in which it travels.
    pub(crate) fn reseal(
        &self,
        task: Task,
        live: Option<&Live>,
        pending: &Pending,
        now: Timestamp,
    ) -> Result<(Live, Bytes), SessionError> {
        let old = live.map(|live| &live.record);
        let meta = match old {
            Some(record) => record.meta(),
            None => Meta::new(now, self.draw()?.1),
        };
        let mut meta = pending.intent.apply(meta, now);
        if matches!(task, Task::Rotate(_)) {
            meta.id_drawn = now;
        }
        let record = pending.changes.encode(old, &meta, pending.intent.principal_over(old));
        self.config.limits.check(Limit::RecordBytes, record.bytes().len())?;
        let sealed = self.persistence.seal(record.bytes(), &*self.random)?;
        let event = match task {
            Task::Create => EventKind::Created,
            Task::Touch => EventKind::Touched,
            Task::Rotate(_) => EventKind::Rotated,
            Task::Nothing | Task::Update => EventKind::Saved,
        };
        self.events.emit(event, None);
        Ok((Live { record, ..nowhere() }, sealed))
    }
}

/// What a manager has in place of a store when the records travel with the clients.
#[derive(Debug)]
pub(crate) struct NoStore;

#[async_trait]
impl Store for NoStore {
    async fn load(&self, _: &StoreKey) -> Result<Option<Stored>, StoreError> {
        Err(no_store())
    }

    async fn write(&self, _: &StoreKey, _: Entry, _: Expect) -> Result<Written, StoreError> {
        Err(no_store())
    }

    async fn remove(&self, _: &StoreKey, _: Option<Version>) -> Result<Removed, StoreError> {
        Err(no_store())
    }
}

const fn no_store() -> StoreError {
    StoreError::new(StoreErrorKind::Unavailable, "no")
}

/// The place of a record that is in no store.
fn nowhere() -> Live {
    Live {
        id: SessionId::supplied(""),
        key: StoreKey::from_bytes([0; 32]),
        version: Version::new(0),
        source: 0,
        record: crate::record::Record::empty(),
    }
}

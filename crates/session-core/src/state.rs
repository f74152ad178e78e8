//! What one request knows of its session: the loaded record, and on top of it what the request did.

use std::{
    collections::BTreeSet,
    ops::{Deref, DerefMut},
    sync::Arc,
};

use bytes::Bytes;

use crate::{
    changes::{Changes, Namespace, Operation},
    digest::StoreKey,
    error::{Limit, SessionError},
    expiry::Override,
    id::SessionId,
    limits::Limits,
    record::{EntryRef, Meta, Record},
    report::{Announced, Saved},
    store::Version,
    timestamp::Timestamp,
};

/// What a request presented, seen from its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Status {
    /// No id was presented.
    New,
    /// The id names a live session.
    Active,
    /// The id named a session that is over its time. The next write starts a new one.
    Expired,
    /// The id names nothing, or several live ids were presented. The next write starts a new session.
    Unknown,
    /// The id was replaced in another request, by a login for example. Nothing can be written under it.
    Superseded,
    /// The session was ended, by this request or by another while it ran.
    Ended,
}

impl Status {
    /// The name of the status in logs and wire formats.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Active => "active",
            Self::Expired => "expired",
            Self::Unknown => "unknown",
            Self::Superseded => "superseded",
            Self::Ended => "ended",
        }
    }
}

#[derive(Debug)]
pub(crate) struct State {
    /// The response is on its way: nothing can be changed any more.
    pub(crate) closed: bool,
    /// When the session was loaded: the last use of a session is the arrival of a request (OWASP Session Management Cheat
    /// Sheet, idle timeout), so whether that has to be written down needs no other look at the clock.
    pub(crate) loaded_at: Timestamp,
    pub(crate) status: Status,
    /// The record this request works on.
    pub(crate) live: Option<Arc<Live>>,
    /// Whether this request stored that record for the first time.
    pub(crate) created_here: bool,
    /// What was done since the record was loaded or last saved.
    pub(crate) pending: Pending,
    /// What is being stored at this moment; lies between the record and `pending`.
    pub(crate) saving: Option<Arc<Pending>>,
    /// A record that this request ended and that is still in the store.
    pub(crate) ending: Option<Ending>,
    /// The session was ended while it was being stored, and whether the client is told: what is stored then is to be
    /// ended as well.
    pub(crate) end_when_saved: Option<bool>,
    /// Where the presented id was replaced.
    pub(crate) superseded: Option<StoreKey>,
    /// The session was ended elsewhere while this request ran: nothing may be written any more.
    pub(crate) gone: bool,
    pub(crate) announced: Announced,
    pub(crate) saved: Saved,
    /// Which strategy of a chain has found the session, for telling that it is over.
    pub(crate) source: u8,
    /// The record in the form in which it travels, if there is no store.
    pub(crate) sealed: Option<Bytes>,
    /// Goes up with every operation, so that a closure that ran outside of the lock notices others.
    pub(crate) epoch: u64,
    /// Entries of the session as this request sees it: their number and bytes.
    keys: usize,
    bytes: usize,
}

/// A record and where it is. Behind an `Arc`, because it is handed through many hands and is large to move.
#[derive(Clone, Debug)]
pub(crate) struct Live {
    pub(crate) id: SessionId,
    pub(crate) key: StoreKey,
    pub(crate) version: Version,
    /// Which strategy of a chain has found it.
    pub(crate) source: u8,
    pub(crate) record: Record,
}

/// A record that is to be removed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ending {
    pub(crate) key: StoreKey,
    /// The version this request has seen; `None` if it has only seen that the id was replaced.
    pub(crate) seen: Option<Version>,
    /// Whether the client is told to forget the id.
    pub(crate) withdraws: bool,
}

/// What has to be stored: the values, and what the library itself keeps.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pending {
    pub(crate) changes: Changes,
    pub(crate) intent: Intent,
    /// The changes were made while earlier ones were being stored, so their values may rest on a record that was never
    /// stored: they have to be made again.
    pub(crate) stale: bool,
}

/// What the library itself shall change, beside the values. Empty in most requests, and then it takes no space.
#[derive(Clone, Debug, Default)]
pub(crate) struct Intent(Option<Box<Wishes>>);

static NO_WISHES: Wishes = Wishes {
    renew: false,
    next_id: None,
    principal: None,
    csrf_secret: None,
    idle: None,
    absolute: None,
    forced: false,
};

impl Deref for Intent {
    type Target = Wishes;

    fn deref(&self) -> &Wishes {
        self.0.as_deref().unwrap_or(&NO_WISHES)
    }
}

impl DerefMut for Intent {
    fn deref_mut(&mut self) -> &mut Wishes {
        self.0.get_or_insert_default()
    }
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Wishes {
    pub(crate) renew: bool,
    /// The id that will be issued, if the handler has asked for it already.
    pub(crate) next_id: Option<SessionId>,
    /// `Some(None)`: nobody any more.
    pub(crate) principal: Option<Option<Box<str>>>,
    pub(crate) csrf_secret: Option<[u8; 24]>,
    pub(crate) idle: Option<Override>,
    pub(crate) absolute: Option<Override>,
    pub(crate) forced: bool,
}

impl Wishes {
    fn is_empty(&self) -> bool {
        // An id that was only shown changes nothing.
        let Self { renew, next_id: _, principal, csrf_secret, idle, absolute, forced } = self;
        !renew
            && !forced
            && principal.is_none()
            && csrf_secret.is_none()
            && idle.is_none()
            && absolute.is_none()
    }

    /// Whether a stored record has to be written for this.
    pub(crate) fn changes_record(&self) -> bool {
        !self.is_empty()
    }

    /// Whether a visitor without a session gets one for this.
    pub(crate) fn creates(&self) -> bool {
        self.forced || self.csrf_secret.is_some() || self.authenticates()
    }

    pub(crate) fn authenticates(&self) -> bool {
        matches!(self.principal, Some(Some(_)))
    }

    pub(crate) fn apply(&self, mut meta: Meta, now: Timestamp) -> Meta {
        meta.last_seen = now;
        match &self.principal {
            Some(Some(_)) => meta.authenticated = Some(now),
            Some(None) => meta.authenticated = None,
            None => {}
        }
        meta.csrf_secret = self.csrf_secret.unwrap_or(meta.csrf_secret);
        meta.idle = self.idle.unwrap_or(meta.idle);
        meta.absolute = self.absolute.unwrap_or(meta.absolute);
        meta
    }

    pub(crate) fn principal_over<'a>(&'a self, record: Option<&'a Record>) -> &'a str {
        match &self.principal {
            Some(principal) => principal.as_deref().unwrap_or_default(),
            None => record.and_then(Record::principal).unwrap_or_default(),
        }
    }
}

impl Pending {
    pub(crate) const fn nothing() -> Self {
        Self { changes: Changes::nothing(), intent: Intent(None), stale: false }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.intent.is_empty()
    }

    pub(crate) fn then(self, later: Self) -> Self {
        let stale = self.stale || later.stale;
        let changes = self.changes.then(later.changes);
        let (first, then) = match (self.intent.0, later.intent.0) {
            (Some(first), Some(then)) => (*first, *then),
            (first, then) => return Self { changes, intent: Intent(first.or(then)), stale },
        };
        Self {
            changes,
            stale,
            intent: Intent(Some(Box::new(Wishes {
                renew: first.renew || then.renew,
                next_id: then.next_id.or(first.next_id),
                principal: then.principal.or(first.principal),
                csrf_secret: then.csrf_secret.or(first.csrf_secret),
                idle: then.idle.or(first.idle),
                absolute: then.absolute.or(first.absolute),
                forced: first.forced || then.forced,
            }))),
        }
    }
}

impl State {
    pub(crate) const fn new() -> Self {
        Self {
            closed: false,
            loaded_at: Timestamp::from_millis(0),
            status: Status::New,
            live: None,
            created_here: false,
            pending: Pending::nothing(),
            saving: None,
            ending: None,
            end_when_saved: None,
            superseded: None,
            gone: false,
            announced: Announced::NothingAsked,
            saved: Saved::NothingAsked,
            source: 0,
            sealed: None,
            epoch: 0,
            keys: 0,
            bytes: 0,
        }
    }

    pub(crate) fn loaded(&mut self, status: Status, live: Option<Arc<Live>>) {
        self.status = status;
        self.announced = Announced::NothingNew;
        self.saved = Saved::NothingChanged;
        self.replace(live);
    }

    /// Puts another record under what the request did.
    pub(crate) fn replace(&mut self, live: Option<Arc<Live>>) {
        self.live = live;
        self.epoch += 1;
        self.recount();
    }

    pub(crate) fn check_mutable(&self) -> Result<(), SessionError> {
        if self.closed {
            return Err(SessionError::ResponseSent);
        }
        if self.status == Status::Superseded {
            return Err(SessionError::Superseded);
        }
        if self.gone {
            return Err(SessionError::Ended);
        }
        Ok(())
    }

    pub(crate) fn find(&self, namespace: &str, key: &str) -> Option<&[u8]> {
        let in_saving = || self.saving.as_ref().and_then(|saving| saving.changes.find(namespace, key));
        match self.pending.changes.find(namespace, key).or_else(in_saving) {
            Some(found) => found,
            None => self.live.as_ref()?.record.find(namespace, key),
        }
    }

    pub(crate) fn keys(&self, namespace: &str) -> BTreeSet<String> {
        let stored = self.live.iter().flat_map(|live| live.record.entries());
        let named = stored.filter(|entry| entry.namespace == namespace.as_bytes());
        let mut keys = named.map(|entry| String::from_utf8_lossy(entry.key).into_owned()).collect();
        if let Some(saving) = &self.saving {
            keys = saving.changes.keys(namespace, keys);
        }
        self.pending.changes.keys(namespace, keys)
    }

    /// Adds an operation, or refuses it and changes nothing.
    pub(crate) fn apply(
        &mut self,
        namespace: Namespace,
        key: std::borrow::Cow<'static, str>,
        operation: Operation,
        limits: Limits,
    ) -> Result<(), SessionError> {
        self.check_mutable()?;
        let old = self.find(&namespace, &key).map(|value| entry_length(&namespace, &key, value));
        let new = operation.value().map(|value| entry_length(&namespace, &key, value));
        let keys = self.keys - usize::from(old.is_some()) + usize::from(new.is_some());
        let bytes = self.bytes - old.unwrap_or(0) + new.unwrap_or(0);
        if let Some(value) = operation.value() {
            limits.check(Limit::KeyBytes, key.len())?;
            limits.check(Limit::ValueBytes, value.len())?;
            limits.check(Limit::Keys, keys)?;
            limits.check(Limit::RecordBytes, Record::length(self.principal().map_or(0, str::len), bytes))?;
        }
        (self.keys, self.bytes) = (keys, bytes);
        self.pending.changes.push(namespace, key, operation);
        self.epoch += 1;
        Ok(())
    }

    pub(crate) fn clear(&mut self, namespace: Namespace) -> Result<(), SessionError> {
        self.check_mutable()?;
        self.pending.changes.clear(namespace);
        self.epoch += 1;
        self.recount();
        Ok(())
    }

    pub(crate) fn intents(&self) -> impl Iterator<Item = &Wishes> {
        std::iter::once(&*self.pending.intent).chain(self.saving.iter().map(|saving| &*saving.intent))
    }

    pub(crate) fn principal(&self) -> Option<&str> {
        match self.intents().find_map(|intent| intent.principal.as_ref()) {
            Some(principal) => principal.as_deref(),
            None => self.live.as_ref()?.record.principal(),
        }
    }

    pub(crate) fn csrf_secret(&self) -> Option<[u8; 24]> {
        let drawn = self.intents().find_map(|intent| intent.csrf_secret);
        drawn.or_else(|| self.live.as_ref().map(|live| live.record.meta().csrf_secret))
    }

    /// Whether there is something to store.
    pub(crate) fn is_changed(&self) -> bool {
        !self.pending.is_empty() || self.saving.is_some()
    }

    /// What the library keeps of the session as this request sees it.
    pub(crate) fn meta(&self, now: Timestamp) -> Meta {
        let stored = self.live.as_ref().map_or_else(|| Meta::new(now, [0; 24]), |live| live.record.meta());
        let saving = self.saving.as_ref().map_or(stored, |saving| saving.intent.apply(stored, now));
        self.pending.intent.apply(saving, now)
    }

    /// Drops what the request did since the record was loaded or last saved.
    pub(crate) fn revert(&mut self) {
        self.pending = Pending::default();
        self.epoch += 1;
        self.recount();
    }

    /// Bytes of the record if it belonged to `principal`.
    pub(crate) fn length_for(&self, principal: &str) -> usize {
        Record::length(principal.len(), self.bytes)
    }

    fn recount(&mut self) {
        let (mut keys, mut bytes) = (0, 0);
        let mut count = |entry: EntryRef<'_>| {
            keys += 1;
            bytes += entry.len();
        };
        let saving = self.saving.as_ref().map(|saving| &saving.changes);
        if self.pending.changes.is_empty() && saving.is_none() {
            (self.keys, self.bytes) =
                self.live.as_ref().map_or((0, 0), |live| (live.record.keys(), live.record.entries_length()));
            return;
        }
        let pending = &self.pending.changes;
        let stored = self.live.iter().flat_map(|live| live.record.entries());
        stored
            .filter(|entry| {
                !pending.overrides(entry) && !saving.is_some_and(|saving| saving.overrides(entry))
            })
            .for_each(&mut count);
        let saved = saving.into_iter().flat_map(Changes::entries);
        saved.filter(|entry| !pending.overrides(entry)).for_each(&mut count);
        pending.entries().for_each(&mut count);
        (self.keys, self.bytes) = (keys, bytes);
    }
}

fn entry_length(namespace: &str, key: &str, value: &[u8]) -> usize {
    EntryRef { namespace: namespace.as_bytes(), key: key.as_bytes(), value }.len()
}

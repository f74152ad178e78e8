//! The manager: one for an application, shared by all its requests.

use std::{
    collections::HashSet,
    fmt,
    sync::{
        Arc, RwLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use http::{HeaderName, Method};

use crate::{
    attempt::MOST_ATTEMPTS,
    builder::{CloseListener, ErrorResponse, ManagerBuilder},
    clock::Clock,
    config::SessionConfig,
    digest::{Realm, StoreKey},
    error::SessionError,
    event::{EventKind, Events, Fingerprint, Stats},
    gate::Gates,
    id::{Random, SessionId},
    lazy::LazySession,
    open::Opening,
    persist::{Candidate, Persistence},
    record::{Content, Record},
    request::RequestHead,
    response::Varying,
    state::{Live, Status},
    store::{Entry, Expect, Removed, Store, Version, Written},
    store_error::{StoreError, StoreErrorKind},
    timestamp::Timestamp,
};

/// Decides everything about sessions. Cheap to clone.
///
/// An adapter calls [`open`](Self::open) before the handler and [`close`](Self::close) after it, and nothing else.
#[derive(Clone)]
pub struct SessionManager(pub(crate) Arc<Shared>);

pub(crate) struct Shared {
    pub(crate) config: SessionConfig,
    pub(crate) realm: Realm,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) persistence: Arc<dyn Persistence>,
    /// What never changes of its answers, so that not every request asks for it.
    pub(crate) varying: Varying,
    pub(crate) response_fields: Box<[HeaderName]>,
    pub(crate) in_urls: bool,
    pub(crate) redirects: bool,
    pub(crate) is_sealed: bool,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) events: Events,
    pub(crate) gates: Gates,
    /// For the logins of one principal.
    pub(crate) logins: Gates,
    /// Counts from a random number.
    pub(crate) attempts: AtomicU64,
    /// Until the store has given an entry back: making one for nothing is what a write costs most.
    pub(crate) writes_now: AtomicBool,
    pub(crate) reserved: RwLock<HashSet<String>>,
    pub(crate) on_close: Option<Arc<CloseListener>>,
    pub(crate) error_response: Option<Arc<ErrorResponse>>,
}

/// What an id leads to.
pub(crate) enum Found {
    /// A live record, and whether the client has to be told its id again: it was reached through an id that was replaced,
    /// or whose key is about to be.
    Live(Arc<Live>, bool),
    /// The id was replaced; this is the key of what it left behind, and which strategy of a chain has found it.
    Superseded(StoreKey, u8),
    Nothing(Status),
}

/// Rotations that are followed from one id; more would mean a loop.
pub(crate) const MOST_HOPS: usize = 8;

impl SessionManager {
    /// A manager over `store`, to be configured.
    pub fn builder(store: impl Store) -> ManagerBuilder {
        ManagerBuilder::new(Some(Arc::new(store)))
    }

    /// A manager for sessions that travel with their clients, to be configured with such a strategy
    /// ([`SealedCookie`](crate::persist::SealedCookie)).
    pub fn without_store() -> ManagerBuilder {
        ManagerBuilder::new(None)
    }

    /// Begins the session part of a request: finds what the request presents, without asking the store.
    ///
    /// The answer is a future that is ready at once, except for strategies that have to look before the handler runs.
    pub fn open(&self, head: &RequestHead<'_>) -> Opening {
        let session = LazySession::new(self.0.clone(), self.0.persistence.present(head));
        if self.0.redirects
            && head.method == Method::GET
            && let Some(parameter) = self.0.persistence.query_parameter()
        {
            return self.redirect_unless_live(session, head.uri, parameter);
        }
        Opening::ready(session)
    }

    /// The request fields that [`open`](Self::open) looks at, or `None` for any: for adapters that have to copy them.
    #[must_use]
    pub fn request_fields(&self) -> Option<&[HeaderName]> {
        (!self.0.persistence.reads_other_fields()).then(|| self.0.persistence.vary())
    }

    /// Whether [`open`](Self::open) looks at the target of requests: for adapters that would have to copy it.
    #[must_use]
    pub fn reads_target(&self) -> bool {
        self.0.in_urls || self.0.persistence.reads_other_fields()
    }

    /// The response fields that [`Closed::apply`](crate::Closed::apply) looks at or replaces, or `None` for any; to others
    /// it only adds. For adapters that have to copy them.
    #[must_use]
    pub fn response_fields(&self) -> Option<&[HeaderName]> {
        (!self.0.persistence.reads_other_fields()).then_some(&*self.0.response_fields)
    }

    /// Whether responses tell clients their ids. If not, the application does ([`Session::id_to_hand_out`]).
    ///
    /// [`Session::id_to_hand_out`]: crate::Session::id_to_hand_out
    #[must_use]
    pub fn announces_ids(&self) -> bool {
        self.0.persistence.announces()
    }

    /// The settings in force.
    #[must_use]
    pub fn config(&self) -> &SessionConfig {
        &self.0.config
    }

    /// How often each [`EventKind`] happened.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.0.events.stats()
    }

    /// What [`Event::session`](crate::Event::session) shows for a session of this manager.
    #[must_use]
    pub fn fingerprint(&self, id: &SessionId) -> Fingerprint {
        self.0.events.fingerprint(&self.0.realm.store_key(id))
    }
}

impl fmt::Debug for SessionManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionManager")
            .field("store", &self.0.store)
            .field("config", &self.0.config)
            .finish_non_exhaustive()
    }
}

impl Shared {
    /// The store itself: through its `Arc`, every call would be forwarded by one more boxed future.
    pub(crate) fn store(&self) -> &dyn Store {
        &*self.store
    }

    /// A number for an attempt to store changes: none of this manager has had it, and hardly one of any other.
    pub(crate) fn attempt(&self) -> u64 {
        self.attempts.fetch_add(1, Ordering::Relaxed).max(1)
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now().into()
    }

    /// The live record of an id. Expired records are removed, replaced ids are followed while their grace lasts.
    ///
    /// Every request comes here, so what is rare is kept outside of this future.
    pub(crate) async fn find(&self, candidate: &Candidate, now: Timestamp) -> Result<Found, SessionError> {
        let key = self.realm.store_key(&candidate.id);
        match self.fetch(&key).await? {
            Some((Content::Live(record), version)) if self.is_alive(&record, now) => {
                self.events.emit(EventKind::Loaded, Some(&key));
                let (id, source) = (candidate.id.clone(), candidate.source);
                let live = Arc::new(Live { id, key, version, source, record });
                Ok(Found::Live(live, candidate.outdated))
            }
            Some(other) => Box::pin(self.look_further(candidate, key, other, now)).await,
            None => Ok(self.unknown()),
        }
    }

    /// The rest of [`find`](Self::find) for what is no live record.
    async fn look_further(
        &self,
        candidate: &Candidate,
        mut key: StoreKey,
        first: (Content, Version),
        now: Timestamp,
    ) -> Result<Found, SessionError> {
        let (mut id, source, mut announce) = (candidate.id.clone(), candidate.source, candidate.outdated);
        let mut fetched = Some(first);
        for _ in 0..MOST_HOPS {
            match fetched {
                None => break,
                Some((Content::Live(record), version)) => {
                    if self.is_alive(&record, now) {
                        self.events.emit(EventKind::Loaded, Some(&key));
                        let live = Arc::new(Live { id, key, version, source, record });
                        return Ok(Found::Live(live, announce));
                    }
                    // Only this version: another request may have kept the session alive meanwhile.
                    match self.store().remove(&key, Some(version)).await {
                        Ok(Removed::Conflict) => {}
                        Ok(Removed::Gone) => {
                            self.events.emit(EventKind::Expired, Some(&key));
                            return Ok(Found::Nothing(Status::Expired));
                        }
                        Err(error) => {
                            self.events.store_failed(error.kind(), &key);
                            return Ok(Found::Nothing(Status::Expired));
                        }
                    }
                }
                Some((Content::Superseded(marker), _)) => {
                    if !marker.in_grace(self.clock.now()) {
                        self.events.emit(EventKind::SupersededUse, Some(&key));
                        return Ok(Found::Superseded(key, source));
                    }
                    id = id.unmask_successor(marker.masked_id);
                    key = self.realm.store_key(&id);
                    announce = true;
                }
            }
            fetched = self.fetch(&key).await?;
        }
        Ok(self.unknown())
    }

    pub(crate) fn is_alive(&self, record: &Record, now: Timestamp) -> bool {
        self.config.expiry.deadline(&record.meta()) > now
    }

    fn unknown(&self) -> Found {
        self.events.emit(EventKind::UnknownId, None);
        Found::Nothing(Status::Unknown)
    }

    pub(crate) async fn fetch(&self, key: &StoreKey) -> Result<Option<(Content, Version)>, SessionError> {
        let stored = self.store().load(key).await.map_err(|error| self.failed(error, key))?;
        let Some(stored) = stored else { return Ok(None) };
        let content = Content::parse(stored.bytes)
            .map_err(|error| StoreError::new(StoreErrorKind::Corrupt, "session").with_source(error))
            .map_err(|error| self.failed(error, key))?;
        let forgotten = matches!(content, Content::Superseded(_)) && stored.expires_at <= self.clock.now();
        Ok((!forgotten).then_some((content, stored.version)))
    }

    pub(crate) async fn write(
        &self,
        key: &StoreKey,
        record: &Record,
        expect: Expect,
    ) -> Result<Written, SessionError> {
        let entry = self.entry(record);
        self.store().write(key, entry, expect).await.map_err(|error| self.failed(error, key))
    }

    /// What the store is asked to keep of a record.
    pub(crate) fn entry(&self, record: &Record) -> Entry {
        Entry {
            bytes: record.bytes().clone(),
            expires_at: self.config.expiry.deadline(&record.meta()).into(),
            principal: record.principal().map(|principal| self.realm.principal_key(principal)),
        }
    }

    /// Ends the session under `key`, whatever happens to it at the same time: other versions are removed as well, and
    /// a session that was moved to another id is followed there. `expect` is the version the caller has seen.
    ///
    /// Answers whether there was anything to end.
    pub(crate) async fn end(
        &self,
        key: &StoreKey,
        mut expect: Option<Version>,
    ) -> Result<bool, SessionError> {
        let mut key = *key;
        let mut turn = None;
        for _ in 0..MOST_ATTEMPTS {
            if let Some(version) = expect {
                match self
                    .store()
                    .remove(&key, Some(version))
                    .await
                    .map_err(|error| self.failed(error, &key))?
                {
                    Removed::Gone => {
                        self.events.emit(EventKind::Ended, Some(&key));
                        return Ok(true);
                    }
                    Removed::Conflict if turn.is_none() => turn = Some(self.gates.of(&key).enter().await),
                    Removed::Conflict => {}
                }
            }
            match self.fetch(&key).await? {
                None => return Ok(expect.is_some()),
                Some((Content::Live(_), version)) => expect = Some(version),
                Some((Content::Superseded(marker), _)) if marker.linked => {
                    turn = None;
                    (key, expect) = (marker.successor, None);
                }
                Some((Content::Superseded(_), _)) => return Ok(false),
            }
        }
        self.events.emit(EventKind::Contended, Some(&key));
        Err(SessionError::Contended)
    }

    pub(crate) fn failed(&self, error: StoreError, key: &StoreKey) -> SessionError {
        self.events.store_failed(error.kind(), key);
        SessionError::Store(error)
    }
}

//! The session as a handler sees it.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};

use serde::{Serialize, de::DeserializeOwned};

use crate::{
    changes,
    commit::Moment,
    detached::DetachedSession,
    dictionary::dictionary_methods,
    error::{Limit, SessionError},
    expiry::{Expiry, Override},
    id::SessionId,
    key::{AsKey, KeyName},
    lazy::{Inner, LazySession},
    namespace::Namespace,
    principals::SessionHandle,
    report::Announced,
    state::{Ending, Status},
    timestamp::Timestamp,
};

/// The session of a request: a dictionary of typed values that outlives the request. Cheap to clone.
///
/// It is loaded, so reading and changing it is synchronous. Changes are kept as a list and stored when the request
/// ends; if a parallel request was faster, the same changes are made again on top of its result, so neither loses
/// anything. Nothing is stored for a visitor who only reads.
///
/// ```
/// # use session_core::{Key, Session, SessionError};
/// const VISITS: Key<u32> = Key::new("visits");
///
/// fn greet(session: &Session) -> Result<String, SessionError> {
///     let visits = session.update(VISITS, |visits| *visits += 1)?;   // counts every parallel request
///     let name: Option<String> = session.get("name")?;
///     Ok(format!("Hello {}, this is visit {visits}", name.unwrap_or_default()))
/// }
/// ```
///
/// # Errors
/// Methods that change something fail with [`SessionError::ResponseSent`] once the response head has left, with
/// [`SessionError::Superseded`] if the id of the request was replaced in another request, and with
/// [`SessionError::Ended`] once it is known that another request ended the session.
#[derive(Clone)]
pub struct Session(pub(crate) Arc<Inner>);

impl Session {
    dictionary_methods!();

    fn inner(&self) -> &Inner {
        &self.0
    }

    #[expect(clippy::unused_self, reason = "the dictionary methods ask every type for its name")]
    fn name(&self) -> changes::Namespace {
        changes::Namespace::Borrowed("")
    }

    /// The dictionary called `name` in this session: the same methods, separate keys. For several applications or
    /// components that share one session.
    ///
    /// # Errors
    /// [`SessionError::InvalidNamespace`] unless the name is 1 to 255 of `A-Z a-z 0-9 - _ .`, and
    /// [`SessionError::Reserved`] for one that a component has reserved.
    pub fn namespace(&self, name: &str) -> Result<Namespace, SessionError> {
        Namespace::open(self, name)
    }

    /// What the request presented, and what became of it.
    #[must_use]
    pub fn status(&self) -> Status {
        self.0.state().status
    }

    /// Whether there was no session when the request came: it is new, or will be with the first write.
    #[must_use]
    pub fn is_new(&self) -> bool {
        let state = self.0.state();
        state.created_here || state.live.as_ref().is_none_or(|live| live.record.meta().unclaimed)
    }

    /// The id, once the session is stored: for clients that get it by other means than the configured one. `None` for
    /// a session that travels with its client. See also [`id_to_hand_out`](Self::id_to_hand_out).
    #[must_use]
    pub fn id(&self) -> Option<SessionId> {
        let state = self.0.state();
        state.live.as_ref().filter(|_| !self.0.shared.is_sealed).map(|live| live.id.clone())
    }

    /// The name under which the session can be shown to its owner and be ended, once it is stored. Not a secret.
    #[must_use]
    pub fn handle(&self) -> Option<SessionHandle> {
        let state = self.0.state();
        state.live.as_ref().filter(|_| !self.0.shared.is_sealed).map(|live| SessionHandle::of(live.key))
    }

    /// When the session was created; now for one that is not stored yet.
    #[must_use]
    pub fn created(&self) -> SystemTime {
        self.0.state().meta(self.0.shared.now()).created.into()
    }

    /// When the session was last seen in use before this request; now for one that is not stored yet. Exact to a tenth
    /// of the idle timeout.
    #[must_use]
    pub fn last_seen(&self) -> SystemTime {
        let seen = self.0.state().live.as_ref().map(|live| live.record.meta().last_seen);
        seen.unwrap_or_else(|| self.0.shared.now()).into()
    }

    /// When the session ends if it is not used again. Until this request is written down as use, that is what the
    /// requests before it have left; see [`last_seen`](Self::last_seen).
    #[must_use]
    pub fn expires_at(&self) -> SystemTime {
        let (expiry, now) = (self.0.shared.config.expiry, self.0.shared.now());
        let state = self.0.state();
        let meta = match &state.live {
            Some(live) if !state.is_changed() && !expiry.touch_is_due(&live.record.meta(), now) => {
                live.record.meta()
            }
            _ => state.meta(now),
        };
        expiry.deadline(&meta).into()
    }

    /// Ends the session at this instant, however much it is used; the idle timeout stays in force.
    ///
    /// # Errors
    /// [`SessionError::ExpiryInThePast`], and those of every change.
    pub fn set_expires_at(&self, instant: SystemTime) -> Result<(), SessionError> {
        let instant = Timestamp::from(instant);
        if instant <= self.0.shared.now() {
            return Err(SessionError::ExpiryInThePast);
        }
        self.0.intend(|intent| intent.absolute = Some(Override::Value(instant.millis())))
    }

    /// Gives this session timeouts of its own, 'remember me' for example. The absolute one counts from now.
    ///
    /// # Errors
    /// [`SessionError::ExpiryInThePast`] for a timeout of zero, and those of every change.
    pub fn set_expiry(&self, expiry: Expiry) -> Result<(), SessionError> {
        if expiry.idle == Some(Duration::ZERO) || expiry.absolute == Some(Duration::ZERO) {
            return Err(SessionError::ExpiryInThePast);
        }
        let now = self.0.shared.now();
        let idle = expiry.idle.map_or(Override::Never, Override::timeout);
        let absolute =
            expiry.absolute.map_or(Override::Never, |absolute| Override::Value(now.plus(absolute).millis()));
        self.0.intend(|intent| (intent.idle, intent.absolute) = (Some(idle), Some(absolute)))
    }

    /// Gives this session an idle timeout of its own; the absolute one stays as it is.
    ///
    /// # Errors
    /// [`SessionError::ExpiryInThePast`] for a timeout of zero, and those of every change.
    pub fn set_idle_timeout(&self, idle: Duration) -> Result<(), SessionError> {
        if idle.is_zero() {
            return Err(SessionError::ExpiryInThePast);
        }
        self.0.intend(|intent| intent.idle = Some(Override::timeout(idle)))
    }

    /// Who is signed in.
    #[must_use]
    pub fn principal(&self) -> Option<String> {
        self.0.state().principal().map(str::to_owned)
    }

    /// When the session was last signed in to, for asking again before sensitive actions (OWASP ASVS 5.0 V7.5).
    #[must_use]
    pub fn authenticated_at(&self) -> Option<SystemTime> {
        self.0.state().meta(self.0.shared.now()).authenticated.map(Into::into)
    }

    /// Signs a principal in. To be called after the application has checked who it is.
    ///
    /// The id and the CSRF secret are replaced, so that nobody who knew the old id is signed in with it (session
    /// fixation, OWASP ASVS 5.0 V7.2.4); both timeouts start anew. Takes effect when the session is stored; if that
    /// fails, nobody is signed in.
    ///
    /// # Errors
    /// [`SessionError::LimitExceeded`] for a name that is empty or too long, [`SessionError::Random`], and those of
    /// every change.
    pub fn authenticate(&self, principal: &str) -> Result<(), SessionError> {
        if principal.is_empty() {
            return Err(SessionError::limit(
                Limit::PrincipalBytes,
                0,
                self.0.shared.config.limits.principal_bytes,
            ));
        }
        let limits = self.0.shared.config.limits;
        limits.check(Limit::PrincipalBytes, principal.len())?;
        limits.check(Limit::RecordBytes, self.0.state().length_for(principal))?;
        self.rotate(Some(Some(principal.into())))
    }

    /// Signs the principal out and keeps the rest of the session, under a new id.
    ///
    /// # Errors
    /// [`SessionError::Random`], and those of every change.
    pub fn deauthenticate(&self) -> Result<(), SessionError> {
        if self.0.state().principal().is_none() {
            return self.0.state().check_mutable();
        }
        self.rotate(Some(None))
    }

    /// Replaces the id and the CSRF secret and keeps everything else. To be called when privileges change in another
    /// way than by signing in or out. A visitor without a session is not given one for it.
    ///
    /// # Errors
    /// [`SessionError::Random`], and those of every change.
    pub fn renew(&self) -> Result<(), SessionError> {
        {
            let state = self.0.state();
            if state.live.is_none() && state.saving.is_none() && state.csrf_secret().is_none() {
                return state.check_mutable();
            }
        }
        self.rotate(None)
    }

    /// Ends the session: its record is removed and the client is told to forget the id. Requests that still run with
    /// it cannot bring it back. A write after this, in the same request, starts a new session under a new id.
    ///
    /// Under an id that was replaced meanwhile the session is ended as well if it was signed in before, so that no
    /// logout is lost.
    ///
    /// # Errors
    /// [`SessionError::ResponseSent`].
    pub fn destroy(&self) -> Result<(), SessionError> {
        self.finish(true)
    }

    /// Ends the session as [`destroy`](Self::destroy) does, and adds no header field: the client goes on to present an
    /// id that names nothing. For responses whose header is not this application's to change.
    ///
    /// A session that travels with its client exists nowhere else, so that one is taken away all the same.
    ///
    /// # Errors
    /// [`SessionError::ResponseSent`].
    pub fn destroy_keeping_cookie(&self) -> Result<(), SessionError> {
        self.finish(false)
    }

    /// Has the session stored even if nothing was changed.
    ///
    /// # Errors
    /// Those of every change.
    pub fn mark_changed(&self) -> Result<(), SessionError> {
        self.0.intend(|intent| intent.forced = true)
    }

    /// Drops what this request has changed since the session was loaded or last saved.
    ///
    /// # Errors
    /// Those of every change.
    pub fn revert(&self) -> Result<(), SessionError> {
        let mut state = self.0.state();
        state.check_mutable()?;
        state.revert();
        Ok(())
    }

    /// Stores the changes now instead of at the end of the request.
    ///
    /// Cancelled, or failed with [`Indeterminate`](crate::StoreErrorKind::Indeterminate), the record is as before or fully
    /// changed. The changes are then still pending and are stored again at the end of the request; an `update` that had
    /// been stored after all is recognized and not made again, unless another request has changed the session since.
    ///
    /// # Errors
    /// [`SessionError::Ended`] and [`SessionError::Superseded`] if another request was faster: the changes are dropped.
    /// [`SessionError::Contended`] and [`SessionError::Store`]: they are kept and can be saved again.
    pub async fn save(&self) -> Result<(), SessionError> {
        self.0.state().check_mutable()?;
        self.0.commit(Moment::Save).await
    }

    /// Reads the record again and drops what this request has changed since it was last saved.
    ///
    /// # Errors
    /// [`SessionError::Ended`], [`SessionError::Superseded`], [`SessionError::Store`], and those of every change.
    pub async fn reload(&self) -> Result<(), SessionError> {
        let _turn = self.0.gate.enter().await;
        let live = {
            let state = self.0.state();
            state.check_mutable()?;
            state.live.clone()
        };
        let Some(live) = live else { return self.revert() };
        let fresh = self.0.shared.refresh(&live).await?;
        let mut state = self.0.state();
        state.check_mutable()?;
        state.revert();
        if fresh.key != live.key && state.announced == Announced::NothingNew {
            state.announced = Announced::Rotated;
        }
        state.replace(Some(fresh));
        Ok(())
    }

    /// A handle for work that goes on after the response: event streams, WebSockets, background jobs. Its operations
    /// go to the store one by one.
    #[must_use]
    pub fn detach(&self) -> DetachedSession {
        DetachedSession::new(self.0.clone())
    }

    /// The session as something that can be handed to code that may not need it.
    #[must_use]
    pub fn to_lazy(&self) -> LazySession {
        LazySession(self.0.clone())
    }

    fn finish(&self, withdraws: bool) -> Result<(), SessionError> {
        let mut state = self.0.state();
        match state.check_mutable() {
            Err(error @ SessionError::ResponseSent) => return Err(error),
            Err(SessionError::Superseded) => {
                state.ending = state.superseded.map(|key| Ending { key, seen: None, withdraws });
            }
            _ => {
                state.revert();
                state.end_when_saved = state.saving.is_some().then_some(withdraws);
                if let Some(live) = state.live.take() {
                    state.ending = Some(Ending { key: live.key, seen: Some(live.version), withdraws });
                }
                state.replace(None);
                state.created_here = false;
                state.status = Status::Ended;
            }
        }
        if let Some(ending) = &mut state.ending {
            ending.withdraws = withdraws; // of several calls the last one counts
        }
        Ok(())
    }

    fn rotate(&self, principal: Option<Option<Box<str>>>) -> Result<(), SessionError> {
        self.0.state().check_mutable()?;
        let (_, csrf_secret) = self.0.shared.draw()?;
        self.0.intend(|intent| {
            intent.renew = true;
            intent.csrf_secret = Some(csrf_secret);
            if principal.is_some() {
                intent.principal = principal;
            }
        })
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("status", &self.status())
            .field("is_new", &self.is_new())
            .finish_non_exhaustive()
    }
}

//! The sessions of one person: list them, end one, end the others, keep their number down.

use std::{fmt, str::FromStr, time::SystemTime};

use crate::{
    config::SessionLimitPolicy,
    digest::StoreKey,
    error::SessionError,
    gate::Turn,
    manager::{MOST_HOPS, SessionManager, Shared},
    record::{Content, Record},
    session::Session,
    store::{PrincipalIndex, Version},
};

/// Keys that are read from an index at once.
const PAGE: usize = 256;

/// The public name of a session: 64 hexadecimal digits that can be shown and logged. Nobody can use a session with it;
/// it changes when the id does.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SessionHandle(StoreKey);

impl SessionHandle {
    pub(crate) const fn of(key: StoreKey) -> Self {
        Self(key)
    }

    /// The key under which stores keep the session.
    #[must_use]
    pub const fn store_key(&self) -> &StoreKey {
        &self.0
    }
}

impl fmt::Display for SessionHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_hex())
    }
}

impl fmt::Debug for SessionHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionHandle({self})")
    }
}

impl FromStr for SessionHandle {
    type Err = InvalidHandle;

    fn from_str(text: &str) -> Result<Self, InvalidHandle> {
        StoreKey::from_hex(text).map(Self).ok_or(InvalidHandle)
    }
}

/// A text that is no [`SessionHandle`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidHandle;

impl fmt::Display for InvalidHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a session handle is 64 lower-case hexadecimal digits")
    }
}

impl std::error::Error for InvalidHandle {}

/// One session of a principal.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionInfo {
    /// Its public name.
    pub handle: SessionHandle,
    /// When it was created.
    pub created: SystemTime,
    /// When it was last used, exact to a tenth of the idle timeout.
    pub last_seen: SystemTime,
    /// When it was signed in to.
    pub authenticated_at: Option<SystemTime>,
    /// When it ends if it is not used again.
    pub expires_at: SystemTime,
}

impl SessionManager {
    /// The live sessions of a principal, in no particular order.
    ///
    /// # Errors
    /// [`SessionError::Unsupported`] for a store without [`PrincipalIndex`], and [`SessionError::Store`].
    pub async fn sessions_of(&self, principal: &str) -> Result<Vec<SessionInfo>, SessionError> {
        self.0.all_of(principal).await
    }

    /// Up to `limit` live sessions of a principal behind `after`, for principals with very many. A page may be short
    /// or empty without being the last: go on behind the handle that comes with it until there is none.
    ///
    /// # Errors
    /// [`SessionError::Unsupported`] for a store without [`PrincipalIndex`], and [`SessionError::Store`].
    pub async fn page_of_sessions(
        &self,
        principal: &str,
        after: Option<SessionHandle>,
        limit: usize,
    ) -> Result<(Vec<SessionInfo>, Option<SessionHandle>), SessionError> {
        let (page, next) =
            self.0.page(principal, after.map(|handle| handle.0).as_ref(), limit.max(1)).await?;
        Ok((page.into_iter().map(|(info, _)| info).collect(), next.map(SessionHandle)))
    }

    /// Ends a session, whoever it belongs to, and answers whether it was alive. For operators; handlers that act for a
    /// user call [`Session::end`].
    ///
    /// # Errors
    /// [`SessionError::Store`], [`SessionError::Contended`].
    pub async fn end(&self, handle: SessionHandle) -> Result<bool, SessionError> {
        self.0.end(&handle.0, None).await
    }

    /// Ends all sessions of a principal that exist when the call begins, and answers how many there were.
    ///
    /// Which ones existed is told by the clocks: where several machines sign people in, a session that another machine has
    /// made just before is spared if that machine's clock is ahead of this one's. Keep clocks synchronized, or call again.
    ///
    /// # Errors
    /// [`SessionError::Unsupported`] for a store without [`PrincipalIndex`], and [`SessionError::Store`]: some may have
    /// been ended.
    pub async fn end_all(&self, principal: &str) -> Result<usize, SessionError> {
        self.0.end_all_but(principal, None).await
    }

    /// Ends all sessions of a principal but one, and answers how many there were.
    ///
    /// # Errors
    /// As [`end_all`](Self::end_all).
    pub async fn end_others(&self, principal: &str, keep: SessionHandle) -> Result<usize, SessionError> {
        self.0.end_all_but(principal, Some(keep.0)).await
    }
}

/// The other sessions of whoever is signed in ('your devices').
impl Session {
    /// The live sessions of the principal of this session, this one included once it is stored; none for a visitor who
    /// is not signed in.
    ///
    /// # Errors
    /// [`SessionError::Unsupported`] for a store without [`PrincipalIndex`], and [`SessionError::Store`].
    pub async fn sessions(&self) -> Result<Vec<SessionInfo>, SessionError> {
        match self.principal() {
            Some(principal) => SessionManager(self.0.shared.clone()).sessions_of(&principal).await,
            None => Ok(Vec::new()),
        }
    }

    /// Ends another session of the principal of this session, and answers whether there was one. The session of
    /// somebody else, or of a visitor, is left alone.
    ///
    /// # Errors
    /// [`SessionError::Store`], [`SessionError::Contended`].
    pub async fn end(&self, handle: SessionHandle) -> Result<bool, SessionError> {
        let Some(principal) = self.principal() else { return Ok(false) };
        match self.0.shared.follow(handle.0).await? {
            Some((key, record, version)) if record.principal() == Some(&*principal) => {
                self.0.shared.end(&key, Some(version)).await
            }
            _ => Ok(false),
        }
    }

    /// Ends all other sessions of the principal of this session, and answers how many there were.
    ///
    /// # Errors
    /// [`SessionError::Unsupported`] for a store without [`PrincipalIndex`], and [`SessionError::Store`]: some may have
    /// been ended.
    pub async fn end_others(&self) -> Result<usize, SessionError> {
        let Some(principal) = self.principal() else { return Ok(0) };
        let own = self.0.state().live.as_ref().map(|live| live.key);
        self.0.shared.end_all_but(&principal, own).await
    }
}

type Page = (Vec<(SessionInfo, Version)>, Option<StoreKey>);

impl Shared {
    async fn page(
        &self,
        principal: &str,
        after: Option<&StoreKey>,
        limit: usize,
    ) -> Result<Page, SessionError> {
        let index = self.principal_index()?;
        let principal_key = self.realm.principal_key(principal);
        let keys = index.keys_of(&principal_key, after, limit).await.map_err(SessionError::Store)?;
        let next = keys.last().copied();
        let mut sessions: Vec<(SessionInfo, Version)> = Vec::with_capacity(keys.len());
        for listed in keys {
            if let Some((key, record, version)) = self.follow(listed).await?
                && record.principal() == Some(principal)
                && self.config.expiry.deadline(&record.meta()) > self.now()
                && !sessions.iter().any(|(known, _)| known.handle.0 == key)
            {
                sessions.push((self.info(key, &record), version));
            }
        }
        Ok((sessions, next))
    }

    /// The live record of the session that had its record under `key` a moment ago: its id may be replaced while
    /// somebody looks for it.
    async fn follow(&self, mut key: StoreKey) -> Result<Option<(StoreKey, Record, Version)>, SessionError> {
        for _ in 0..MOST_HOPS {
            match self.fetch(&key).await? {
                Some((Content::Live(record), version)) => return Ok(Some((key, record, version))),
                Some((Content::Superseded(marker), _)) if marker.linked => key = marker.successor,
                _ => break,
            }
        }
        Ok(None)
    }

    async fn all_of(&self, principal: &str) -> Result<Vec<SessionInfo>, SessionError> {
        let (mut sessions, mut after) = (Vec::new(), None);
        loop {
            let (page, next) = self.page(principal, after.as_ref(), PAGE).await?;
            sessions.extend(page.into_iter().map(|(info, _)| info));
            match next {
                Some(key) => after = Some(key),
                None => break,
            }
        }
        // One whose id was replaced meanwhile may have been found under both.
        sessions.sort_unstable_by_key(|info| info.handle.0);
        sessions.dedup_by_key(|info| info.handle.0);
        Ok(sessions)
    }

    fn info(&self, key: StoreKey, record: &Record) -> SessionInfo {
        SessionInfo {
            handle: SessionHandle(key),
            created: record.meta().created.into(),
            last_seen: record.meta().last_seen.into(),
            authenticated_at: record.meta().authenticated.map(Into::into),
            expires_at: self.config.expiry.deadline(&record.meta()).into(),
        }
    }

    /// Passes over the list until one ends nothing: the id of a session may be replaced while it is listed, and then it
    /// is seen under neither.
    async fn end_all_but(&self, principal: &str, keep: Option<StoreKey>) -> Result<usize, SessionError> {
        const MOST_PASSES: usize = 8;
        let (mut total, begun) = (0, self.clock.now());
        for _ in 0..MOST_PASSES {
            let ended = self.end_listed(principal, keep, begun).await?;
            total += ended;
            if ended == 0 {
                break;
            }
        }
        Ok(total)
    }

    /// Ends what was signed in to when the call began; later logins are left alone.
    async fn end_listed(
        &self,
        principal: &str,
        keep: Option<StoreKey>,
        begun: SystemTime,
    ) -> Result<usize, SessionError> {
        let (mut ended, mut after) = (0, None);
        loop {
            let (page, next) = self.page(principal, after.as_ref(), PAGE).await?;
            // The one to keep may have got another id since the caller saw it.
            let moved = match keep {
                Some(key) => self.follow(key).await?.map(|(key, ..)| key),
                None => None,
            };
            for (info, version) in page {
                let kept = [keep, moved].contains(&Some(info.handle.0));
                let earlier = info.authenticated_at.is_none_or(|signed_in| signed_in <= begun);
                if !kept && earlier && self.end(&info.handle.0, Some(version)).await? {
                    ended += 1;
                }
            }
            match next {
                Some(key) => after = Some(key),
                None => return Ok(ended),
            }
        }
    }

    /// Waits until no other login of the principal is on its way in this process.
    pub(crate) async fn login_turn(&self, principal: &str) -> Turn<'_> {
        let key = self.realm.principal_key(principal);
        self.logins.of(&StoreKey::from_bytes(*key.as_bytes())).enter().await
    }

    /// Refuses a principal who is about to sign in and has as many other sessions as allowed.
    pub(crate) async fn check_session_limit(
        &self,
        principal: &str,
        own: Option<&StoreKey>,
    ) -> Result<(), SessionError> {
        let Some(most) = self.config.max_sessions_per_principal else { return Ok(()) };
        if self.config.at_session_limit != SessionLimitPolicy::Refuse {
            return Ok(());
        }
        let others =
            self.all_of(principal).await?.into_iter().filter(|info| Some(&info.handle.0) != own).count();
        if others >= most { Err(SessionError::TooManySessions) } else { Ok(()) }
    }

    /// Keeps the number of sessions of a principal who has just signed in under `newest`.
    pub(crate) async fn enforce_session_limit(
        &self,
        principal: &str,
        newest: &StoreKey,
    ) -> Result<(), SessionError> {
        let Some(most) = self.config.max_sessions_per_principal else { return Ok(()) };
        let mut sessions = self.all_of(principal).await?;
        let Some(surplus) = sessions.len().checked_sub(most).filter(|surplus| *surplus > 0) else {
            return Ok(());
        };
        if self.config.at_session_limit == SessionLimitPolicy::Refuse {
            // Another process was as fast.
            self.end(newest, None).await?;
            return Err(SessionError::TooManySessions);
        }
        sessions.retain(|info| info.handle.0 != *newest);
        sessions.sort_by_key(|info| (info.last_seen, info.created, info.handle.0));
        for oldest in sessions.into_iter().take(surplus) {
            self.end(&oldest.handle.0, None).await?;
        }
        Ok(())
    }

    fn principal_index(&self) -> Result<&dyn PrincipalIndex, SessionError> {
        self.store().as_principal_index().ok_or(SessionError::Unsupported { ability: "PrincipalIndex" })
    }
}

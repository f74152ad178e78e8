//! The session of a request whose response has left: for event streams, WebSockets and background jobs.

use std::{fmt, sync::Arc};

use serde::{Serialize, de::DeserializeOwned};

use crate::{
    error::SessionError,
    key::AsKey,
    lazy::{Inner, LazySession},
    persist::Presented,
    session::Session,
    state::Status,
};

/// A handle whose operations go to the store one by one. Cheap to clone.
///
/// It reaches the session under the id it has when the operation begins; a session that has ended, or whose id was
/// replaced by another request, is not reached any more.
#[derive(Clone)]
pub struct DetachedSession(Arc<Inner>);

impl DetachedSession {
    pub(crate) const fn new(inner: Arc<Inner>) -> Self {
        Self(inner)
    }

    /// The session as it is in the store now. Changes to it are stored by [`Session::save`].
    ///
    /// # Errors
    /// [`SessionError::Ended`] if there is no such session any more or it was never stored,
    /// [`SessionError::Superseded`], [`SessionError::Store`].
    pub async fn load(&self) -> Result<Session, SessionError> {
        let id = self.0.state().live.as_ref().map(|live| live.id.clone()).ok_or(SessionError::Ended)?;
        let mut presented = Presented::Nothing;
        presented.add(id);
        let session = LazySession::new(self.0.shared.clone(), presented).load().await?;
        let found = session.0.state().live.is_some();
        match session.status() {
            Status::Superseded => Err(SessionError::Superseded),
            _ if found => Ok(session),
            _ => Err(SessionError::Ended),
        }
    }

    /// The value of `key` as it is in the store now.
    ///
    /// # Errors
    /// As [`load`](Self::load), and [`SessionError::Decode`].
    pub async fn get<T: DeserializeOwned>(&self, key: impl AsKey<T>) -> Result<Option<T>, SessionError> {
        self.load().await?.get(key)
    }

    /// Changes the value of `key` in the store, atomically, and returns the new one.
    ///
    /// Cancelled, the value is as before or changed.
    ///
    /// # Errors
    /// As [`load`](Self::load), [`Session::update`] and [`Session::save`].
    pub async fn update<T>(
        &self,
        key: impl AsKey<T> + Send,
        change: impl FnMut(&mut T) + Send + 'static,
    ) -> Result<T, SessionError>
    where
        T: Serialize + DeserializeOwned + Default + Clone + Send + 'static,
    {
        let name = key.to_name();
        drop(key);
        let session = self.load().await?;
        session.update::<T>(name.clone(), change)?;
        session.save().await?;
        Ok(session.get(name)?.unwrap_or_default())
    }

    /// Whether the session is still alive.
    ///
    /// # Errors
    /// [`SessionError::Store`] when the store cannot tell.
    pub async fn is_live(&self) -> Result<bool, SessionError> {
        match self.load().await {
            Ok(_) => Ok(true),
            Err(SessionError::Ended | SessionError::Superseded) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

impl fmt::Debug for DetachedSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DetachedSession")
    }
}

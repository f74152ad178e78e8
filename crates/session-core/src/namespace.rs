//! Several dictionaries in one session, and some that only one component can open.

use std::{fmt, sync::Arc};

use serde::{Serialize, de::DeserializeOwned};

use crate::{
    changes,
    dictionary::dictionary_methods,
    error::SessionError,
    key::{AsKey, KeyName},
    lazy::Inner,
    manager::{SessionManager, Shared},
    session::Session,
};

/// One of several dictionaries in a session: the same methods as the session, separate keys.
///
/// ```
/// # use session_core::{Session, SessionError};
/// # fn example(session: &Session) -> Result<(), SessionError> {
/// session.insert("total", 1)?;
/// session.namespace("shop")?.insert("total", 250)?;
/// assert_eq!(session.get::<i32>("total")?, Some(1));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Namespace {
    session: Arc<Inner>,
    name: changes::Namespace,
}

impl Namespace {
    dictionary_methods!();

    pub(crate) fn open(session: &Session, name: &str) -> Result<Self, SessionError> {
        validate(name)?;
        if session.0.shared.is_reserved(name) {
            return Err(SessionError::Reserved { namespace: name.to_owned() });
        }
        Ok(Self { session: session.0.clone(), name: name.to_owned().into() })
    }

    /// A dictionary of the library's own. Its name starts with a character that no other name may have.
    pub(crate) fn internal(session: &Session, name: &'static str) -> Self {
        Self { session: session.0.clone(), name: name.into() }
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.session
    }

    pub(crate) fn name(&self) -> changes::Namespace {
        self.name.clone()
    }
}

impl fmt::Debug for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Namespace").field(&self.name).finish()
    }
}

/// The right to open one namespace, held by the component that reserved it. Nothing else can name its keys, so user
/// input never reaches them.
///
/// Dropping it leaves the namespace reserved; [`SessionManager::release`] gives it back.
pub struct ReservedNamespace {
    manager: Arc<Shared>,
    name: String,
}

impl ReservedNamespace {
    /// The reserved dictionary in this session.
    ///
    /// # Errors
    /// [`SessionError::Reserved`] for the session of another manager.
    pub fn of(&self, session: &Session) -> Result<Namespace, SessionError> {
        if !Arc::ptr_eq(&self.manager, &session.0.shared) {
            return Err(SessionError::Reserved { namespace: self.name.clone() });
        }
        Ok(Namespace { session: session.0.clone(), name: self.name.clone().into() })
    }

    /// The name of the namespace.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Debug for ReservedNamespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ReservedNamespace").field(&self.name).finish()
    }
}

impl SessionManager {
    /// Reserves a namespace: from now on only the holder of the answer can open it, in every session.
    ///
    /// # Errors
    /// [`SessionError::InvalidNamespace`], and [`SessionError::Reserved`] if it is reserved already.
    pub fn reserve(&self, name: &str) -> Result<ReservedNamespace, SessionError> {
        validate(name)?;
        let mut reserved = self.0.reserved.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        if !reserved.insert(name.to_owned()) {
            return Err(SessionError::Reserved { namespace: name.to_owned() });
        }
        Ok(ReservedNamespace { manager: self.0.clone(), name: name.to_owned() })
    }

    /// Gives a namespace back, for everybody to open.
    pub fn release(&self, namespace: ReservedNamespace) {
        if Arc::ptr_eq(&self.0, &namespace.manager) {
            self.0
                .reserved
                .write()
                .unwrap_or_else(std::sync::PoisonError::into_inner)
                .remove(&namespace.name);
        }
    }
}

impl Shared {
    fn is_reserved(&self, name: &str) -> bool {
        self.reserved.read().unwrap_or_else(std::sync::PoisonError::into_inner).contains(name)
    }
}

fn validate(name: &str) -> Result<(), SessionError> {
    let valid = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if name.is_empty() || name.len() > 255 || !name.bytes().all(valid) {
        return Err(SessionError::InvalidNamespace);
    }
    Ok(())
}

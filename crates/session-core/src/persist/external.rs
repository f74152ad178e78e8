//! Ids that the application reads itself; cookies are not used.

use std::fmt;

use http::{HeaderMap, HeaderName};

use super::{Announcement, Persistence, Presented};
use crate::{id::SessionId, request::RequestHead};

/// Asks the application for the id of each request: from a parameter, a client certificate, a device registry.
///
/// The application also tells clients their ids, by its own means: [`Session::id_to_hand_out`] says which.
///
/// ```
/// # use http::HeaderName;
/// # use session_core::persist::{External, ExternalId};
/// let by_field = External::new(|head| {
///     let id = head.headers.get("x-my-id")?.to_str().ok()?;
///     Some(ExternalId::Presented(id.to_owned()))
/// })
/// .varying_on(HeaderName::from_static("x-my-id"));
/// ```
///
/// [`Session::id_to_hand_out`]: crate::Session::id_to_hand_out
pub struct External {
    supply: Box<Supply>,
    vary: Vec<HeaderName>,
}

type Supply = dyn Fn(&RequestHead<'_>) -> Option<ExternalId> + Send + Sync;

/// An id, and how far it is to be trusted. Redacted in `Debug`.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExternalId {
    /// What the client has sent. Used only if this library has drawn it; never adopted.
    Presented(String),
    /// What the application vouches for: hard to guess, and known to belong to this client. Used as it is: a session
    /// that does not exist yet is stored under it, and signing in does not replace it. **Never vouch for what a client
    /// has chosen**; an attacker would choose the id of somebody's session.
    Trusted(String),
}

impl External {
    /// A strategy that asks `supply` for the id of each request. An empty or blank id counts as none: it would be
    /// everybody's who has none (CVE-2015-3982).
    pub fn new(supply: impl Fn(&RequestHead<'_>) -> Option<ExternalId> + Send + Sync + 'static) -> Self {
        Self { supply: Box::new(supply), vary: Vec::new() }
    }

    /// Names a request field that the ids come from: every answer that used the session then says so in `Vary`, without
    /// which a cache may give the answer of one client to another (RFC 9110 section 12.5.5).
    #[must_use]
    pub fn varying_on(mut self, field: HeaderName) -> Self {
        self.vary.push(field);
        self
    }
}

impl fmt::Debug for External {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("External")
    }
}

impl fmt::Debug for ExternalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Presented(_) => "Presented(..)",
            Self::Trusted(_) => "Trusted(..)",
        })
    }
}

impl Persistence for External {
    fn present(&self, head: &RequestHead<'_>) -> Presented {
        let id = match (self.supply)(head) {
            Some(ExternalId::Presented(id)) => SessionId::parse(id.as_bytes()),
            Some(ExternalId::Trusted(id)) if !is_blank(&id) => Some(SessionId::supplied(id)),
            _ => None,
        };
        let mut presented = Presented::Nothing;
        id.into_iter().for_each(|id| presented.add(id));
        presented
    }

    fn announce(&self, _: Announcement<'_>, _: &mut HeaderMap) {}

    fn vary(&self) -> &[HeaderName] {
        &self.vary
    }

    fn announces(&self) -> bool {
        false
    }
}

/// Whether there is nothing in it that could tell one client from another.
fn is_blank(id: &str) -> bool {
    id.chars().all(|character| character.is_whitespace() || character.is_control())
}

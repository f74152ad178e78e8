//! How the id travels between client and server: one small trait, one file for each strategy.
//!
//! A strategy reads what a request presents and writes what a response announces. It never decides whether an id is
//! alive, whether a session is created or when an id changes: that is the manager's.

mod chain;
mod cookie;
mod cookie_options;
mod external;
mod header;
#[cfg(feature = "signed")]
mod keys;
pub(crate) mod query;
mod scan;
#[cfg(feature = "signed")]
mod sealed_cookie;
#[cfg(all(test, feature = "encrypted"))]
mod vectors;

use std::{fmt, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, HeaderName};

pub use chain::Chain;
pub use cookie::Cookie;
pub use cookie_options::{CookieLifetime, CookieOptions, SameSite};
pub use external::{External, ExternalId};
pub use header::Header;
#[cfg(feature = "signed")]
pub use keys::{KeyRing, SecretKey, SecretKeys};
pub use query::Query;
#[cfg(feature = "signed")]
pub use sealed_cookie::SealedCookie;

use crate::{
    error::{ConfigError, SessionError},
    id::{Random, SessionId},
    request::RequestHead,
};

/// A strategy for carrying session ids.
///
/// # Contract
/// - [`present`](Self::present) must be linear in the size of the head, must not fail, and must report a value only if
///   it is byte for byte what [`announce`](Self::announce) would have written;
/// - [`announce`](Self::announce) is called at most once for a response, and only when the client has to learn
///   something; it must leave fields of others alone.
pub trait Persistence: fmt::Debug + Send + Sync + 'static {
    /// What the request presents.
    fn present(&self, head: &RequestHead<'_>) -> Presented;

    /// Tells the client about a new id, or that it has none any more.
    fn announce(&self, announcement: Announcement<'_>, headers: &mut HeaderMap);

    /// The request fields on which every answer that used the session depends (RFC 9110 section 12.5.5).
    fn vary(&self) -> &[HeaderName];

    /// Whether [`present`](Self::present) looks at other fields than those of [`vary`](Self::vary), or at the target although
    /// ids are not [in URLs](Self::in_urls), or [`announce`](Self::announce) at other fields than those that it writes. If
    /// not, adapters to frameworks with types of their own need not copy the rest.
    fn reads_other_fields(&self) -> bool {
        true
    }

    /// Whether [`announce`](Self::announce) tells clients their ids. If not, the application hands them out
    /// ([`Session::id_to_hand_out`](crate::Session::id_to_hand_out)), and ids cannot change by themselves.
    fn announces(&self) -> bool {
        true
    }

    /// Learns the realm, once, before the first request: keys are to be derived for it.
    fn bind(&mut self, realm: &str) {
        let _ = realm;
    }

    /// Whether what the client keeps ends at a time of its own, so that it has to be told when a session lives on.
    fn expires_at_client(&self) -> bool {
        false
    }

    /// The query parameter that carries the id, for a strategy that has the manager redirect requests without one.
    fn query_parameter(&self) -> Option<&str> {
        None
    }

    /// Whether ids travel in URLs, so that answers must neither be stored nor referred from, and ids not change by
    /// themselves.
    fn in_urls(&self) -> bool {
        self.query_parameter().is_some()
    }

    /// Refuses a combination that would not work.
    ///
    /// # Errors
    /// [`ConfigError`] naming the setting and the rule.
    fn validate(&self) -> Result<(), ConfigError> {
        Ok(())
    }

    /// For a strategy that carries the record itself: how many bytes it may have. There is no store then.
    fn state_limit(&self) -> Option<usize> {
        None
    }

    /// For a strategy that carries the record itself: the form in which it travels.
    ///
    /// # Errors
    /// [`SessionError::Random`] if the generator fails.
    fn seal(&self, record: &[u8], random: &dyn Random) -> Result<Bytes, SessionError> {
        let _ = (record, random);
        Err(SessionError::Unsupported { ability: "Persistence::seal" })
    }
}

/// What a request presents. Redacted in `Debug`.
#[derive(Clone, Default)]
#[non_exhaustive]
pub enum Presented {
    /// Nothing that could be an id.
    #[default]
    Nothing,
    /// Ids, in the order they were found.
    Ids(Candidates),
    /// Several records, or more than are looked at: which of them is the client's own cannot be told.
    Ambiguous,
    /// The record itself, opened and found authentic.
    State {
        /// The record.
        record: Bytes,
        /// Whether it has to be sent again because its key is about to be retired.
        outdated: bool,
    },
}

/// The different ids of one request; more than [`Candidates::MOST`] of one source are not kept.
#[derive(Clone, Debug)]
pub struct Candidates {
    first: Candidate,
    others: Vec<Candidate>,
}

/// One presented id.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    pub(crate) id: SessionId,
    /// Which strategy of a [`Chain`] has found it.
    pub(crate) source: u8,
    /// It has to be sent again because its key is about to be retired.
    pub(crate) outdated: bool,
}

impl Candidates {
    /// How many different ids of one source are looked up; more are as ambiguous as several live ones.
    pub const MOST: usize = 4;

    /// The candidate, if there is no other.
    pub(crate) fn only(&self) -> Option<&Candidate> {
        self.others.is_empty().then_some(&self.first)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Candidate> {
        std::iter::once(&self.first).chain(&self.others)
    }

    fn add(&mut self, candidate: Candidate) {
        let of_source = || self.iter().filter(|known| known.source == candidate.source);
        // One more than allowed is kept, to tell that there were more.
        if of_source().count() <= Self::MOST && !of_source().any(|known| known.id == candidate.id) {
            self.others.push(candidate);
        }
    }
}

impl Presented {
    /// Adds an id, unless it is there already.
    pub fn add(&mut self, id: SessionId) {
        self.push(Candidate { id, source: 0, outdated: false });
    }

    /// Adds an id whose signature is valid, but made with a key that is about to be retired.
    pub fn add_outdated(&mut self, id: SessionId) {
        self.push(Candidate { id, source: 0, outdated: true });
    }

    pub(crate) fn push(&mut self, candidate: Candidate) {
        match self {
            Self::Ids(candidates) => candidates.add(candidate),
            _ => *self = Self::Ids(Candidates { first: candidate, others: Vec::new() }),
        }
    }

    /// The id that the application has supplied.
    pub(crate) fn supplied(&self) -> Option<&Candidate> {
        match self {
            Self::Ids(candidates) => candidates.iter().find(|candidate| candidate.id.is_supplied()),
            _ => None,
        }
    }
}

impl fmt::Debug for Presented {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("Nothing"),
            Self::Ids(candidates) => f.debug_tuple("Ids").field(candidates).finish(),
            Self::Ambiguous => f.write_str("Ambiguous"),
            Self::State { .. } => f.write_str("State(..)"),
        }
    }
}

/// What the client has to learn. Redacted in `Debug`.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum Announcement<'a> {
    /// The id to present from now on.
    Issue {
        /// The id.
        id: &'a SessionId,
        /// The place of the strategy in a [`Chain`] that has found the session; 0 for a new one.
        source: u8,
        /// How long the session lives if it is not used again.
        lifetime: Duration,
    },
    /// There is no session any more.
    Withdraw {
        /// The place of the strategy in a [`Chain`] that has found the session.
        source: u8,
    },
    /// The record to present from now on, as [`Persistence::seal`] has made it.
    State {
        /// The sealed record.
        sealed: &'a [u8],
    },
}

impl fmt::Debug for Announcement<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Issue { .. } => "Issue(..)",
            Self::Withdraw { .. } => "Withdraw",
            Self::State { .. } => "State(..)",
        })
    }
}

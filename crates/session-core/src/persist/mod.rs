//! How the id travels between client and server: one small trait, one file for each strategy.
//!
//! A strategy reads what a request presents and writes what a response announces. It never decides whether an id is
//! alive, whether a session is created or when an id changes: that is the manager's.

mod cookie;
mod cookie_options;
mod header;
mod scan;

use std::{fmt, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, HeaderName};

pub use cookie::Cookie;
pub use cookie_options::{CookieLifetime, CookieOptions, SameSite};
pub use header::Header;

use crate::{id::SessionId, request::RequestHead};

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

    /// Whether what the client keeps ends at a time of its own, so that it has to be told when a session lives on.
    fn expires_at_client(&self) -> bool {
        false
    }
}

/// What a request presents.
#[derive(Clone, Debug, Default)]
pub enum Presented {
    /// Nothing that could be an id.
    #[default]
    Nothing,
    /// Ids, in the order they were found.
    Ids(Candidates),
    /// The record itself, opened and found authentic.
    State(Bytes),
}

/// The different ids of one request; more than [`Candidates::MOST`] are not kept.
#[derive(Clone, Debug)]
pub struct Candidates {
    first: SessionId,
    others: Vec<SessionId>,
    overflow: bool,
}

impl Candidates {
    /// How many different ids of one request are looked up.
    pub const MOST: usize = 4;

    /// A request with one id.
    #[must_use]
    pub const fn one(id: SessionId) -> Self {
        Self { first: id, others: Vec::new(), overflow: false }
    }

    /// Adds an id unless it is there already.
    pub fn add(&mut self, id: SessionId) {
        if self.iter().any(|known| *known == id) {
            return;
        }
        if self.others.len() + 1 == Self::MOST {
            self.overflow = true;
        } else {
            self.others.push(id);
        }
    }

    /// The ids.
    pub fn iter(&self) -> impl Iterator<Item = &SessionId> {
        std::iter::once(&self.first).chain(&self.others)
    }

    /// Whether there were more different ids than are looked up.
    #[must_use]
    pub const fn overflow(&self) -> bool {
        self.overflow
    }
}

impl Presented {
    /// Adds an id to what is presented.
    pub fn add(&mut self, id: SessionId) {
        match self {
            Self::Ids(candidates) => candidates.add(id),
            _ => *self = Self::Ids(Candidates::one(id)),
        }
    }
}

/// What the client has to learn.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Announcement<'a> {
    /// The id to present from now on.
    Issue {
        /// The id.
        id: &'a SessionId,
        /// How long the session lives if it is not used again.
        lifetime: Duration,
    },
    /// There is no session any more.
    Withdraw,
}

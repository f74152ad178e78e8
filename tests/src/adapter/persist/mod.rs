//! How ids travel in a run of the suite: the strategies, what each of them cannot do, and what a client sees of them.

mod ability;
mod setup;
mod wire;

use std::{fmt, str::FromStr};

use crate::{Failure, Result};

pub(super) use wire::redirected;

/// A persistence strategy to test an adapter with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Persist {
    /// A cookie with the default attributes.
    Cookie,
    /// A cookie whose ids are signed.
    SignedCookie,
    /// The header field `x-session-id`.
    Header,
    /// The query parameter `sid`.
    Query,
    /// A cookie; and for clients without one, the header field.
    Chain,
    /// The header field `x-own-id`, which the application reads and answers itself.
    External,
    /// No store: the session travels in a cookie, signed.
    SealedSigned,
    /// No store: the session travels in a cookie, encrypted.
    SealedEncrypted,
}

/// What a response tells the client about its id.
#[derive(Clone, PartialEq, Eq)]
pub enum Told {
    /// Nothing.
    Nothing,
    /// To use this id from now on.
    Issued(String),
    /// That there is no session any more.
    Withdrawn,
}

impl Persist {
    /// Every strategy there is.
    pub const ALL: &'static [Self] = &[
        Self::Cookie,
        Self::SignedCookie,
        Self::Header,
        Self::Query,
        Self::Chain,
        Self::External,
        Self::SealedSigned,
        Self::SealedEncrypted,
    ];

    /// The name, as in `--persist`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cookie => "cookie",
            Self::SignedCookie => "signed-cookie",
            Self::Header => "header",
            Self::Query => "query",
            Self::Chain => "chain",
            Self::External => "external",
            Self::SealedSigned => "sealed-signed",
            Self::SealedEncrypted => "sealed-encrypted",
        }
    }
}

impl fmt::Display for Persist {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Persist {
    type Err = Failure;

    fn from_str(name: &str) -> Result<Self> {
        let known = Self::ALL.iter().find(|persist| persist.name() == name);
        known.copied().ok_or_else(|| Failure::new(format!("there is no persistence strategy `{name}`")))
    }
}

/// An id never gets into the text of a failure.
impl fmt::Debug for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nothing => "no id",
            Self::Issued(_) => "an id",
            Self::Withdrawn => "a withdrawal of the id",
        })
    }
}

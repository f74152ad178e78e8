//! Why a store was not built.

use std::{error::Error, fmt};

/// What is wrong with the settings of a store. No text shows what a URL holds.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BuildError {
    /// A prefix has 1 to 64 ASCII letters, digits, or `_-.:`.
    Prefix,
    /// No node was named.
    NoNodes,
    /// It is no URL of a Redis: why.
    Url(&'static str),
    /// A `rediss://` URL, and the feature `tls-rustls` is off.
    TlsIsOff,
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Prefix => f.write_str("the prefix is not 1 to 64 ASCII letters, digits, or _-.:"),
            Self::NoNodes => f.write_str("no node is named"),
            Self::Url(reason) => write!(f, "the URL cannot be used: {reason}"),
            Self::TlsIsOff => f.write_str("rediss:// needs the feature tls-rustls of session-store-redis"),
        }
    }
}

impl Error for BuildError {}

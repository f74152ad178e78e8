//! Why a server is not there.

use std::{error::Error, fmt, io};

use crate::binary::Missing;

/// Why a server could not be started.
#[derive(Debug)]
#[non_exhaustive]
pub enum StartError {
    /// It is not installed: a reason to skip a test.
    Missing(Missing),
    /// The system refused something.
    Io {
        /// What was wanted.
        what: &'static str,
        /// Why not.
        source: io::Error,
    },
    /// It ended, or did not answer in time.
    NotReady {
        /// The program.
        server: &'static str,
        /// The end of what it wrote.
        log: String,
    },
}

impl StartError {
    /// Whether the program is not installed, so that a test may be skipped.
    #[must_use]
    pub const fn is_missing(&self) -> bool {
        matches!(self, Self::Missing(_))
    }

    pub(crate) fn io(what: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { what, source }
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(missing) => missing.fmt(f),
            Self::Io { what, source } => write!(f, "cannot {what}: {source}"),
            Self::NotReady { server, log } => write!(f, "{server} does not answer; it wrote:\n{log}"),
        }
    }
}

impl Error for StartError {}

impl From<Missing> for StartError {
    fn from(missing: Missing) -> Self {
        Self::Missing(missing)
    }
}

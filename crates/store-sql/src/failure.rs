//! How trouble becomes a [`StoreError`], and nothing secret part of one.

use std::{error::Error, fmt};

use session_core::{StoreError, StoreErrorKind};

use crate::{driver::Driver, parts::SCHEMA};

pub(crate) fn error<D: Driver>(
    kind: StoreErrorKind,
    source: impl Into<Box<dyn Error + Send + Sync>>,
) -> StoreError {
    StoreError::new(kind, D::STORE).with_source(source)
}

/// What is wrong, where the database has no words for it.
#[derive(Clone, Debug)]
pub(crate) enum Problem {
    /// No answer, or no connection, within the deadline.
    TimedOut,
    /// Nobody waits for the answer any more.
    Abandoned,
    /// All connections are in use, and too many calls, or this one for too long, wait for one.
    Waiting,
    /// The store was closed.
    Closed,
    /// A record is larger than the column.
    TooLarge,
    /// A column of a record has a value that is never written.
    Impossible(&'static str),
    /// There is no tokio runtime.
    NoRuntime,
    /// The random number generator of the system fails.
    Random,
    /// A part of the environment is not there.
    Missing(String),
    /// Something of this name is there that is not the store's.
    Foreign(String),
    /// The tables were made by a later version of this crate.
    Newer(i64),
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TimedOut => f.write_str("no answer within the deadline"),
            Self::Abandoned => f.write_str("nobody waits for the answer"),
            Self::Waiting => f.write_str("every connection is in use"),
            Self::Closed => f.write_str("the store was closed"),
            Self::TooLarge => write!(f, "a record takes at most {} bytes", crate::MAX_RECORD),
            Self::Impossible(column) => write!(f, "the column {column} holds what was never written"),
            Self::NoRuntime => f.write_str("the store was called outside of a tokio runtime"),
            Self::Random => f.write_str("the system gives no random number"),
            Self::Missing(name) => write!(f, "{name} is missing"),
            Self::Foreign(name) => write!(f, "{name} is not a table of sessions"),
            Self::Newer(version) => write!(
                f,
                "the tables have version {version} of the schema, and this crate knows {SCHEMA} only: use a later one"
            ),
        }
    }
}

impl Error for Problem {}

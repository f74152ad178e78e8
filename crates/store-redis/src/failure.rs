//! What can go wrong with a request, and what kind of trouble that is for whoever asked.

use std::{error::Error, fmt};

use redis::{RedisError, ServerError};
use session_core::{StoreError, StoreErrorKind};

use crate::record::RecordError;

pub(crate) const STORE: &str = "redis";

/// Why a request has no answer that can be used.
#[derive(Debug)]
pub(crate) struct Failure {
    reason: Reason,
    /// Whether the server may have carried it out.
    pub(crate) may_be_done: bool,
}

#[derive(Debug)]
enum Reason {
    /// Neither a connection nor an answer in time.
    Late,
    /// The connection could not be made, or broke.
    Broken(RedisError),
    /// The server says why it did not do it.
    Refused(Refusal),
    /// The answer to the first sending was lost, and the second finds another version than was expected: one that came
    /// after ours, or one that came before.
    Unsure,
    /// The answer is of a kind that the request never has.
    Strange,
    /// No node of the Cluster has the slot.
    NoOwner,
    /// There is no runtime to connect on.
    NoRuntime,
}

impl Failure {
    pub(crate) const fn late(may_be_done: bool) -> Self {
        Self { reason: Reason::Late, may_be_done }
    }

    pub(crate) const fn broken(error: RedisError, may_be_done: bool) -> Self {
        Self { reason: Reason::Broken(error), may_be_done }
    }

    pub(crate) fn refused(error: &ServerError) -> Self {
        Self { reason: Reason::Refused(Refusal::new(error)), may_be_done: false }
    }

    pub(crate) const fn unsure() -> Self {
        Self { reason: Reason::Unsure, may_be_done: true }
    }

    pub(crate) const fn strange() -> Self {
        Self { reason: Reason::Strange, may_be_done: true }
    }

    pub(crate) const fn no_owner() -> Self {
        Self { reason: Reason::NoOwner, may_be_done: false }
    }

    pub(crate) const fn no_runtime() -> Self {
        Self { reason: Reason::NoRuntime, may_be_done: false }
    }

    /// The same, of a request that was sent before and may have been done then.
    pub(crate) const fn after(mut self, may_be_done: bool) -> Self {
        self.may_be_done |= may_be_done;
        self
    }

    /// The error of a call that changes nothing.
    pub(crate) fn of_reading(mut self) -> StoreError {
        self.may_be_done = false;
        self.of_change()
    }

    /// The error of a call that changes something.
    pub(crate) fn of_change(self) -> StoreError {
        let kind = match &self.reason {
            _ if self.may_be_done => StoreErrorKind::Indeterminate,
            Reason::Refused(refusal) => refusal.kind(),
            _ => StoreErrorKind::Unavailable,
        };
        StoreError::new(kind, STORE).with_source(self)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.reason {
            Reason::Late => f.write_str("the server did not answer in time"),
            Reason::Broken(_) => f.write_str("no connection to the server"),
            Reason::Refused(refusal) => refusal.fmt(f),
            Reason::Unsure => {
                f.write_str("an answer was lost, and the record has changed since it was sent for")
            }
            Reason::Strange => f.write_str("the server answers something else than was asked"),
            Reason::NoOwner => f.write_str("no node of the cluster answers for the slot"),
            Reason::NoRuntime => f.write_str("called outside of a tokio runtime"),
        }
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.reason {
            Reason::Broken(error) => Some(error),
            _ => None,
        }
    }
}

/// An error that the server answered with.
#[derive(Debug)]
struct Refusal {
    code: String,
    detail: String,
}

impl Refusal {
    /// Keeps of the text what is certainly not the request's: some errors repeat the arguments, in quotes.
    fn new(error: &ServerError) -> Self {
        let detail = error.details().unwrap_or_default();
        let quoted = detail.find(['\'', '"', '`']).unwrap_or(detail.len());
        Self { code: error.code().to_owned(), detail: detail[..quoted].trim_end().to_owned() }
    }

    fn kind(&self) -> StoreErrorKind {
        match self.code.as_str() {
            "OOM" => StoreErrorKind::Full,
            "WRONGTYPE" => StoreErrorKind::Corrupt,
            // LOADING, READONLY, CLUSTERDOWN, MASTERDOWN, TRYAGAIN, MISCONF, NOREPLICAS, BUSY, NOAUTH, NOPERM, …: it does
            // nothing for us now, whatever the reason.
            _ => StoreErrorKind::Unavailable,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the server answers {} {}", self.code, self.detail)?;
        if self.code == "MOVED" {
            f.write_str(" (it is a node of a cluster: redis+cluster://)")
        } else {
            Ok(())
        }
    }
}

pub(crate) fn corrupt(error: RecordError) -> StoreError {
    StoreError::corrupt(STORE)(error)
}

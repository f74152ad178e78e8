//! How trouble with files becomes a [`StoreError`].

use std::{error::Error, fmt, io};

use session_core::{StoreError, StoreErrorKind};

use crate::record::RecordError;

/// The name of this store in its errors.
pub(crate) const STORE: &str = "file";

/// For `map_err` where nothing was changed.
///
/// A full disk comes here too: `Full` is for a bound of the store's own, and who has to act on a full disk is the same
/// person as for a broken one.
pub(crate) fn unavailable(step: &'static str) -> impl FnOnce(io::Error) -> StoreError {
    move |source| StoreError::new(StoreErrorKind::Unavailable, STORE).with_source(StepFailed { step, source })
}

/// For `map_err` where the change may have been made.
pub(crate) fn indeterminate(step: &'static str) -> impl FnOnce(io::Error) -> StoreError {
    move |source| {
        StoreError::new(StoreErrorKind::Indeterminate, STORE).with_source(StepFailed { step, source })
    }
}

/// For `map_err` of a step that changes the record at once or not at all: only after an input/output error nobody
/// knows which.
pub(crate) fn refused(step: &'static str) -> impl FnOnce(io::Error) -> StoreError {
    move |source| if is_clean(&source) { unavailable(step)(source) } else { indeterminate(step)(source) }
}

fn is_clean(error: &io::Error) -> bool {
    #[cfg(unix)]
    let broken = rustix::io::Errno::from_io_error(error) == Some(rustix::io::Errno::IO);
    #[cfg(not(unix))]
    let broken = error.kind() == io::ErrorKind::Other;
    !broken
}

pub(crate) fn corrupt(error: RecordError) -> StoreError {
    StoreError::corrupt(STORE)(error)
}

pub(crate) fn timed_out() -> StoreError {
    StoreError::unavailable(STORE)(TimedOut)
}

/// The disk, or another process that holds the lock of the record, did not answer within the deadline.
#[derive(Debug)]
pub(crate) struct TimedOut;

impl fmt::Display for TimedOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no answer within the deadline")
    }
}

impl Error for TimedOut {}

/// What the store was doing when the system refused.
#[derive(Debug)]
struct StepFailed {
    step: &'static str,
    source: io::Error,
}

impl fmt::Display for StepFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {}", self.step)
    }
}

impl Error for StepFailed {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.source)
    }
}

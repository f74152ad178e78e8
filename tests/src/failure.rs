//! Why a case failed: what was seen, and where in the kit it was noticed.

use std::{error::Error, fmt, panic::Location};

/// What a case and its helpers return.
pub type Result<T = (), E = Failure> = std::result::Result<T, E>;

/// A rule that was not kept. Made by the kit's checks, or by `?` from any error.
pub struct Failure {
    message: String,
    noticed: &'static Location<'static>,
}

impl Failure {
    /// A failure noticed at the caller.
    #[track_caller]
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), noticed: Location::caller() }
    }
}

impl<E: Error> From<E> for Failure {
    #[track_caller]
    fn from(error: E) -> Self {
        Self::new(format!("an unexpected error: {}", chain(&error)))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = self.noticed.file().rsplit(['/', '\\']).next().unwrap_or_default();
        write!(f, "{} ({file}:{})", self.message, self.noticed.line())
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// An error and its causes, as one line.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

/// Returns a [`Failure`] from the enclosing function unless the condition holds.
macro_rules! ensure {
    ($condition:expr, $($message:tt)+) => {
        if !$condition {
            return Err($crate::Failure::new(format!($($message)+)));
        }
    };
}

/// Returns a [`Failure`] from the enclosing function.
macro_rules! fail {
    ($($message:tt)+) => {
        return Err($crate::Failure::new(format!($($message)+)))
    };
}

pub(crate) use {ensure, fail};

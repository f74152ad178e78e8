//! What became of a case.

use std::fmt;

/// What became of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The rule was kept.
    Pass,
    /// The rule was broken, or a call failed, panicked or hung; the text says how and where.
    Fail(String),
    /// The case does not apply; the text says which declared fact or ability is missing.
    Skip(String),
    /// The case applies and cannot run here, because something that the factory needs is not installed; the text says
    /// what, and where it comes from.
    Missing(String),
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pass => f.write_str("pass"),
            Self::Fail(reason) => write!(f, "fail: {reason}"),
            Self::Skip(reason) => write!(f, "skip: {reason}"),
            Self::Missing(what) => write!(f, "missing: {what}"),
        }
    }
}

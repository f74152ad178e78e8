//! What the library did at the end of a request, and why: the question every session tracker is full of.

use std::fmt;

/// Why a cookie was or was not sent, and why something was or was not stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CloseReport {
    /// What the client was told.
    pub announced: Announced,
    /// What happened to the record.
    pub saved: Saved,
    /// Whether the answer was marked as depending on the session (`Vary`).
    pub varies: bool,
}

/// What the response tells the client about its session id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Announced {
    /// Nothing: the request did not ask for the session.
    #[default]
    NothingAsked,
    /// Nothing: the client has the right id already, or needs none.
    NothingNew,
    /// An id, because the session is new.
    New,
    /// An id, because it was replaced.
    Rotated,
    /// The same id again, because the client keeps it only for a time of its own.
    Refreshed,
    /// The record, which travels with the client and has changed.
    Resealed,
    /// That the session is over.
    Withdrawn,
}

/// What happened to the record at the end of the request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Saved {
    /// Nothing: the request did not ask for the session.
    #[default]
    NothingAsked,
    /// Nothing: the session was only read, or set to what it was.
    NothingChanged,
    /// Nothing: the policy leaves saving to the handler, and it did not.
    LeftToHandler,
    /// Nothing: the handler failed, and the configuration drops changes then.
    DroppedOnServerError,
    /// That it was used, so that it does not expire.
    Touched,
    /// A new record.
    Created,
    /// The changes.
    Updated,
    /// The changes, under a new id.
    Rotated,
    /// It was removed.
    Ended,
    /// Nothing: the store failed, or another request made the changes impossible. The response says so.
    Failed,
}

impl fmt::Display for CloseReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.announced, self.saved)
    }
}

impl fmt::Display for Announced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NothingAsked => "no id sent: the session was not used",
            Self::NothingNew => "no id sent: the client has what it needs",
            Self::New => "id sent: the session is new",
            Self::Rotated => "id sent: it was replaced",
            Self::Refreshed => "id sent again: the client keeps it for a limited time",
            Self::Resealed => "session sent: it changed, and the client keeps it",
            Self::Withdrawn => "id withdrawn: the session is over",
        })
    }
}

impl fmt::Display for Saved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NothingAsked => "nothing stored: the session was not used",
            Self::NothingChanged => "nothing stored: nothing changed",
            Self::LeftToHandler => "nothing stored: saving is left to the handler",
            Self::DroppedOnServerError => "nothing stored: the handler failed",
            Self::Touched => "activity stored, so that the session lives on",
            Self::Created => "a new session stored",
            Self::Updated => "the changes stored",
            Self::Rotated => "the session stored under a new id",
            Self::Ended => "the session removed",
            Self::Failed => "nothing stored: it failed, and the response says so",
        })
    }
}

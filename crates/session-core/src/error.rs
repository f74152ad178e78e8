//! What can go wrong for a handler, whose fault it is, and the response it becomes.

use std::{error::Error, fmt};

use bytes::Bytes;
use http::{Response, StatusCode};

use crate::{
    id::RandomError,
    response,
    store_error::{StoreError, StoreErrorKind},
};

/// Why a session operation failed. Names the key concerned, never its value and never an id.
#[derive(Debug)]
#[non_exhaustive]
pub enum SessionError {
    /// The value cannot be stored.
    Encode {
        /// The key.
        key: String,
        /// What the encoder said.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The value stored under the key is not of the type asked for.
    Decode {
        /// The key.
        key: String,
        /// What the decoder said.
        source: Box<dyn Error + Send + Sync>,
    },
    /// A key, value or record is over one of the configured [`Limits`](crate::Limits).
    LimitExceeded {
        /// Which limit.
        limit: Limit,
        /// The size or number that was asked for.
        actual: usize,
        /// The largest that is allowed.
        allowed: usize,
    },
    /// The namespace is reserved by a component of the application.
    Reserved {
        /// The namespace.
        namespace: String,
    },
    /// The name is empty, too long or has characters that no namespace may have.
    InvalidNamespace,
    /// The point in time lies in the past.
    ExpiryInThePast,
    /// The session was ended by another request; the changes of this one were dropped.
    Ended,
    /// The id of this request was replaced in another request, by a login for example; nothing may be changed under it.
    Superseded,
    /// Too many requests changed the session at the same time; nothing of this one was stored.
    Contended,
    /// The principal has as many sessions as it may have.
    TooManySessions,
    /// The response head has been sent: a change would be lost. See [`Session::detach`](crate::Session::detach).
    ResponseSent,
    /// The store lacks an ability that the call needs.
    Unsupported {
        /// The trait that the store does not implement.
        ability: &'static str,
    },
    /// The random generator failed; nothing weaker was used.
    Random(RandomError),
    /// The store could not answer.
    Store(StoreError),
}

/// The limit that was exceeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Limit {
    /// Bytes of a key.
    KeyBytes,
    /// Bytes of an encoded value.
    ValueBytes,
    /// Bytes of the whole record.
    RecordBytes,
    /// Keys in the session.
    Keys,
    /// Bytes of the name of a principal.
    PrincipalBytes,
}

impl SessionError {
    /// A short name for the kind of error, stable across releases: for logs, metrics and wire formats.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Encode { .. } => "encode",
            Self::Decode { .. } => "decode",
            Self::LimitExceeded { .. } => "limit-exceeded",
            Self::Reserved { .. } => "reserved",
            Self::InvalidNamespace => "invalid-namespace",
            Self::ExpiryInThePast => "expiry-in-the-past",
            Self::Ended => "ended",
            Self::Superseded => "superseded",
            Self::Contended => "contended",
            Self::TooManySessions => "too-many-sessions",
            Self::ResponseSent => "response-sent",
            Self::Unsupported { .. } => "unsupported",
            Self::Random(_) => "random",
            Self::Store(error) => match error.kind() {
                StoreErrorKind::Unavailable => "unavailable",
                StoreErrorKind::Overloaded => "overloaded",
                StoreErrorKind::Full => "full",
                StoreErrorKind::Corrupt => "corrupt",
                StoreErrorKind::Indeterminate => "indeterminate",
            },
        }
    }

    /// The status of the response this error becomes: 409 for a conflict with another request, 413 for a limit, 503
    /// for a store that may answer again, 500 for the rest.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Ended | Self::Superseded | Self::Contended | Self::TooManySessions => StatusCode::CONFLICT,
            Self::LimitExceeded { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Store(error) if error.kind() != StoreErrorKind::Corrupt => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The response this error becomes unless the application has its own: the status and a sentence, nothing about
    /// the session. Adapters answer with [`SessionManager::respond`](crate::SessionManager::respond) where they can.
    #[must_use]
    pub fn to_response(&self) -> Response<Bytes> {
        response::of_error(self)
    }

    pub(crate) fn limit(limit: Limit, actual: usize, allowed: usize) -> Self {
        Self::LimitExceeded { limit, actual, allowed }
    }
}

impl fmt::Display for SessionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Encode { key, .. } => write!(f, "the value for session key {key:?} cannot be encoded"),
            Self::Decode { key, .. } => {
                write!(f, "the value of session key {key:?} is not of the type asked for")
            }
            Self::LimitExceeded { limit, actual, allowed } => {
                write!(f, "{limit} would be {actual}, allowed are {allowed}")
            }
            Self::Reserved { namespace } => write!(f, "the session namespace {namespace:?} is reserved"),
            Self::InvalidNamespace => f.write_str("a session namespace is 1 to 255 of A-Z a-z 0-9 - _ ."),
            Self::ExpiryInThePast => f.write_str("the session cannot expire in the past"),
            Self::Ended => f.write_str("the session was ended by another request"),
            Self::Superseded => f.write_str("the session id was replaced in another request"),
            Self::Contended => f.write_str("too many requests changed the session at once"),
            Self::TooManySessions => f.write_str("the principal has as many sessions as allowed"),
            Self::ResponseSent => {
                f.write_str("the response has been sent, the session cannot be changed any more")
            }
            Self::Unsupported { ability } => write!(f, "the session store does not implement {ability}"),
            Self::Random(error) => error.fmt(f),
            Self::Store(error) => error.fmt(f),
        }
    }
}

impl Error for SessionError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Encode { source, .. } | Self::Decode { source, .. } => Some(source.as_ref()),
            Self::Store(error) => error.source(),
            _ => None,
        }
    }
}

impl From<StoreError> for SessionError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::KeyBytes => "bytes of a session key",
            Self::ValueBytes => "bytes of a session value",
            Self::RecordBytes => "bytes of the session",
            Self::Keys => "keys of the session",
            Self::PrincipalBytes => "bytes of the principal's name",
        })
    }
}

/// A configuration that would not work, or would not be safe: which field, and the rule it breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    field: String,
    rule: String,
}

impl ConfigError {
    /// An error about `field`, for strategies and adapters with settings of their own.
    pub fn new(field: impl Into<String>, rule: impl Into<String>) -> Self {
        Self { field: field.into(), rule: rule.into() }
    }

    /// The field, as it is spelled in configuration files.
    #[must_use]
    pub fn field(&self) -> &str {
        &self.field
    }

    /// The rule that the value breaks.
    #[must_use]
    pub fn rule(&self) -> &str {
        &self.rule
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.rule)
    }
}

impl Error for ConfigError {}

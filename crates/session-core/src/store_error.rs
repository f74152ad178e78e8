//! The one error type of every store: what kind of trouble, in which store, and the cause.

use std::{error::Error, fmt};

/// Why a store could not answer. Never used for an absent record or a version conflict, which are answers.
///
/// ```
/// # use session_core::{StoreError, StoreErrorKind};
/// let refused = std::io::Error::other("connection refused");
/// let error = StoreError::unavailable("redis")(refused);
/// assert_eq!(error.kind(), StoreErrorKind::Unavailable);
/// assert_eq!(error.to_string(), "redis store: unavailable");
/// ```
pub struct StoreError {
    kind: StoreErrorKind,
    store: &'static str,
    source: Option<Box<dyn Error + Send + Sync>>,
}

/// The kinds of trouble a store can be in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// The medium does not answer, refuses, or answered too late; nothing was changed.
    Unavailable,
    /// The store has more to do than it may queue; nothing was changed.
    Overloaded,
    /// The store's bound on records or bytes is reached; nothing was changed, reads and removals go on.
    Full,
    /// What is stored is damaged or not the store's own.
    Corrupt,
    /// The operation timed out or was cut off: it may have been applied.
    Indeterminate,
}

impl StoreError {
    /// An error of the given kind without a cause.
    #[must_use]
    pub const fn new(kind: StoreErrorKind, store: &'static str) -> Self {
        Self { kind, store, source: None }
    }

    /// The same error with its cause.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// For `map_err`: the medium of `store` does not answer.
    pub fn unavailable<E: Into<Box<dyn Error + Send + Sync>>>(store: &'static str) -> impl FnOnce(E) -> Self {
        move |source| Self::new(StoreErrorKind::Unavailable, store).with_source(source)
    }

    /// For `map_err`: what is kept in `store` is damaged.
    pub fn corrupt<E: Into<Box<dyn Error + Send + Sync>>>(store: &'static str) -> impl FnOnce(E) -> Self {
        move |source| Self::new(StoreErrorKind::Corrupt, store).with_source(source)
    }

    /// For `map_err`: the operation may or may not have been applied in `store`.
    pub fn indeterminate<E: Into<Box<dyn Error + Send + Sync>>>(
        store: &'static str,
    ) -> impl FnOnce(E) -> Self {
        move |source| Self::new(StoreErrorKind::Indeterminate, store).with_source(source)
    }

    /// What kind of trouble.
    #[must_use]
    pub const fn kind(&self) -> StoreErrorKind {
        self.kind
    }

    /// The name of the store, as its author wrote it.
    #[must_use]
    pub const fn store(&self) -> &'static str {
        self.store
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            StoreErrorKind::Unavailable => "unavailable",
            StoreErrorKind::Overloaded => "overloaded",
            StoreErrorKind::Full => "full",
            StoreErrorKind::Corrupt => "corrupt record",
            StoreErrorKind::Indeterminate => "outcome unknown",
        };
        write!(f, "{} store: {kind}", self.store)
    }
}

impl fmt::Debug for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreError")
            .field("kind", &self.kind)
            .field("store", &self.store)
            .field("source", &self.source)
            .finish()
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}

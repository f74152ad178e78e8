//! Reading a whole store, page by page: for moving sessions to another store, and for counting them.

use std::fmt;

use async_trait::async_trait;

use crate::{digest::StoreKey, store::Entry, store_error::StoreError};

/// Reads every record of a store.
#[async_trait]
pub trait Scan: fmt::Debug + Send + Sync {
    /// The records behind `cursor`, from the first one without it: about `limit` of them, at least one of which the
    /// scan gets on by.
    ///
    /// # Contract
    /// - going on with [`Scanned::next`] until it is `None` must return every record that is there from the first call
    ///   to the last; one that is written, renewed, removed or expires meanwhile may be returned or not, and any may be
    ///   returned twice;
    /// - an entry must be as one acknowledged write made it: bytes, expiry and principal;
    /// - expired records may be returned or not;
    /// - must go on after a record that cannot be read, and count it in [`Scanned::failed`];
    /// - must change nothing, must need memory for one page only, and must end, however many records are written
    ///   meanwhile.
    ///
    /// # Errors
    /// [`StoreError`] when the scan would be incomplete. It can be gone on with from the same cursor.
    async fn scan(&self, cursor: Option<&ScanCursor>, limit: usize) -> Result<Scanned, StoreError>;
}

/// Where a [`Scan`] goes on: bytes that mean something to the store that made them, and to every other handle on the
/// same records.
#[derive(Clone, PartialEq, Eq)]
pub struct ScanCursor(Box<[u8]>);

impl ScanCursor {
    /// A cursor of the store's own making.
    #[must_use]
    pub fn new(bytes: impl Into<Box<[u8]>>) -> Self {
        Self(bytes.into())
    }

    /// A cursor behind this key, for stores that scan in the order of the keys.
    #[must_use]
    pub fn behind(key: &StoreKey) -> Self {
        Self(key.as_bytes().as_slice().into())
    }

    /// What the store has made it of.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The key of [`behind`](Self::behind); `None` for any other cursor.
    #[must_use]
    pub fn key(&self) -> Option<StoreKey> {
        Some(StoreKey::from_bytes(self.0.as_ref().try_into().ok()?))
    }
}

impl fmt::Debug for ScanCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ScanCursor(..)")
    }
}

/// A page of a [`Scan`].
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Scanned {
    /// The records, each under its key.
    pub entries: Vec<(StoreKey, Entry)>,
    /// Records that could not be read.
    pub failed: usize,
    /// Where to go on; `None` at the end.
    pub next: Option<ScanCursor>,
}

impl Scanned {
    /// A page without failures.
    #[must_use]
    pub const fn new(entries: Vec<(StoreKey, Entry)>, next: Option<ScanCursor>) -> Self {
        Self { entries, failed: 0, next }
    }
}

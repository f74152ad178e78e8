//! What a store is: the three methods it must have, the abilities it may have, and the contract of each.
//!
//! A store keeps bytes under a digest. It decides nothing: it never reads a session id, a cookie, a value or the
//! name of a person, and it never decides whether a session may be used. `session-conformance` is the executable
//! form of every "must" on this page.

use std::{fmt, sync::Arc, time::SystemTime};

use async_trait::async_trait;
use bytes::Bytes;

use crate::{
    digest::{PrincipalKey, StoreKey},
    scan::Scan,
    store_error::StoreError,
};

/// Keeps session records. The three required methods are the whole of what a simple store must do.
///
/// # Trust
/// Keys are digests made by the core from ids that it drew itself or that were presented by a client: a key can
/// name a record that never existed, but nobody outside chooses its bytes. Record bytes are opaque and may hold
/// personal data: never log them.
///
/// # Contract for every method
/// - must answer within a deadline of the store's own (default one second) with an error rather than hang;
/// - must not block the calling thread longer than a page-cached read takes;
/// - must tell absence ([`None`], [`Written::Conflict`]), outage ([`Unavailable`](crate::StoreErrorKind::Unavailable)),
///   damage ([`Corrupt`](crate::StoreErrorKind::Corrupt)) and doubt
///   ([`Indeterminate`](crate::StoreErrorKind::Indeterminate)) apart: an error is never reported as absence;
/// - cancelled (its future dropped at any await) must leave the record either as it was or fully changed. Work that
///   goes on after the drop is allowed, because every change is checked against a version.
#[async_trait]
pub trait Store: fmt::Debug + Send + Sync + 'static {
    /// Reads the record under `key`.
    ///
    /// # Contract
    /// - must return the bytes, expiry and version of the last acknowledged [`write`](Self::write), whoever made it:
    ///   a load that starts after a write was acknowledged sees that write or a later one;
    /// - absent, or removed: `Ok(None)`;
    /// - expired (`expires_at` has passed): may return the record or `Ok(None)`; the core checks again;
    /// - must not change the record and must not extend its life.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot tell; never for an absent record.
    async fn load(&self, key: &StoreKey) -> Result<Option<Stored>, StoreError>;

    /// Writes `entry` under `key` if what is there meets `expect`, in one atomic step.
    ///
    /// # Contract
    /// - [`Expect::Absent`]: must store only when nothing is there (an expired record may count as nothing);
    ///   otherwise [`Written::Conflict`];
    /// - [`Expect::Version`]: must store only over exactly that version. Any other version, and no record at all, is
    ///   [`Written::Conflict`]: **there is no upsert**, so a request that is still running can never bring an ended
    ///   session back;
    /// - of concurrent writes that expect the same state exactly one is stored;
    /// - must give each stored entry a version that this key never had before, not even before a removal;
    /// - a conflict or an error must leave the record, its expiry and its principal untouched;
    /// - acknowledged means durable to the degree the store documents.
    ///
    /// # Errors
    /// [`StoreError`]; [`Indeterminate`](crate::StoreErrorKind::Indeterminate) when the write may have been applied.
    async fn write(&self, key: &StoreKey, entry: Entry, expect: Expect) -> Result<Written, StoreError>;

    /// Removes the record under `key`: always with `None`, or only if it has the given version.
    ///
    /// # Contract
    /// - idempotent: an absent record is [`Removed::Gone`], whatever version was expected;
    /// - a record of another version than the expected one stays and is [`Removed::Conflict`];
    /// - after [`Removed::Gone`] no load may see the record again, also after a crash of the store, to the degree of
    ///   durability the store documents: a logout must not be undone;
    /// - must work when the store is full.
    ///
    /// # Errors
    /// [`StoreError`] when the record may still be there.
    async fn remove(&self, key: &StoreKey, expect: Option<Version>) -> Result<Removed, StoreError>;

    /// What [`load`](Self::load) would answer, if the store knows without waiting; `None` if it has to be asked there.
    ///
    /// For stores in memory: a request is answered without a future of its own. A store that never knows has nothing to
    /// do here.
    ///
    /// # Contract
    /// - must not block, and otherwise the contract of [`load`](Self::load).
    fn load_now(&self, key: &StoreKey) -> Option<Result<Option<Stored>, StoreError>> {
        let _ = key;
        None
    }

    /// What [`write`](Self::write) would answer, if the store can write without waiting.
    ///
    /// # Contract
    /// - must not block, and otherwise the contract of [`write`](Self::write).
    ///
    /// # Errors
    /// The entry, if nothing was done and [`write`](Self::write) has to be asked. A manager whose store has given one back
    /// does not ask again.
    fn write_now(
        &self,
        key: &StoreKey,
        entry: Entry,
        expect: Expect,
    ) -> Result<Result<Written, StoreError>, Entry> {
        let _ = (key, expect);
        Err(entry)
    }

    /// The ability to delete expired records, if this store needs it.
    fn as_sweep(&self) -> Option<&dyn Sweep> {
        None
    }

    /// The ability to list the records of a principal, if this store has it.
    fn as_principal_index(&self) -> Option<&dyn PrincipalIndex> {
        None
    }

    /// The ability to set up and tear down what the store keeps its records in, if this store has it.
    fn as_environment(&self) -> Option<&dyn Environment> {
        None
    }

    /// The ability to read every record, if this store has it.
    fn as_scan(&self) -> Option<&dyn Scan> {
        None
    }
}

/// Deletes expired records. Only hygiene: an expired session is refused whether it was swept or not.
#[async_trait]
pub trait Sweep: fmt::Debug + Send + Sync {
    /// Deletes records whose expiry lies in `request`'s range, looking at no more than its budget.
    ///
    /// # Contract
    /// - must never delete a record outside the range, also when its expiry is moved while the sweep runs;
    /// - must go on after a record that cannot be read or deleted, and count it in [`Swept::failed`];
    /// - must look at no more than `budget` records and say in [`Swept::finished`] whether that was all; repeated
    ///   calls must reach every expired record;
    /// - must not delete what is not the store's own.
    ///
    /// # Errors
    /// [`StoreError`] when nothing could be swept at all.
    async fn sweep(&self, request: SweepRequest) -> Result<Swept, StoreError>;
}

/// Lists the records of a principal.
#[async_trait]
pub trait PrincipalIndex: fmt::Debug + Send + Sync {
    /// Up to `limit` keys of records that were last written with `principal`, in ascending order of their bytes,
    /// starting behind `after`. An empty answer ends the list.
    ///
    /// # Contract
    /// - must list every live record of the principal whose write was acknowledged before the call;
    /// - may list some stale keys: removed, expired, or since written without this principal;
    /// - must need memory for one page only.
    ///
    /// # Errors
    /// [`StoreError`] when the list would be incomplete.
    async fn keys_of(
        &self,
        principal: &PrincipalKey,
        after: Option<&StoreKey>,
        limit: usize,
    ) -> Result<Vec<StoreKey>, StoreError>;
}

/// Sets up, checks and tears down what a store keeps its records in: folders, tables, indexes.
#[async_trait]
pub trait Environment: fmt::Debug + Send + Sync {
    /// Creates what is missing. Never alters or destroys what is there; a second call changes nothing.
    ///
    /// # Errors
    /// One [`StoreError`] for each part that could not be created.
    async fn create(&self) -> Result<(), Vec<StoreError>>;

    /// Checks that everything is there and usable, changing nothing.
    ///
    /// # Errors
    /// One [`StoreError`] for each part that is missing or unusable.
    async fn check(&self) -> Result<(), Vec<StoreError>>;

    /// Removes every record and everything that [`create`](Self::create) made, and nothing else.
    ///
    /// # Errors
    /// One [`StoreError`] for each part that could not be removed.
    async fn drop(&self) -> Result<(), Vec<StoreError>>;
}

/// What a store is asked to keep.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry {
    /// The record: opaque, kept and returned byte for byte. A buffer of exactly this length, so a store in memory can keep
    /// it as it is.
    pub bytes: Bytes,
    /// When the record may be deleted. Whole milliseconds; a store may round up to a whole second, never down.
    pub expires_at: SystemTime,
    /// Under whom [`PrincipalIndex`] lists the record; a write without one takes it off the list.
    pub principal: Option<PrincipalKey>,
}

impl Entry {
    /// An entry that belongs to nobody. Copies the bytes: they may be a small part of a large buffer, which a store that
    /// keeps them would keep alive.
    pub fn new(bytes: impl AsRef<[u8]>, expires_at: SystemTime) -> Self {
        let copy = Bytes::copy_from_slice(bytes.as_ref());
        // The first clone of such a buffer allocates its reference count: here, so that reading it never has to.
        let counted = copy.clone();
        drop(copy);
        Self { bytes: counted, expires_at, principal: None }
    }

    /// The same entry, listed under `principal`.
    #[must_use]
    pub fn with_principal(mut self, principal: impl Into<Option<PrincipalKey>>) -> Self {
        self.principal = principal.into();
        self
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        debug_record(f, "Entry", &self.bytes, self.expires_at)
    }
}

/// What a store returns.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stored {
    /// The bytes of the [`Entry`] as written.
    pub bytes: Bytes,
    /// When the record may be deleted, as written or rounded up to a whole second.
    pub expires_at: SystemTime,
    /// What a later [`Expect::Version`] compares with.
    pub version: Version,
}

impl Stored {
    /// A record as a store found it.
    pub fn new(bytes: impl Into<Bytes>, expires_at: SystemTime, version: Version) -> Self {
        Self { bytes: bytes.into(), expires_at, version }
    }
}

impl fmt::Debug for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        debug_record(f, "Stored", &self.bytes, self.expires_at)
    }
}

/// The version of a record. The store assigns it; the core only compares two of them for equality.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Version(u64);

impl Version {
    /// A version from the number a store keeps.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number the store gave.
    #[must_use]
    pub const fn number(self) -> u64 {
        self.0
    }
}

/// What must be there for a [`Store::write`] to be stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// Nothing.
    Absent,
    /// Exactly this version.
    Version(Version),
}

/// What became of a [`Store::write`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Written {
    /// The entry is stored under this new version.
    Stored(Version),
    /// Nothing was changed: what is there is not what was expected.
    Conflict,
}

/// What became of a [`Store::remove`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Removed {
    /// The record is not there any more, or never was.
    Gone,
    /// The record has another version and is untouched.
    Conflict,
}

/// Which records a [`Sweep`] deletes, and how much it may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SweepRequest {
    /// Only records that expire at this instant or later; `None`: however long ago they expired.
    pub expired_from: Option<SystemTime>,
    /// Only records that expire before this instant.
    pub expired_before: SystemTime,
    /// How many records one call may look at.
    pub budget: usize,
}

impl SweepRequest {
    /// A request for everything that expires before `instant`, at most 10,000 records a call.
    #[must_use]
    pub const fn before(instant: SystemTime) -> Self {
        Self { expired_from: None, expired_before: instant, budget: 10_000 }
    }

    /// The same request, for records that expire at `instant` or later only.
    #[must_use]
    pub const fn from(mut self, instant: SystemTime) -> Self {
        self.expired_from = Some(instant);
        self
    }

    /// The same request with another budget.
    #[must_use]
    pub const fn budget(mut self, records: usize) -> Self {
        self.budget = records;
        self
    }

    /// Whether a record that expires at `instant` is to be deleted.
    #[must_use]
    pub fn covers(&self, instant: SystemTime) -> bool {
        instant < self.expired_before && self.expired_from.is_none_or(|from| instant >= from)
    }
}

/// What a [`Sweep`] did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Swept {
    /// Records looked at.
    pub examined: usize,
    /// Records deleted.
    pub removed: usize,
    /// Records that could not be read or deleted.
    pub failed: usize,
    /// Whether the store was swept to its end; if not, the next call goes on where this one stopped.
    pub finished: bool,
}

impl Swept {
    /// What a sweep of `examined` records did.
    #[must_use]
    pub const fn new(examined: usize, removed: usize, failed: usize, finished: bool) -> Self {
        Self { examined, removed, failed, finished }
    }
}

fn debug_record(
    f: &mut fmt::Formatter<'_>,
    name: &str,
    bytes: &Bytes,
    expires_at: SystemTime,
) -> fmt::Result {
    f.debug_struct(name).field("bytes", &bytes.len()).field("expires_at", &expires_at).finish_non_exhaustive()
}

macro_rules! forward_store {
    ($pointer:ident) => {
        #[async_trait]
        #[deny(clippy::missing_trait_methods)]
        impl<S: Store + ?Sized> Store for $pointer<S> {
            async fn load(&self, key: &StoreKey) -> Result<Option<Stored>, StoreError> {
                (**self).load(key).await
            }

            async fn write(
                &self,
                key: &StoreKey,
                entry: Entry,
                expect: Expect,
            ) -> Result<Written, StoreError> {
                (**self).write(key, entry, expect).await
            }

            async fn remove(&self, key: &StoreKey, expect: Option<Version>) -> Result<Removed, StoreError> {
                (**self).remove(key, expect).await
            }

            fn load_now(&self, key: &StoreKey) -> Option<Result<Option<Stored>, StoreError>> {
                (**self).load_now(key)
            }

            fn write_now(
                &self,
                key: &StoreKey,
                entry: Entry,
                expect: Expect,
            ) -> Result<Result<Written, StoreError>, Entry> {
                (**self).write_now(key, entry, expect)
            }

            fn as_sweep(&self) -> Option<&dyn Sweep> {
                (**self).as_sweep()
            }

            fn as_principal_index(&self) -> Option<&dyn PrincipalIndex> {
                (**self).as_principal_index()
            }

            fn as_environment(&self) -> Option<&dyn Environment> {
                (**self).as_environment()
            }

            fn as_scan(&self) -> Option<&dyn Scan> {
                (**self).as_scan()
            }
        }
    };
}

forward_store!(Arc);
forward_store!(Box);

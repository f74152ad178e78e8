//! The store from outside: bounds, expiry, versions, index, sweep, threads.

#![expect(clippy::unwrap_used, reason = "helpers of tests are not recognised as tests")]

mod allocations;
mod bounds;
mod concurrency;
mod contract;
mod expiry;
mod many_sessions;
mod model;
mod principals;
mod sweep;

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use pollster::block_on;
use session_conformance::store::sample::{key, mix, principal};
use session_core::{
    Clock, Entry, Expect, ManualClock, PrincipalIndex, PrincipalKey, Removed, Store, StoreErrorKind,
    StoreKey, Stored, Version, Written,
};
use session_store_memory::{MemoryStore, MemoryStoreBuilder};

/// What a record takes beside its bytes, as documented.
const OVERHEAD: usize = 256;

/// A builder whose store tells the time by the clock.
fn with_clock() -> (Arc<ManualClock>, MemoryStoreBuilder) {
    let clock = Arc::new(ManualClock::at_unix(1_000_000));
    let builder = MemoryStore::builder().clock(clock.clone());
    (clock, builder)
}

fn in_seconds(clock: &ManualClock, seconds: u64) -> SystemTime {
    clock.now() + Duration::from_secs(seconds)
}

/// An entry that outlives every test.
fn entry(bytes: impl Into<Vec<u8>>) -> Entry {
    Entry::new(bytes.into(), SystemTime::UNIX_EPOCH + Duration::from_secs(1 << 33))
}

fn load(store: &MemoryStore, key: &StoreKey) -> Option<Stored> {
    block_on(store.load(key)).unwrap()
}

fn write(
    store: &MemoryStore,
    key: &StoreKey,
    entry: Entry,
    expect: Expect,
) -> Result<Written, StoreErrorKind> {
    block_on(store.write(key, entry, expect)).map_err(|error| error.kind())
}

fn create(store: &MemoryStore, key: &StoreKey, entry: Entry) -> Version {
    stored(write(store, key, entry, Expect::Absent))
}

fn replace(store: &MemoryStore, key: &StoreKey, entry: Entry, version: Version) -> Version {
    stored(write(store, key, entry, Expect::Version(version)))
}

fn stored(written: Result<Written, StoreErrorKind>) -> Version {
    match written {
        Ok(Written::Stored(version)) => version,
        other => panic!("{other:?}"),
    }
}

fn remove(store: &MemoryStore, key: &StoreKey, expect: Option<Version>) -> Removed {
    block_on(store.remove(key, expect)).unwrap()
}

fn keys_of(
    store: &MemoryStore,
    principal: &PrincipalKey,
    after: Option<&StoreKey>,
    limit: usize,
) -> Vec<StoreKey> {
    block_on(store.keys_of(principal, after, limit)).unwrap()
}

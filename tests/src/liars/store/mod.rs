//! Liars among stores: the reference store with one fault each. The suite must see through every one of them with
//! exactly the cases listed, and every case of the suite sees through at least one.

mod lie;

mod list;

mod at_once;
mod bytes;
mod cancel;
mod damage;
mod environment;
mod expiry;
mod full;
mod index;
mod index_changes;
mod keys;
mod load;
mod outage;
mod peers;
mod races;
mod remove;
mod reopen;
mod scan;
mod secrecy;
mod sweep;
mod versions;
mod write;

pub use list::{LIARS, StoreLiar};

/// What nearly every lie uses.
mod prelude {
    pub(super) use std::sync::Mutex;

    pub(super) use async_trait::async_trait;
    pub(super) use session_core::{
        Entry, Expect, PrincipalIndex, Removed, Scan, Store, StoreError, StoreErrorKind, StoreKey, Stored,
        Sweep, Version, Written,
    };
    pub(super) use tokio::task::yield_now;

    pub(super) use super::lie::{Answer, Honest, Lie, locked, trouble};
}

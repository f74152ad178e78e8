//! The cases, one file for each part of the contract. The doc comment of a case is the rule that it checks.
//!
//! A new case is a `pub async fn` here, with its rule as one sentence above it, and its name in the list (`list.rs`):
//! from then on it runs against every store.

#![allow(
    clippy::missing_errors_doc,
    reason = "every case fails in one way: when the store breaks the rule above it"
)]

pub mod at_once;
pub mod bytes;
pub mod cancel;
pub mod damage;
pub mod environment;
pub mod expiry;
pub mod full;
pub mod index;
pub mod keys;
pub mod load;
pub mod outage;
pub mod peers;
pub mod races;
pub mod random;
pub mod remove;
pub mod reopen;
pub mod scan;
pub mod secrecy;
pub mod sweep;
pub mod sweep_races;
pub mod versions;
pub mod write;

/// What nearly every case uses.
mod prelude {
    pub(super) use session_core::{Entry, Expect, Removed, Store, StoreErrorKind, SweepRequest, Written};

    pub(super) use crate::{
        Result,
        failure::{ensure, fail},
        store::{
            Subject,
            gate::Gate,
            handle::same_expiry,
            sample::{key, keys, pattern, principal},
        },
    };
}

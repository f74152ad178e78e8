//! The cases, one file for each subject. The doc comment of a case is the rule that it checks.
//!
//! A new case is a `pub async fn` here, with its rule as one sentence above it, and its name in the list (`list.rs`):
//! from then on it runs against every adapter, with every store and strategy.

#![allow(
    clippy::missing_errors_doc,
    reason = "every case fails in one way: when the rule above it is broken"
)]

pub mod announce;
pub mod caching;
pub mod cancel;
pub mod chain;
pub mod config;
pub mod cookies;
pub mod csrf;
pub mod devices;
pub mod expiry;
pub mod external;
pub mod flash;
pub mod handler;
pub mod ids;
pub mod keys;
pub mod limits;
pub mod login;
pub mod logout;
pub mod meetings;
pub mod namespaces;
pub mod outage;
pub mod parallel;
pub mod policy;
pub mod query;
pub mod random;
pub mod rotation;
pub mod sealed;
pub mod secrecy;
pub mod sequences;
pub mod untouched;
pub mod values;
pub mod wire;

/// What nearly every case uses.
mod prelude {
    pub(super) use serde_json::{Value, json};
    pub(super) use session_core::{EventKind, StoreErrorKind};

    pub(super) use crate::{
        Result,
        adapter::{
            case::Need,
            client::{Client, Reply, land_all},
            ops::*,
            persist::{Persist, Told},
            probe::{Call, Calls},
            site::{App, Site},
        },
        failure::{ensure, fail},
    };
}

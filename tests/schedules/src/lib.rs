//! Concurrent code under schedulers that choose who runs when.
//!
//! The code is that of the crates themselves, compiled once more with the locks of shuttle in place of the standard
//! library's (`core`, `store-memory` and `store-file` beside this crate). A test is played through thousands of
//! schedules, half of them random, half chosen by PCT (Burckhardt et al. 2010), which finds a bug of depth `d` with a
//! probability that can be calculated. A failure prints its schedule. Shuttle takes every atomic for sequentially
//! consistent; the one place where that hides something, the gate of the core, is explored by loom as well.

mod explore;
mod requests;
mod shelf;

pub use explore::explore;
pub use requests::{Site, Visit};
pub use shelf::Shelf;

// What follows is for `gate.rs`, which finds its neighbours here: the locks of loom.
mod digest {
    pub(crate) use session_core::StoreKey;
}
#[path = "../../../crates/session-core/src/gate.rs"]
#[allow(dead_code, unreachable_pub, reason = "a part of another crate")]
mod gate;
mod sync {
    pub(crate) use std::sync::PoisonError;

    pub(crate) use loom::sync::{
        Mutex, MutexGuard,
        atomic::{AtomicU8, Ordering},
    };
}
pub mod gate_model;

//! The locks and atomics of what the tasks of one request share, so that tests can decide who runs when
//! (`tests/schedules`). Counters and everything that is only read stay with the standard library.

#[cfg(session_shuttle)]
pub(crate) use shuttle::sync::{
    Mutex, MutexGuard,
    atomic::{AtomicU8, Ordering},
};
pub(crate) use std::sync::PoisonError;
#[cfg(not(session_shuttle))]
pub(crate) use std::sync::{
    Mutex, MutexGuard,
    atomic::{AtomicU8, Ordering},
};

//! The locks and threads between callers, pool and clock, so that tests can decide who runs when (`tests/schedules`).

#[cfg(session_shuttle)]
pub(crate) use shuttle::{
    sync::{Arc, Condvar, Mutex, MutexGuard, RwLock},
    thread,
};
pub(crate) use std::sync::PoisonError;
#[cfg(not(session_shuttle))]
pub(crate) use std::{
    sync::{Arc, Condvar, Mutex, MutexGuard, RwLock},
    thread,
};

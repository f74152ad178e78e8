//! Every synchronisation primitive of the crate, so that tests can decide who runs when (`tests/schedules`).
//!
//! A poisoned lock is used as it is: nothing of ours panics under a lock, and no foreign code runs there, because
//! records hold only copies that the store made itself.

#[cfg(session_shuttle)]
pub(crate) use shuttle::sync::{
    RwLock, RwLockReadGuard, RwLockWriteGuard,
    atomic::{AtomicU64, AtomicUsize, Ordering},
};
use std::sync::PoisonError;
#[cfg(not(session_shuttle))]
pub(crate) use std::sync::{
    RwLock, RwLockReadGuard, RwLockWriteGuard,
    atomic::{AtomicU64, AtomicUsize, Ordering},
};

pub(crate) use std::sync::Arc;

pub(crate) fn read<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn write<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}

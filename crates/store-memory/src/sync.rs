//! Every synchronisation primitive of the crate, so that a model checker can take their place.
//!
//! A poisoned lock is used as it is: nothing of ours panics under a lock, and no foreign code runs there, because
//! records hold only copies that the store made itself.

use std::sync::PoisonError;
pub(crate) use std::sync::{
    Arc, RwLock, RwLockReadGuard, RwLockWriteGuard,
    atomic::{AtomicU64, AtomicUsize, Ordering},
};

pub(crate) fn read<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn write<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}

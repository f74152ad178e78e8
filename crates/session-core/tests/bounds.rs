//! The ends of what can be set, and what is said beyond them.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::time::Duration;

use session_core::{Expiry, RandomError, SessionManager};
use support::MapStore;

#[test]
fn a_timeout_has_at_least_a_second() {
    let build = |expiry| SessionManager::builder(MapStore::default()).expiry(expiry).build();
    for timeout in [Expiry::idle, Expiry::absolute] {
        assert!(build(timeout(Duration::from_secs(1))).is_ok());
        assert!(build(timeout(Duration::from_millis(999))).unwrap_err().field().starts_with("expiry."));
    }
}

#[test]
fn a_generator_that_fails_is_named() {
    assert_eq!(RandomError.to_string(), "the random generator failed");
}

//! The store in memory keeps the contract: as it comes, and with a single lock.

/// As it comes.
mod default {
    session_conformance::store_tests!(session_test_stores::memory::default);
}

/// Where every session waits for every other.
mod one_shard {
    session_conformance::store_tests!(session_test_stores::memory::one_shard);
}

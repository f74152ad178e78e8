//! The store in SQLite keeps the contract: in a file, in memory, on the application's pool, and beside a process that
//! holds the lock of the file for ever.

/// A file, with connections of the store's own.
mod file {
    session_conformance::store_tests!(session_test_stores::sqlite::file);
}

/// Memory, which goes with its only connection.
mod memory {
    session_conformance::store_tests!(session_test_stores::sqlite::memory);
}

/// A file, with the application's pool.
mod pool {
    session_conformance::store_tests!(session_test_stores::sqlite::pool);
}

/// Another process holds the lock of the file during an outage.
mod locked {
    session_conformance::store_tests!(session_test_stores::sqlite::locked);
}

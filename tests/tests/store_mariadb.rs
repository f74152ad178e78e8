//! The store in MariaDB keeps the contract: with connections of its own behind a network that can be cut, and on the
//! application's pool.

/// With connections of the store's own.
mod own_connections {
    session_conformance::store_tests!(session_test_stores::mariadb::own_connections);
}

/// With a pool of the application's.
mod pool {
    session_conformance::store_tests!(session_test_stores::mariadb::pool);
}

//! The store in Redis keeps the contract, on one node and on a Cluster of three.

/// Behind a network that can be cut.
mod one_node {
    session_conformance::store_tests!(session_test_stores::redis::one_node);
}

/// Three masters.
mod cluster {
    session_conformance::store_tests!(session_test_stores::redis::cluster);
}

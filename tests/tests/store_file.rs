//! The store in files keeps the contract, through the calls of Linux and through the standard library alone.

/// As it comes, on a disk.
mod default {
    session_conformance::store_tests!(session_test_stores::file::on_disk);
}

/// As on macOS and Windows.
mod portable {
    session_conformance::store_tests!(session_test_stores::file::portable);
}

//! The stores of this workspace as the suites of the kit take them: opened in folders and on servers of their own, with
//! what only somebody who knows the medium can do to it, such as damaging a record or cutting a connection.
//!
//! Each module has functions for [`store_tests!`](session_conformance::store_tests). Where declaring everything makes a
//! store slower, as a proxy in front of its server does, `plain` makes one for the adapter suite, which asks for nothing of
//! that.

#![allow(
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "the suite makes a panic the failure of its case"
)]

pub mod file;
pub mod mariadb;
pub mod memory;
pub mod postgres;
pub mod redis;
pub mod sqlite;

mod folder;
mod outage;
mod sql_server;

use std::time::Duration;

use session_conformance::store::Fresh;
use session_test_servers::StartError;

/// A store whose server cannot be started, because it is not installed.
fn missing(error: &StartError) -> Fresh {
    assert!(error.is_missing(), "{error}");
    Fresh::missing(error)
}

/// What the kit tests is not how fast a machine is.
const PATIENCE: Duration = Duration::from_secs(60);

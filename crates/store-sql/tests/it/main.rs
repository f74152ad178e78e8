//! The tests of this store that the conformance kit does not have, each on every database that it applies to.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a helper that fails is a test that fails")]

mod common;

mod contract;
mod environment;
mod limits;
mod pools;
mod settings;
mod sqlite;

mod outage;
mod round_trips;
mod server;
mod tls;

mod full_disk;
mod killed;
mod processes;

//! Drives each program through its router and asserts what its document says happens.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod browser;
mod lemon;
mod own_store;
mod pesto;
mod pylons;
mod pyramid;
mod pythonweb;

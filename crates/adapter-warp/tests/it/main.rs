//! The adapter from the outside: what clients, handlers and filters see.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail the test")]

mod support;

mod cancel;
mod csrf;
mod parallel;
mod rejections;
mod requests;
#[cfg(feature = "server")]
mod server;
mod streaming;

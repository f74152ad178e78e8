//! The adapter from the outside: what clients, handlers and catchers see.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail the test")]

mod support;

mod answers;
mod catchers;
mod config;
mod csrf;
mod errors;
mod guards;
mod parallel;
mod requests;
mod server;
mod streaming;

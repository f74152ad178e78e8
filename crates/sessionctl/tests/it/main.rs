//! The program as an operator runs it, on every store.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail the test")]

mod support;

mod copy;
mod end;
mod environment;
mod list;
mod refused;
mod servers;
mod show;
mod stats;
mod sweep;
mod without_store;

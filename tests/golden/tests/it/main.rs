//! What was written stays readable.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod files;
mod records;
mod redis;
mod sqlite;
mod wire;

mod world;

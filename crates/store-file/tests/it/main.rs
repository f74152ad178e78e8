//! The tests of the file store, each on both ways to use the disk where that makes a difference.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a helper that fails is a test that fails")]

mod common;

mod contract;

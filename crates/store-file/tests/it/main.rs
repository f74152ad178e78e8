//! The tests of the file store, each on both ways to use the disk where that makes a difference.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a helper that fails is a test that fails")]

mod common;

mod contract;
mod damage;
mod environment;
mod limits;
mod permissions;
mod planted;
mod principals;
mod sweep;

mod full_disk;
mod hung_disk;
mod killed;
mod power_cut;
mod processes;
mod strace;
mod syscalls;
mod volume;

//! The library among programs that are not ours: caches in front of it, a browser at the other end.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod apps;
mod browser;
mod caches;
mod crowd;
#[allow(dead_code, unreachable_pub, reason = "what the tests of the demo use as well")]
#[path = "../../../../demo/tests/support/webdriver.rs"]
mod webdriver;

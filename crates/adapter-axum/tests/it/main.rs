//! The adapter from the outside: what clients, handlers and middleware see.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail the test")]

mod support;

mod cancel;
mod csrf;
mod errors;
mod extractors;
mod layers;
mod requests;
mod streaming;
mod waiting;

#[test]
fn the_readme_begins_with_the_example() {
    let program = include_str!("../../README.md").split("```").nth(1).unwrap();
    assert_eq!(program.strip_prefix("rust,no_run\n").unwrap(), include_str!("../../examples/counter.rs"));
}

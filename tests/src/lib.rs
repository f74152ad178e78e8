#![doc = include_str!("../README.md")]

pub mod adapter;
pub mod fixture;
pub mod store;

pub mod processes;

pub mod liars;

mod docs;
mod failure;
mod skip;
mod verdict;

#[doc(hidden)]
pub mod __private;

pub use failure::{Failure, Result};
pub use skip::skip;
pub use verdict::Verdict;

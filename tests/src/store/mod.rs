//! The store suite: every "must" on [`Store`](session_core::Store) and its abilities as a case that runs.
//!
//! An author writes one function that makes a [`Fresh`] store and hands it to [`store_tests!`](crate::store_tests),
//! which expands to one named `#[test]` per case. [`CASES`] and [`run`] do the same for a program.
//!
//! Which cases apply follows from what the store is able to do and from what its author declares on [`Fresh`], never
//! from its name; a case that does not apply is a [`Skip`](crate::Verdict::Skip) with its reason.

#[macro_use]
mod list;

mod fresh;

mod subject;

mod case;

mod runner;

pub mod cases;

pub(crate) mod reference;

pub(crate) mod cut;
mod gate;
mod handle;
mod history;
mod model;
pub mod sample;
mod watched;

pub use case::{CASES, Case, Need};
pub use fresh::{Factory, Foreign, Fresh, Medium};
pub use reference::Reference;
pub use runner::{Limits, run, run_within};
pub use session_core::ManualClock;
pub use subject::Subject;

pub(crate) use runner::text_of;

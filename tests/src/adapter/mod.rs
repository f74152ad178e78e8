//! The adapter suite: what a client sees of sessions through an adapter, as cases that run.
//!
//! An author implements [`Adapter`], about sixty lines that serve the [fixture application](crate::fixture), and hands
//! the type to [`adapter_tests!`](crate::adapter_tests), which expands to one named `#[test]` for each case and
//! persistence strategy. [`CASES`] and [`run`] do the same for a program.
//!
//! Every case gets an application of its own, with a manager that it configures as it likes, a clock that it moves, and
//! a store that counts calls, fails when told to, and holds calls back, so that two requests meet in exactly the order
//! that the rule is about.

#[macro_use]
mod list;

pub mod agreement;

mod application;

mod persist;

mod direct;

mod case;

mod runner;

mod site;

pub mod cases;

mod base64url;
mod client;
mod dice;
mod hold;
mod jar;
mod late;
mod ops;
mod overheard;
mod probe;
mod set_cookie;

pub use application::{Adapter, Starter, Stranger};
pub use case::{CASES, Case, Need};
pub use direct::Direct;
pub use persist::{Persist, Told};
pub use runner::{Setup, reference, run};
pub use site::Site;

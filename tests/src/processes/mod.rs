//! Several processes on one store: what only processes can show that share nothing but the medium.
//!
//! Stores in one process share a clock, a runtime and, by mistake, perhaps a lock or a cache. Here the test program starts
//! itself twice more; each child opens the store for itself, by an address, and both work on the same records at once,
//! through [`SessionManager`](session_core::SessionManager) as an application does.
//!
//! ```
//! use session_conformance::processes::Place;
//! # use session_conformance::store::Reference;
//! # fn connect(_: &str) -> Reference { Reference::new() }
//!
//! /// Somewhere empty, that no other test uses.
//! fn place() -> Place {
//!     Place::new("server://127.0.0.1:1234/database").keep("what has to outlive the test, a folder or a server")
//! }
//!
//! /// Opens the store, in the test (0) and in its children (1 and 2).
//! async fn open(address: String, _process: u64) -> impl session_core::Store {
//!     connect(&address)
//! }
//!
//! session_conformance::process_tests!(place, open);
//! ```
//!
//! `SESSION_CONFORMANCE_SCALE=500` makes 64 writers count to 640,000. [`run()`] and [`task`] are for tests that need
//! children of their own.

#[macro_use]
mod list;

mod case;
mod place;

mod child;

pub mod cases;

mod role;
mod visit;

pub use case::{CASES, Case, judge};
pub use child::{Run, Running, Task, run, task};
pub use place::Place;
pub use role::{ChildRole, ParentRole, Role};

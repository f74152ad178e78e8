//! Hostile bytes for everything in this workspace that reads what others wrote.
//!
//! A [`Target`] is a plain function from bytes to nothing: it panics if a promise is broken. The short form is a test
//! (`tests/short.rs`): the corpus and seeded mutations of it, in `cargo xtask test`. The long form has libFuzzer find its
//! way by coverage: `cargo xtask endurance fuzz`. What either finds is repeated with
//! `cargo run -p session-fuzz -- TARGET FILE...`, and becomes a file of the corpus and a named test where the mistake was.

mod bounded;
mod mutate;
mod targets;

pub use bounded::bounded;
pub use mutate::Mutator;
pub use targets::{TARGETS, Target};

// Parsers that their crates keep to themselves. Reached through a store each input would cost a file or a server.
#[path = "../../crates/store-redis/src/build_error.rs"]
#[allow(dead_code, unreachable_pub, reason = "a part of another crate")]
mod build_error;
#[path = "../../crates/store-file/src/record.rs"]
#[allow(dead_code, unreachable_pub, reason = "a part of another crate")]
mod file_record;
#[path = "../../crates/store-sql/src/open_error.rs"]
#[allow(dead_code, unreachable_pub, reason = "a part of another crate")]
mod open_error;
#[path = "../../crates/store-redis/src/layout.rs"]
#[allow(dead_code, unreachable_pub, reason = "a part of another crate")]
mod redis_layout;
#[path = "../../crates/store-redis/src/record.rs"]
#[allow(dead_code, unreachable_pub, reason = "a part of another crate")]
mod redis_record;
#[path = "../../crates/store-sql/src/table.rs"]
#[allow(dead_code, unreachable_pub, reason = "a part of another crate")]
mod sql_table;
#[path = "../../crates/store-sql/src/url.rs"]
#[allow(dead_code, unreachable_pub, reason = "a part of another crate")]
mod sql_url;

#![doc = include_str!("../README.md")]
// Without a database there is nothing to do; with one, the others have no use for parts of what is shared.
#![cfg_attr(
    not(all(feature = "mysql", feature = "postgres", feature = "sqlite")),
    allow(dead_code, unused_imports, unused_macros)
)]

mod builder;
mod store;

mod open_error;
mod url;

mod backend;
mod engine;
mod environment;
mod principals;
mod records;
mod scan;
mod sweep;

mod connections;
mod driver;
mod failure;
mod parts;
mod statements;
mod table;
mod time;

pub use builder::{SqlStoreBuilder, SqliteDurability};
pub use open_error::OpenError;
pub use store::SqlStore;

/// The most bytes that a record may have: what a `MEDIUMBLOB` of MySQL holds, less what goes over the wire with it.
/// PostgreSQL and SQLite could hold more, and one contract is worth more.
pub const MAX_RECORD: usize = (16 << 20) - (1 << 10);

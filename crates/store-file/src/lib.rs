#![doc = include_str!("../README.md")]

mod builder;
mod store;

mod durability;
mod open_error;
mod stats;

mod environment;
mod principals;
mod quarantine;
mod records;
mod scan;
mod sweep;

mod layout;
mod record;
mod root;

mod disk;
mod failure;
mod pool;
mod sync;
mod ticket;

pub use builder::FileStoreBuilder;
pub use durability::Durability;
pub use open_error::{OpenError, RootRule};
pub use record::{MAX_PAYLOAD, RecordError};
pub use stats::FileStats;
pub use store::FileStore;

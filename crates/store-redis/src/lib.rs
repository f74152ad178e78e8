#![doc = include_str!("../README.md")]

mod builder;
mod store;

mod build_error;
mod environment;
mod principals;
mod scan;
mod stats;

mod layout;
mod record;
mod script;

mod cluster;
mod failure;
mod link;
mod nodes;
mod url;

pub use build_error::BuildError;
pub use builder::RedisStoreBuilder;
pub use environment::EnvironmentError;
pub use record::{MAX_PAYLOAD, RecordError};
pub use stats::RedisStats;
pub use store::RedisStore;

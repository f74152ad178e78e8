#![doc = include_str!("../README.md")]

mod builder;
mod engine;
mod hash;
mod index;
mod ledger;
mod list;
mod make_room;
mod record;
mod records;
mod shard;
mod slab;
mod store;
mod sweep;
mod sync;
mod table;
mod time;

pub use builder::MemoryStoreBuilder;
pub use store::MemoryStore;

//! session-store-memory.

use std::{future::ready, sync::Arc};

use session_conformance::store::{Fresh, ManualClock};
use session_store_memory::MemoryStore;

/// As it comes.
pub async fn default(clock: Arc<ManualClock>) -> Fresh {
    declared(clock, 64)
}

/// With a single lock.
pub async fn one_shard(clock: Arc<ManualClock>) -> Fresh {
    declared(clock, 1)
}

fn declared(clock: Arc<ManualClock>, shards: usize) -> Fresh {
    let store = MemoryStore::builder().shards(shards).clock(Arc::clone(&clock) as Arc<_>).build();
    Fresh::new(store).answers_at_once().bounded_with(MOST_RECORDS, move || {
        let bounded = MemoryStore::builder().shards(shards).max_records(MOST_RECORDS);
        ready(bounded.clock(Arc::clone(&clock) as Arc<_>).build())
    })
}

const MOST_RECORDS: usize = 100;

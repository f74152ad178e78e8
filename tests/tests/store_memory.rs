//! The store in memory keeps the contract: as it comes, and with a single lock.

use std::sync::Arc;

use session_conformance::store::{Fresh, ManualClock};
use session_store_memory::MemoryStore;

const MOST_RECORDS: usize = 100;

mod default {
    async fn fresh(clock: super::Arc<super::ManualClock>) -> super::Fresh {
        super::declared(clock, 64)
    }

    session_conformance::store_tests!(fresh);
}

mod one_shard {
    async fn fresh(clock: super::Arc<super::ManualClock>) -> super::Fresh {
        super::declared(clock, 1)
    }

    session_conformance::store_tests!(fresh);
}

fn declared(clock: Arc<ManualClock>, shards: usize) -> Fresh {
    let store = MemoryStore::builder().shards(shards).clock(Arc::clone(&clock) as Arc<_>).build();
    Fresh::new(store).bounded_with(MOST_RECORDS, move || {
        let bounded = MemoryStore::builder().shards(shards).max_records(MOST_RECORDS);
        std::future::ready(bounded.clock(Arc::clone(&clock) as Arc<_>).build())
    })
}

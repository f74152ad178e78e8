//! session-store-memory for the suites and for serving.

use std::{future::ready, sync::Arc};

use anyhow::Result;
use session_conformance::store::{Fresh, ManualClock};
use session_core::Store;
use session_store_memory::MemoryStore;

pub(super) async fn fresh(clock: Arc<ManualClock>) -> Fresh {
    const MOST: usize = 64;
    let store = MemoryStore::builder().clock(clock.clone()).build();
    let bounded = move || MemoryStore::builder().clock(clock.clone()).max_records(MOST).build();
    Fresh::new(store).bounded_with(MOST, move || ready(bounded()))
}

pub(super) fn open() -> Result<Arc<dyn Store>> {
    Ok(Arc::new(MemoryStore::builder().build()))
}

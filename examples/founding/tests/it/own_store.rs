//! The store written in the example keeps the whole contract.

use std::sync::Arc;

use founding::own_store::OwnStore;
use session_conformance::store::{Fresh, ManualClock};

async fn fresh(_clock: Arc<ManualClock>) -> Fresh {
    Fresh::new(OwnStore::default())
}

session_conformance::store_tests!(fresh);

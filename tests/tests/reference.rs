//! The reference store passes every case, and skips none.

use std::sync::Arc;

use session_conformance::store::{Fresh, ManualClock, Reference};

async fn fresh(_: Arc<ManualClock>) -> Fresh {
    Reference::fresh()
}

session_conformance::store_tests!(fresh);

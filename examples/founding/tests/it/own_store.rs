//! The store written in the example keeps the whole contract, and serves an application.

use std::sync::Arc;

use founding::{own_store::OwnStore, pyramid};
use session_conformance::store::{Fresh, ManualClock};

use crate::browser::Browser;

async fn fresh(_clock: Arc<ManualClock>) -> Fresh {
    Fresh::new(OwnStore::default())
}

session_conformance::store_tests!(fresh);

#[tokio::test]
async fn a_store_of_ones_own_serves_an_application() {
    let store = Arc::new(OwnStore::default());
    let app = pyramid::app(pyramid::stored_sessions(store.clone()).build().unwrap());
    let mut fred = Browser::new(&app);
    fred.get("/attributes").await;
    assert_eq!(format!("{store:?}"), "OwnStore { records: 0, .. }");
    fred.get("/myview").await;
    assert_eq!(format!("{store:?}"), "OwnStore { records: 1, .. }");
    assert_eq!(fred.get("/myview").await.text, "Fred was in the session");
    fred.post("/invalidate", &[]).await;
    assert_eq!(format!("{store:?}"), "OwnStore { records: 0, .. }");
}

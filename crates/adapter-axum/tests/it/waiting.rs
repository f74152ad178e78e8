//! A strategy that asks the store before the handler runs.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::SeqCst},
};

use axum::{
    Router,
    http::{StatusCode, header},
    routing::get,
};
use session_adapter_axum::{Session, SessionLayer};
use session_core::{StoreErrorKind, persist::Query};

use crate::support::{Client, TestStore, count, manager_with, untouched};

fn client(store: &TestStore) -> (Client, Arc<AtomicUsize>) {
    let runs = Arc::new(AtomicUsize::new(0));
    let counted = runs.clone();
    let app = Router::new().route("/untouched", get(untouched)).route(
        "/deep/count",
        get(async move |session: Session| {
            counted.fetch_add(1, SeqCst);
            count(session).await
        })
        .post(count),
    );
    let manager = manager_with(store, |builder| builder.persistence(Query::default()));
    let app = Router::new().nest("/app", app).layer(SessionLayer::new(manager));
    (Client::new(app), runs)
}

#[tokio::test]
async fn the_redirect_is_answered_without_the_handler() {
    let store = TestStore::waiting(2);
    let (mut client, runs) = client(&store);
    let answer = client.get("/app/deep/count?x=1").await;
    assert_eq!(answer.status, StatusCode::FOUND);
    assert_eq!((runs.load(SeqCst), store.records()), (0, 1));
    let [location] = answer.all(header::LOCATION)[..] else { panic!("{:?}", answer.headers) };
    assert!(location.starts_with("?x=1&sid="), "{location}");
    for visits in ["1", "2"] {
        let answer = client.get(&format!("/app/deep/count{location}")).await;
        assert_eq!((answer.status, answer.body.as_str()), (StatusCode::OK, visits));
        assert_eq!(answer.all(header::REFERRER_POLICY), ["no-referrer"]);
    }
    assert_eq!((runs.load(SeqCst), store.records()), (2, 1));
}

#[tokio::test]
async fn requests_that_are_not_looked_at_run_at_once() {
    let store = TestStore::default();
    let (mut client, _) = client(&store);
    assert_eq!(client.post("/app/deep/count").await.body, "1");
}

#[tokio::test]
async fn a_store_that_cannot_tell_is_a_503_before_the_handler_runs() {
    let store = TestStore::default();
    let (mut client, runs) = client(&store);
    store.fail(StoreErrorKind::Unavailable);
    assert_eq!(client.get("/app/deep/count").await.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(runs.load(SeqCst), 0);
}

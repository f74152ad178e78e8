//! A client that goes away at any moment leaves the record as before or fully changed.

use std::{
    pin::pin,
    task::{Context, Poll, Waker},
};

use axum::{
    Router,
    http::{Request, StatusCode, header},
    routing::get,
};
use session_adapter_axum::{Session, SessionLayer};
use session_core::persist::Query;
use tower::ServiceExt as _;

use crate::support::{Client, TestStore, count, layer, manager_with, pause, read};

/// Pauses of each store call, before and after it is applied.
const PAUSES: usize = 2;
/// More polls than any of these requests needs.
const MOST_CUTS: usize = 100;

fn app() -> Router {
    Router::new()
        .route("/read", get(read))
        .route("/count", get(count))
        .route(
            "/slow",
            get(async |session: Session| {
                pause(2).await;
                let visits = count(session).await;
                pause(2).await;
                visits
            }),
        )
        .route("/login", get(async |session: Session| session.authenticate("ada").unwrap()))
        .route("/logout", get(async |session: Session| session.destroy().unwrap()))
}

/// Polls a request so many times and then drops it. Answers whether it was done before.
fn cut(app: &Router, path: &str, cookie: &str, polls: usize) -> bool {
    let request = Request::get(path).header(header::COOKIE, cookie).body(axum::body::Body::empty()).unwrap();
    let mut response = pin!(app.clone().oneshot(request));
    let mut context = Context::from_waker(Waker::noop());
    (0..polls).any(|_| matches!(response.as_mut().poll(&mut context), Poll::Ready(Ok(_))))
}

/// Cuts a request of a client that has visited once at every poll, and answers what is read afterwards, in order.
async fn outcomes(path: &str) -> Vec<String> {
    let mut outcomes = Vec::new();
    for polls in 0..MOST_CUTS {
        let store = TestStore::waiting(PAUSES);
        let app = app().layer(layer(&store));
        let mut client = Client::new(app.clone());
        client.get("/count").await;
        let done = cut(&app, path, &client.cookie_header(), polls);
        outcomes.push(client.get("/read").await.body);
        assert!(store.records() <= 2);
        let again = client.get("/count").await;
        let replaced = path == "/login" && again.status == StatusCode::CONFLICT;
        assert!(again.status.is_success() || replaced, "{polls} polls: {again:?}");
        if done {
            return outcomes;
        }
    }
    panic!("{path} never ends");
}

#[tokio::test]
async fn a_change_is_made_or_not() {
    for path in ["/count", "/slow"] {
        let mut outcomes = outcomes(path).await;
        assert!(outcomes.len() > 4 * PAUSES, "{outcomes:?}");
        outcomes.dedup();
        assert_eq!(outcomes, ["1", "2"], "first as before, then changed");
    }
}

#[tokio::test]
async fn a_logout_has_happened_or_not() {
    let mut outcomes = outcomes("/logout").await;
    outcomes.dedup();
    assert_eq!(outcomes, ["1", "0"]);
}

#[tokio::test]
async fn a_login_has_happened_or_not() {
    let mut outcomes = outcomes("/login").await;
    outcomes.dedup();
    assert_eq!(outcomes, ["1", "0"], "the old id works until the new one has taken over");
}

#[tokio::test]
async fn a_first_write_leaves_one_record_or_none() {
    for polls in 0..MOST_CUTS {
        let store = TestStore::waiting(PAUSES);
        let done = cut(&app().layer(layer(&store)), "/count", "", polls);
        assert_eq!(store.records(), usize::from(polls > PAUSES), "{polls} polls");
        if done {
            return;
        }
    }
    panic!("never ends");
}

#[tokio::test]
async fn a_strategy_that_waits_can_be_cut_too() {
    let mut handled = 0;
    for polls in 0..MOST_CUTS {
        let store = TestStore::waiting(PAUSES);
        let manager = manager_with(&store, |builder| builder.persistence(Query::default()));
        let app = app().layer(SessionLayer::new(manager));
        let location = Client::new(app.clone()).get("/count").await.all(header::LOCATION)[0].to_owned();
        let done = cut(&app, &format!("/count{location}"), "", polls);
        let visits = Client::new(app).get(&format!("/read{location}")).await.body;
        assert!(visits == "0" || visits == "1", "{visits}");
        handled += usize::from(visits == "1");
        assert_eq!(store.records(), 1);
        if done {
            assert_eq!(visits, "1");
            assert!(handled > 1 && handled < polls);
            return;
        }
    }
    panic!("never ends");
}

//! A client that goes away at any moment leaves the record as before or fully changed.

use std::{
    pin::pin,
    task::{Context, Poll, Waker},
};

use http::{Request, header};
use session_adapter_warp::{Session, SessionError, session};
use tower::ServiceExt as _;
use warp::{Filter, Reply};

use crate::support::{App, Client, TestStore, app, count, layer, pause, routes};

/// Pauses of each store call, before and after it is applied.
const PAUSES: usize = 2;
/// More polls than any of these requests needs.
const MOST_CUTS: usize = 100;

fn cancellable(store: &TestStore) -> App {
    let slow = warp::path("slow").and(session()).then(async |session: Session| {
        pause(2).await;
        let visits = count(session).await;
        pause(2).await;
        visits
    });
    let login = warp::path("login").and(session()).map(|session: Session| {
        session.authenticate("ada").map(|()| "hello").map_err(SessionError::from).into_response()
    });
    app(layer(store), slow.or(login).or(routes()))
}

/// Polls a request so many times and then drops it. Answers whether it was done before.
fn cut(app: &App, path: &str, cookie: &str, polls: usize) -> bool {
    let request = Request::get(path).header(header::COOKIE, cookie).body("".into()).unwrap();
    let mut response = pin!(app.clone().oneshot(request));
    let mut context = Context::from_waker(Waker::noop());
    (0..polls).any(|_| matches!(response.as_mut().poll(&mut context), Poll::Ready(Ok(_))))
}

/// Cuts a request of a client that has visited once at every poll, and answers what is read afterwards, in order and
/// without repetitions.
async fn outcomes(path: &str) -> Vec<String> {
    let mut outcomes = Vec::new();
    for polls in 0..MOST_CUTS {
        let store = TestStore::waiting(PAUSES);
        let app = cancellable(&store);
        let mut client = Client::new(app.clone());
        client.get("/count").await;
        let done = cut(&app, path, &client.cookie_header(), polls);
        outcomes.push(client.get("/read").await.body);
        assert!(store.records() <= 2);
        if done {
            assert!(polls > 2 * PAUSES);
            outcomes.dedup();
            return outcomes;
        }
    }
    panic!("{path} never ends");
}

#[tokio::test]
async fn a_change_is_made_or_not() {
    for path in ["/count", "/slow"] {
        assert_eq!(outcomes(path).await, ["1", "2"], "first as before, then changed");
    }
}

#[tokio::test]
async fn a_logout_has_happened_or_not() {
    assert_eq!(outcomes("/destroy").await, ["1", "0"]);
}

#[tokio::test]
async fn a_login_has_happened_or_not() {
    assert_eq!(outcomes("/login").await, ["1", "0"], "the old id works until the new one has taken over");
}

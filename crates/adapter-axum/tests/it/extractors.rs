//! What handlers get, with a layer and without.

use axum::{
    Router,
    body::Body,
    extract::Request,
    http::{StatusCode, header},
    middleware::{Next, from_fn},
    response::Response,
    routing::get,
};
use session_adapter_axum::{LazySession, Session};
use session_core::{SessionError, StoreErrorKind};

use crate::support::{Client, TestStore, count, layer, read, untouched};

async fn optional(session: Option<Session>) -> &'static str {
    if session.is_some() { "some" } else { "none" }
}

async fn optional_lazy(session: Option<LazySession>) -> &'static str {
    if session.is_some() { "some" } else { "none" }
}

#[tokio::test]
async fn optional_sessions_are_none_only_without_a_layer() {
    let store = TestStore::default();
    let app = Router::new().route("/", get(optional)).route("/lazy", get(optional_lazy));
    let mut without = Client::new(app.clone());
    assert_eq!(without.get("/").await.body, "none");
    assert_eq!(without.get("/lazy").await.body, "none");
    let mut with = Client::new(app.route("/count", get(count)).layer(layer(&store)));
    assert_eq!(with.get("/").await.body, "some");
    assert_eq!(with.get("/lazy").await.body, "some");
    with.get("/count").await;
    store.fail(StoreErrorKind::Unavailable);
    assert_eq!(with.get("/").await.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(with.get("/lazy").await.body, "some");
}

#[tokio::test]
async fn a_missing_layer_is_a_500_that_says_so() {
    let mut client = Client::new(Router::new().route("/", get(read)).route("/lazy", get(untouched)));
    for path in ["/", "/lazy"] {
        let answer = client.get(path).await;
        assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(answer.body.contains("no SessionLayer"), cfg!(debug_assertions));
    }
}

#[tokio::test]
async fn a_store_that_cannot_tell_is_a_503_and_no_cookie_is_touched() {
    let store = TestStore::default();
    let app = Router::new().route("/count", get(count)).route("/untouched", get(untouched));
    let mut client = Client::new(app.layer(layer(&store)));
    client.get("/count").await;
    for (failure, status) in [
        (StoreErrorKind::Unavailable, 503),
        (StoreErrorKind::Overloaded, 503),
        (StoreErrorKind::Indeterminate, 503),
        (StoreErrorKind::Corrupt, 500),
    ] {
        store.fail(failure);
        let answer = client.get("/count").await;
        assert_eq!(answer.status, status);
        assert_eq!(answer.headers.contains_key(header::RETRY_AFTER), status == 503);
        assert!(answer.all(header::SET_COOKIE).is_empty());
        assert_eq!(client.get("/untouched").await.status, StatusCode::OK);
    }
    store.fail(None);
    assert_eq!(client.get("/count").await.body, "2");
}

#[tokio::test]
async fn middleware_and_handlers_share_one_load() {
    async fn by_argument(session: Session, request: Request, next: Next) -> Response {
        session.insert("middleware", true).unwrap();
        next.run(request).await
    }
    async fn by_extensions(request: Request<Body>, next: Next) -> Response {
        let session = LazySession::from_extensions(request.extensions()).unwrap();
        let response = next.run(request).await;
        let session = session.load().await.unwrap();
        session.update("after", |after: &mut u32| *after += 1).unwrap();
        response
    }
    async fn handler(first: Session, lazy: LazySession, second: Session) -> String {
        assert_eq!(first.get::<bool>("middleware").unwrap(), Some(true));
        second.update("visits", |visits: &mut u32| *visits += 1).unwrap();
        let visits: Option<u32> = lazy.load().await.unwrap().get("visits").unwrap();
        format!("{visits:?} {:?}", first.get::<u32>("after").unwrap())
    }
    let store = TestStore::default();
    let app = Router::new()
        .route("/", get(handler))
        .layer(from_fn(by_argument))
        .layer(from_fn(by_extensions))
        .layer(layer(&store));
    let mut client = Client::new(app);
    assert_eq!(client.get("/").await.body, "Some(1) None");
    assert_eq!(store.calls(), 1, "one write");
    assert_eq!(client.get("/").await.body, "Some(2) Some(1)");
    assert_eq!(store.calls(), 2, "one load, one write");
}

#[tokio::test]
async fn code_for_the_core_takes_sessions_of_the_adapter() {
    fn visits(session: &session_core::Session) -> Result<u32, SessionError> {
        session.update("visits", |visits| *visits += 1)
    }
    async fn handler(session: Session) -> Result<String, session_adapter_axum::SessionError> {
        let first = visits(&session)?;
        let core: session_core::Session = session.into();
        visits(&core)?;
        let lazy = LazySession::from(core.to_lazy());
        let second = visits(&Session::from(lazy.load().await?))?;
        Ok(format!("{first} {second}"))
    }
    let app = Router::new().route("/", get(handler)).layer(layer(&TestStore::default()));
    assert_eq!(Client::new(app).get("/").await.body, "1 3");
}

//! Answers made of rejections: stored and marked like all others, and the session's own have their status.

use std::convert::Infallible;

use bytes::Bytes;
use http::{Response, StatusCode, header};
use session_adapter_warp::{Session, SessionError, SessionLayer, SessionRejection, session};
use session_core::{SessionConfig, StoreErrorKind};
use warp::{Filter, Rejection, Reply, filters::BoxedFilter, reject::Reject, reply};

use crate::support::{Client, TestStore, app, layer, manager_with, routes};

#[derive(Debug)]
struct Refused;

impl Reject for Refused {}

/// Writes to the session, and then rejects.
fn refusing() -> impl Filter<Extract = (String,), Error = Rejection> + Clone {
    warp::path("refused").and(session()).and_then(|session: Session| async move {
        session.insert("attempts", 1).unwrap();
        Err(warp::reject::custom(Refused))
    })
}

async fn recover(rejection: Rejection) -> Result<impl Reply, Infallible> {
    let status = if rejection.is_not_found() { StatusCode::NOT_FOUND } else { StatusCode::IM_A_TEAPOT };
    Ok(reply::with_status("recovered", status))
}

#[tokio::test]
async fn a_rejection_that_nobody_recovers_is_stored() {
    let store = TestStore::default();
    let answer = Client::new(app(layer(&store), refusing())).get("/refused").await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!((answer.session_fields(), store.records()), ([1, 1, 1], 1));
}

#[tokio::test]
async fn a_rejection_that_the_routes_recover_is_stored() {
    let store = TestStore::default();
    let mut client = Client::new(app(layer(&store), refusing().recover(recover)));
    let answer = client.get("/refused").await;
    assert_eq!((answer.status, answer.body.as_str()), (StatusCode::IM_A_TEAPOT, "recovered"));
    assert_eq!((answer.session_fields(), store.records()), ([1, 1, 1], 1));
    let answer = client.get("/nowhere").await;
    assert_eq!((answer.status, answer.session_fields()), (StatusCode::NOT_FOUND, [0; 3]));
}

#[tokio::test]
async fn a_rejection_after_a_write_may_lead_to_another_route() {
    // Shows: A47
    let store = TestStore::default();
    let other = warp::path("refused")
        .and(session())
        .map(|session: Session| session.get::<i32>("attempts").unwrap().unwrap().to_string());
    let answer = Client::new(app(layer(&store), refusing().or(other))).get("/refused").await;
    assert_eq!((answer.status, answer.body.as_str(), store.calls()), (StatusCode::OK, "1", 1));
}

#[tokio::test]
async fn not_saving_on_server_errors_holds_for_rejections_too() {
    let store = TestStore::default();
    let manager = manager_with(&store, |builder| builder.save_on_server_error(false));
    let answer = Client::new(app(SessionLayer::new(manager), refusing())).get("/refused").await;
    assert_eq!((answer.session_fields(), store.records()), ([0, 1, 0], 0));
}

#[tokio::test]
async fn a_store_that_cannot_tell_is_a_503() {
    let store = TestStore::default();
    let mut client = Client::new(app(layer(&store), routes()));
    client.get("/count").await;
    store.fail(StoreErrorKind::Unavailable);
    for path in ["/read", "/count", "/destroy"] {
        let answer = client.get(path).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert_eq!(answer.all(header::RETRY_AFTER), ["1"]);
        assert_eq!(answer.all(header::CACHE_CONTROL), ["no-store"]);
        assert!(answer.all(header::SET_COOKIE).is_empty());
    }
    store.fail(None);
    assert_eq!(client.get("/read").await.body, "1", "an outage is not a logout");
}

#[tokio::test]
async fn a_recover_of_the_application_can_leave_session_errors_as_they_are() {
    async fn recover(rejection: Rejection) -> Result<warp::reply::Response, Infallible> {
        Ok(match rejection.find::<SessionRejection>() {
            Some(rejection) => rejection.clone().into_response(),
            None => StatusCode::IM_A_TEAPOT.into_response(),
        })
    }
    let store = TestStore::default();
    let mut client = Client::new(app(layer(&store), routes().recover(recover)));
    client.get("/count").await;
    store.fail(StoreErrorKind::Overloaded);
    assert_eq!(client.get("/read").await.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(client.get("/nowhere").await.status, StatusCode::IM_A_TEAPOT);
}

/// Stores something, and makes the store fail before it is asked to.
fn breaking(store: &TestStore) -> BoxedFilter<(impl Reply + use<>,)> {
    let store = store.clone();
    warp::path("breaks")
        .and(session())
        .map(move |session: Session| {
            session.insert("a", 1).unwrap();
            store.fail(StoreErrorKind::Unavailable);
            reply::with_header("saved", header::SET_COOKIE, "theme=dark")
        })
        .boxed()
}

#[tokio::test]
async fn what_cannot_be_stored_is_never_a_success() {
    let store = TestStore::default();
    let mut client = Client::new(app(layer(&store), breaking(&store).or(routes())));
    // Nobody was there yet, and then somebody is.
    for _ in 0..2 {
        let answer = client.get("/breaks").await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(answer.all(header::RETRY_AFTER), ["1"]);
        assert!(answer.all(header::SET_COOKIE).is_empty() && !answer.body.contains("saved"));
        store.fail(None);
        client.get("/count").await;
    }
    assert_eq!(client.get("/read").await.body, "2");
}

fn failing() -> impl Filter<Extract = (impl Reply,), Error = Rejection> + Clone {
    async fn too_large(session: Session) -> Result<String, SessionError> {
        session.insert("large", "x".repeat(2000))?;
        Ok("inserted".into())
    }
    async fn wrong_type(session: Session) -> Result<String, SessionError> {
        Ok(session.get::<String>("visits")?.unwrap_or_default())
    }
    let too_large = warp::path("too-large").and(session()).then(too_large);
    too_large.or(warp::path("wrong-type").and(session()).then(wrong_type))
}

#[tokio::test]
async fn handlers_return_session_errors() {
    let store = TestStore::default();
    let mut config = SessionConfig::default();
    config.limits.value_bytes = 1000;
    let manager = manager_with(&store, |builder| builder.config(config));
    let mut client = Client::new(app(SessionLayer::new(manager), failing().or(routes())));
    client.get("/count").await;
    for (path, status, kind) in [("/too-large", 413, "limit-exceeded"), ("/wrong-type", 500, "decode")] {
        let response = client.open(http::Request::get(path), "").await;
        assert_eq!(SessionError::of_response(&response).unwrap().kind(), kind);
        let answer = crate::support::collect(response).await;
        assert_eq!((answer.status.as_u16(), answer.session_fields()), (status, [0, 1, 1]), "{path}");
        assert!(answer.body.ends_with(".\n") && !answer.body.contains("visits"), "{}", answer.body);
    }
}

#[tokio::test]
async fn the_application_replaces_every_response_in_one_place() {
    let store = TestStore::default();
    let manager = manager_with(&store, |builder| {
        builder.error_response(|error| {
            Response::builder().status(418).header("x-kind", error.kind()).body(Bytes::from("own page")).ok()
        })
    });
    let routes = failing().or(breaking(&store)).or(routes());
    let mut client = Client::new(app(SessionLayer::new(manager), routes));
    client.get("/count").await;
    for (path, kind) in [("/wrong-type", "decode"), ("/breaks", "unavailable"), ("/read", "unavailable")] {
        let answer = client.get(path).await;
        assert_eq!((answer.status.as_u16(), answer.body.as_str()), (418, "own page"), "{path}");
        assert_eq!(answer.all("x-kind"), [kind]);
    }
}

#[tokio::test]
async fn routes_without_their_layer_fail_before_they_can_lose_anything() {
    let reached = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let flag = reached.clone();
    let route = session().map(move |_: Session| {
        flag.store(true, std::sync::atomic::Ordering::SeqCst);
        "saved"
    });
    let response = warp::test::request().reply(&route).await;
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert!(!reached.load(std::sync::atomic::Ordering::SeqCst));
    let rejection = warp::test::request().filter(&session()).await.unwrap_err();
    let Some(missing @ SessionRejection::MissingLayer) = rejection.find() else { panic!("{rejection:?}") };
    assert_eq!(missing.clone().into_response().status(), StatusCode::INTERNAL_SERVER_ERROR);
}

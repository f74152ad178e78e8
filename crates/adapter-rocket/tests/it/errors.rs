//! Which response a session error becomes, and who may replace it.

use bytes::Bytes;
use http::Response;
use rocket::{State, get, response::content::RawJson, routes};
use session_adapter_rocket::{Session, SessionError, SessionFairing};
use session_core::{SessionConfig, StoreErrorKind};

use crate::support::{Client, TestStore, app, client, manager_with};

#[get("/ended")]
async fn ended(session: Session) -> Result<&'static str, SessionError> {
    let other = session.detach().load().await?;
    other.destroy()?;
    other.save().await?;
    session.insert("a", 1)?;
    Ok("saved")
}

#[get("/too-large")]
fn too_large(session: Session) -> Result<(), SessionError> {
    Ok(session.insert("large", "x".repeat(2000))?)
}

#[get("/wrong-type")]
fn wrong_type(session: Session) -> Result<String, SessionError> {
    Ok(session.get::<String>("visits")?.unwrap_or_default())
}

/// Stores something, and makes the store fail before it is asked to.
#[get("/breaks")]
fn breaks(session: Session, store: &State<TestStore>) -> RawJson<&'static str> {
    session.insert("a", 1).unwrap();
    store.fail(StoreErrorKind::Unavailable);
    RawJson("\"saved\"")
}

#[get("/")]
fn handler(session: Session) -> String {
    session.insert("a", 1).unwrap();
    let error = SessionError::from(session.get::<String>("a").unwrap_err());
    assert!(matches!(&*error, session_core::SessionError::Decode { key, .. } if key == "a"));
    assert!(std::error::Error::source(&error).is_some());
    error.to_string()
}

#[rocket::async_test]
async fn errors_become_responses_without_the_handlers_help() {
    for (path, status) in [("/ended", 409), ("/too-large", 413), ("/wrong-type", 500)] {
        let store = TestStore::default();
        let mut config = SessionConfig::default();
        config.limits.value_bytes = 1000;
        let manager = manager_with(&store, |builder| builder.config(config));
        let routes = routes![ended, too_large, wrong_type];
        let mut client = Client::new(app(SessionFairing::new(manager), routes)).await;
        client.get("/count").await;
        let answer = client.get(path).await;
        assert_eq!((answer.status, answer.session_fields()), (status, [0, 1, 1]), "{path}");
        assert_eq!(answer.all("content-type"), ["text/plain; charset=utf-8"]);
        assert!(answer.body.ends_with(".\n") && !answer.body.contains("visits"), "{}", answer.body);
    }
}

#[rocket::async_test]
async fn what_cannot_be_stored_is_never_a_success() {
    let store = TestStore::default();
    let manager = manager_with(&store, |builder| builder);
    let app = app(SessionFairing::new(manager), routes![breaks]).manage(store.clone());
    let mut client = Client::new(app).await;
    // Nobody was there yet, and then somebody is.
    for _ in 0..2 {
        let answer = client.get("/breaks").await;
        assert_eq!((answer.status, answer.all("retry-after")), (503, vec!["1"]));
        assert_eq!(answer.all("content-type"), ["text/plain; charset=utf-8"]);
        assert_eq!(answer.all("server"), ["Rocket"]);
        assert_eq!(answer.all("x-frame-options"), ["SAMEORIGIN"]);
        assert!(answer.all("set-cookie").is_empty() && !answer.body.contains("saved"));
        store.fail(None);
        client.get("/count").await;
    }
    assert_eq!(client.get("/read").await.body, "2");
}

#[rocket::async_test]
async fn the_application_replaces_every_response_in_one_place() {
    let store = TestStore::default();
    let manager = manager_with(&store, |builder| {
        builder.error_response(|error| {
            Response::builder().status(418).header("x-kind", error.kind()).body(Bytes::from("own page")).ok()
        })
    });
    let app = app(SessionFairing::new(manager), routes![breaks, wrong_type]).manage(store.clone());
    let mut client = Client::new(app).await;
    client.get("/count").await;
    for (path, kind) in [("/wrong-type", "decode"), ("/breaks", "unavailable"), ("/read", "unavailable")] {
        let answer = client.get(path).await;
        assert_eq!((answer.status, answer.body.as_str()), (418, "own page"), "{path}");
        assert_eq!(answer.all("x-kind"), [kind]);
    }
}

#[rocket::async_test]
async fn errors_name_their_cause_and_can_be_matched() {
    let answer = client(&TestStore::default(), routes![handler]).await.get("/").await;
    assert_eq!(answer.body, "the value of session key \"a\" is not of the type asked for");
}

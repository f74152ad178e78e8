//! Which response a session error becomes, and who may replace it.

use axum::{
    Router,
    body::Body,
    extract::Request,
    http::{Response, StatusCode, header},
    middleware::{Next, from_fn, map_response},
    response::IntoResponse,
    routing::get,
};
use session_adapter_axum::{Session, SessionError, SessionLayer};
use session_core::{SessionConfig, StoreErrorKind};

use crate::support::{Client, TestStore, count, layer, manager_with, read};

/// What another request does to the session meanwhile.
async fn elsewhere(
    session: &Session,
    act: impl FnOnce(&session_core::Session) -> Result<(), session_core::SessionError>,
) -> Result<(), SessionError> {
    let other = session.detach().load().await?;
    act(&other)?;
    other.save().await?;
    Ok(())
}

async fn ended(session: Session) -> Result<(), SessionError> {
    elsewhere(&session, |other| other.destroy()).await?;
    session.insert("a", 1)?;
    session.save().await?;
    Ok(())
}

async fn superseded(session: Session) -> Result<(), SessionError> {
    elsewhere(&session, |other| other.renew()).await?;
    session.insert("a", 1)?;
    session.save().await?;
    Ok(())
}

/// As above, but only the end of the request finds out.
async fn ended_at_close(session: Session) -> Result<&'static str, SessionError> {
    elsewhere(&session, |other| other.destroy()).await?;
    session.insert("a", 1)?;
    Ok("saved")
}

async fn too_large(session: Session) -> Result<(), SessionError> {
    Ok(session.insert("large", "x".repeat(2000))?)
}

async fn wrong_type(session: Session) -> Result<String, SessionError> {
    Ok(session.get::<String>("visits")?.unwrap_or_default())
}

fn app() -> Router {
    Router::new()
        .route("/count", get(count))
        .route("/read", get(read))
        .route("/ended", get(ended))
        .route("/superseded", get(superseded))
        .route("/ended-at-close", get(ended_at_close))
        .route("/too-large", get(too_large))
        .route("/wrong-type", get(wrong_type))
}

#[tokio::test]
async fn errors_become_responses_without_the_handlers_help() {
    for (path, status, kind) in [
        ("/ended", 409, "ended"),
        ("/superseded", 409, "superseded"),
        ("/ended-at-close", 409, "ended"),
        ("/too-large", 413, "limit-exceeded"),
        ("/wrong-type", 500, "decode"),
    ] {
        let store = TestStore::default();
        let mut config = SessionConfig::default();
        config.limits.value_bytes = 1000;
        let manager = manager_with(&store, |builder| builder.config(config));
        let mut client = Client::new(app().layer(SessionLayer::new(manager)));
        client.get("/count").await;
        let request = axum::http::Request::get(path);
        let response = client.open(request, "").await;
        assert_eq!(SessionError::of_response(&response).unwrap().kind(), kind);
        let answer = crate::support::collect(response).await;
        assert_eq!(answer.status, status, "{path}");
        assert_eq!(answer.all(header::CONTENT_TYPE), ["text/plain; charset=utf-8"]);
        assert_eq!(answer.all(header::CACHE_CONTROL), ["no-store"]);
        assert_eq!(answer.all(header::VARY), ["cookie"]);
        assert!(answer.all(header::SET_COOKIE).is_empty());
        assert!(answer.body.ends_with(".\n") && !answer.body.contains("visits"), "{}", answer.body);
    }
}

#[tokio::test]
async fn what_cannot_be_stored_is_never_a_success() {
    let store = TestStore::default();
    let failing = store.clone();
    let breaks = get(async move |session: Session| {
        session.insert("a", 1).unwrap();
        failing.fail(StoreErrorKind::Unavailable);
        "saved"
    });
    let mut client = Client::new(app().route("/breaks", breaks).layer(layer(&store)));
    // Nobody was there yet, and then somebody is.
    for _ in 0..2 {
        let answer = client.get("/breaks").await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(answer.all(header::RETRY_AFTER), ["1"]);
        assert!(answer.all(header::SET_COOKIE).is_empty());
        assert!(!answer.body.contains("saved"));
        store.fail(None);
        client.get("/count").await;
    }
    assert_eq!(client.get("/read").await.body, "2");
}

fn with_own_page(store: &TestStore, page: &'static str) -> SessionLayer {
    SessionLayer::new(manager_with(store, |builder| {
        builder.error_response(move |error| {
            let response = Response::builder().status(418).header("x-kind", error.kind());
            response.body(page.into()).ok()
        })
    }))
}

#[tokio::test]
async fn the_application_replaces_every_response_in_one_place() {
    for path in ["/ended", "/ended-at-close", "/wrong-type"] {
        let store = TestStore::default();
        let mut client = Client::new(app().layer(with_own_page(&store, "own page")));
        client.get("/count").await;
        let response = client.open(axum::http::Request::get(path), "").await;
        assert!(SessionError::of_response(&response).is_some());
        let answer = crate::support::collect(response).await;
        assert_eq!((answer.status.as_u16(), answer.body.as_str()), (418, "own page"));
        assert_eq!(answer.all("x-kind").len(), 1);
        assert_eq!(answer.all(header::VARY), ["cookie"]);
    }
    let store = TestStore::default();
    let mut client = Client::new(app().layer(with_own_page(&store, "own page")));
    client.get("/count").await;
    store.fail(StoreErrorKind::Overloaded);
    assert_eq!(client.get("/read").await.all("x-kind"), ["overloaded"]);
}

#[tokio::test]
async fn of_two_layers_the_inner_one_answers() {
    let (outer, inner) = (TestStore::default(), TestStore::default());
    for (inner_layer, status, body) in
        [(with_own_page(&inner, "inner"), 418, "inner"), (layer(&inner), 500, "Internal server error.\n")]
    {
        let app = app().layer(inner_layer).layer(with_own_page(&outer, "outer"));
        let mut client = Client::new(app);
        client.get("/count").await;
        let answer = client.get("/wrong-type").await;
        assert_eq!((answer.status.as_u16(), answer.body.as_str()), (status, body));
    }
}

#[tokio::test]
async fn middleware_may_make_its_own_pages_of_errors() {
    async fn inside(request: Request, next: Next) -> Response<Body> {
        let response = next.run(request).await;
        match SessionError::of_response(&response).map(|error| error.kind()) {
            Some(kind) => (StatusCode::IM_A_TEAPOT, kind).into_response(),
            None => response,
        }
    }
    async fn outside(response: Response<Body>) -> Response<Body> {
        match SessionError::of_response(&response).map(|error| error.kind()) {
            Some(kind) => (StatusCode::BAD_GATEWAY, kind).into_response(),
            None => response,
        }
    }
    let store = TestStore::default();
    let mut client = Client::new(app().layer(from_fn(inside)).layer(layer(&store)));
    client.get("/count").await;
    let answer = client.get("/wrong-type").await;
    assert_eq!((answer.status, answer.body.as_str()), (StatusCode::IM_A_TEAPOT, "decode"));

    let mut client = Client::new(app().layer(layer(&store)).layer(map_response(outside)));
    client.get("/count").await;
    for (path, kind) in [("/wrong-type", "decode"), ("/ended-at-close", "ended")] {
        let answer = client.get(path).await;
        assert_eq!((answer.status, answer.body.as_str()), (StatusCode::BAD_GATEWAY, kind));
    }
}

#[tokio::test]
async fn errors_name_their_cause_and_can_be_matched() {
    async fn handler(session: Session) -> String {
        session.insert("a", 1).unwrap();
        let error = SessionError::from(session.get::<String>("a").unwrap_err());
        assert!(matches!(&*error, session_core::SessionError::Decode { key, .. } if key == "a"));
        assert!(std::error::Error::source(&error).is_some());
        format!("{error}")
    }
    let app = Router::new().route("/", get(handler)).layer(layer(&TestStore::default()));
    let answer = Client::new(app).get("/").await;
    assert_eq!(answer.body, "the value of session key \"a\" is not of the type asked for");
}

//! The peers' middleware as the adapter suite takes it.

mod axum_session;
mod ours;
mod rocket_flex_session;
mod tower_sessions;
mod warp_sessions;

use axum::{
    Router,
    body::{Body, HttpBody},
};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::BodyExt;
use session_conformance::adapter::Starter;
use session_core::SessionConfig;
use tower::ServiceExt;

use super::fixture::{Known, not_offered};
use axum_session::AxumSession;
use ours::Ours;
use rocket_flex_session::FlexSession;
use tower_sessions::TowerSessions;
use warp_sessions::WarpSessions;

/// Who goes through the adapter suite: the name of the column, how the application is started, and the name of the cookie
/// that the library's documentation has.
pub(crate) fn all() -> Vec<(&'static str, Starter, &'static str)> {
    vec![
        (super::OURS, Starter::of::<Ours>(), super::PREFIXED),
        ("tower-sessions", Starter::of_stranger::<TowerSessions>(), "id"),
        ("axum_session", Starter::of_stranger::<AxumSession>(), "session"),
        ("rocket_flex_session", Starter::of_stranger::<FlexSession>(), "rocket"),
        ("warp-sessions", Starter::of_stranger::<WarpSessions>(), "sid"),
    ]
}

/// Notes when a case has chosen settings: they are this library's.
fn settings(config: &SessionConfig) {
    if *config != SessionConfig::default() {
        not_offered("settings of this library");
    }
}

async fn on_axum(router: &Router, known: &Known, request: Request<Bytes>) -> Response<Bytes> {
    let presented = known.presented(request.headers());
    let Ok(response) = router.clone().oneshot(request.map(Body::from)).await;
    known.leave(collected(response).await, presented.as_deref())
}

async fn collected<B: HttpBody<Data: Send>>(response: Response<B>) -> Response<Bytes> {
    let (head, body) = response.into_parts();
    let bytes = body.collect().await.map(|collected| collected.to_bytes()).unwrap_or_default();
    Response::from_parts(head, bytes)
}

//! This library on axum.

use axum::{
    Router,
    body::Body,
    routing::{get, post},
};
use bytes::Bytes;
use http::{Request, Response};
use session_adapter_axum::{Session, SessionLayer};
use session_conformance::{adapter::Adapter, fixture};
use session_core::SessionManager;
use tower::ServiceExt;

use super::collected;

/// The application.
#[derive(Debug)]
pub(crate) struct Ours(Router);

impl Adapter for Ours {
    async fn start(manager: SessionManager) -> Self {
        let ops = async |session: Session, body: Bytes| fixture::ops(&session, &body).await.map(Body::from);
        Self(
            Router::new()
                .route("/", get(async |session: Session| fixture::root(&session).map(Body::from)))
                .route("/untouched", get(async || fixture::untouched().map(Body::from)))
                .route("/ops", post(ops))
                .layer(SessionLayer::new(manager)),
        )
    }

    async fn send(&self, request: Request<Bytes>) -> Response<Bytes> {
        let Ok(response) = self.0.clone().oneshot(request.map(Body::from)).await;
        collected(response).await
    }
}

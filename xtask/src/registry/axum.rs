//! The fixture application behind session-adapter-axum.

use anyhow::Result;
use axum::{
    Router,
    body::{self, Body},
    routing::{get, post},
};
use bytes::Bytes;
use http::{Request, Response};
use session_adapter_axum::{Session, SessionLayer};
use session_conformance::{adapter::Adapter, fixture};
use session_core::SessionManager;
use tower::ServiceExt;

use super::{Serving, cut_off};

/// The application without a socket.
pub(super) struct Application(Router);

impl Adapter for Application {
    async fn start(manager: SessionManager) -> Self {
        Self(router(manager))
    }

    async fn send(&self, request: Request<Bytes>) -> Response<Bytes> {
        let Ok(response) = self.0.clone().oneshot(request.map(Body::from)).await;
        let (parts, body) = response.into_parts();
        match body::to_bytes(body, usize::MAX).await {
            Ok(body) => Response::from_parts(parts, body),
            Err(_) => cut_off(),
        }
    }
}

/// The application on a socket.
pub(super) async fn serve(Serving { manager, listener, ready, end }: Serving) -> Result<()> {
    ready();
    Ok(axum::serve(listener, router(manager)).with_graceful_shutdown(end).await?)
}

fn router(manager: SessionManager) -> Router {
    Router::new()
        .route("/", get(async |session: Session| fixture::root(&session).map(Body::from)))
        .route("/untouched", get(async || fixture::untouched().map(Body::from)))
        .route(
            "/ops",
            post(async |session: Session, body: Bytes| fixture::ops(&session, &body).await.map(Body::from)),
        )
        .layer(SessionLayer::new(manager))
}

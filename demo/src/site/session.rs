//! The session itself, for scripts and curl.

use std::time::{SystemTime, UNIX_EPOCH};

use axum::{
    Extension, Router,
    response::{IntoResponse, Response},
    routing::get,
};
use http::header::CONTENT_TYPE;
use serde_json::json;
use session_adapter_axum::{Session, SessionError};

use crate::shop::CART;

/// `/session…` and `/token`.
pub(super) fn routes() -> Router {
    Router::new()
        .route("/session", get(session))
        .route("/session/panel", get(panel))
        .route("/token", get(token))
}

/// In the extensions of a response: it is to be the receipt alone, about the requests before this one.
#[derive(Clone, Copy, Debug)]
pub(super) struct PanelOnly;

async fn session(session: Session) -> Result<Response, SessionError> {
    let seconds = |instant: SystemTime| instant.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let stored = session.handle().is_some();
    let described = json!({
        "signed_in_as": session.principal(),
        "status": session.status().as_str(),
        "stored": stored,
        "handle": session.handle().map(|handle| handle.to_string()),
        "created": stored.then(|| seconds(session.created())),
        "expires_at": stored.then(|| seconds(session.expires_at())),
        "keys": session.keys(),
        "cart": session.get(CART)?.unwrap_or_default().count(),
    });
    // Readable in a terminal.
    Ok(([(CONTENT_TYPE, "application/json")], format!("{described:#}\n")).into_response())
}

async fn panel(_: Session) -> (Extension<PanelOnly>, Response) {
    (Extension(PanelOnly), Response::default())
}

/// For scripts of pages that were only looked at, and for curl. A visitor gets a session here.
async fn token(session: Session) -> Result<Response, SessionError> {
    Ok(session.csrf_token()?.into_response())
}

//! Pyramid: a session factory that keeps everything in a signed cookie, and what a view can ask of a session.

use std::time::UNIX_EPOCH;

use axum::{
    Router,
    extract::Query,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::Deserialize;
use session_adapter_axum::{Session, SessionError, SessionLayer};
use session_core::{
    ConfigError, ManagerBuilder, SessionManager, Store,
    persist::{CookieOptions, KeyRing, SealedCookie},
};

/// Signed and **readable** by the client (`UnencryptedCookieSessionFactoryConfig`): for nothing that is secret.
///
/// # Errors
/// [`ConfigError`] for a cookie that a browser would refuse.
pub fn signed_cookie_sessions(cookie: CookieOptions, ring: KeyRing) -> Result<ManagerBuilder, ConfigError> {
    Ok(SessionManager::without_store().persistence(SealedCookie::signed(cookie, ring)?))
}

/// Sessions in a store of one's own (`ISessionFactory`).
pub fn stored_sessions(store: impl Store) -> ManagerBuilder {
    SessionManager::builder(store)
}

/// The application.
pub fn app(sessions: SessionManager) -> Router {
    Router::new()
        .route("/myview", get(my_view))
        .route("/attributes", get(attributes))
        .route("/note", post(note))
        .route("/changed", post(changed))
        .route("/invalidate", post(invalidate))
        .route("/broken", post(broken))
        .layer(SessionLayer::new(sessions))
}

async fn my_view(session: Session) -> Result<&'static str, SessionError> {
    if session.contains_key("abc") {
        session.insert("fred", "yes")?;
    }
    session.insert("abc", "123")?;
    Ok(if session.contains_key("fred") { "Fred was in the session" } else { "Fred was not in the session" })
}

async fn attributes(session: Session) -> String {
    let created = session.created().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    format!("created={created} new={} keys={}", session.is_new(), session.keys().join(","))
}

#[derive(Deserialize)]
struct Note {
    bytes: usize,
}

/// Stores a note of as many bytes as asked for, or says why it cannot.
async fn note(session: Session, Query(note): Query<Note>) -> Response {
    match session.insert("note", "x".repeat(note.bytes.min(100_000))) {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => (error.status(), error.to_string()).into_response(),
    }
}

async fn changed(session: Session) -> Result<(), SessionError> {
    // A value read from the session is a copy; `update` changes the one inside.
    let mut copy: Vec<String> = session.get("list")?.unwrap_or_default();
    copy.push("in the copy".into());
    session.update("list", |list: &mut Vec<String>| list.push("in the session".into()))?;
    Ok(session.mark_changed()?)
}

async fn invalidate(session: Session) -> Result<(), SessionError> {
    Ok(session.destroy()?)
}

async fn broken(session: Session) -> Result<StatusCode, SessionError> {
    session.insert("abc", "from a view that failed")?;
    Ok(StatusCode::INTERNAL_SERVER_ERROR)
}

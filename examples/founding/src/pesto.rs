//! Pesto: a login, and an area for those who are signed in. Sessions in files, ids in cookies or in links.

use std::time::Duration;

use axum::{
    Form, Router,
    http::StatusCode,
    response::{Html, IntoResponse, Redirect, Response},
    routing::get,
};
use serde::Deserialize;
use session_adapter_axum::{Session, SessionError, SessionLayer};
use session_core::{ConfigError, Expiry, Key, ManagerBuilder, SessionManager, persist::Query};
use session_store_file::FileStore;

const USERNAME: Key<String> = Key::new("username");
const LOGGED_IN: Key<bool> = Key::new("logged_in");

/// Sessions in files that end half an hour after they were used last, purged every ten minutes
/// (`auto_purge_every=600, auto_purge_olderthan=1800`).
pub fn sessions(store: FileStore) -> ManagerBuilder {
    SessionManager::builder(store)
        .expiry(Expiry::idle(Duration::from_secs(1_800)))
        .sweep_every(Duration::from_secs(600))
}

/// The same with ids in links (`persist='querystring'`).
///
/// # Errors
/// [`ConfigError`] for a name that no parameter may have; this one may.
pub fn sessions_in_queries(store: FileStore) -> Result<ManagerBuilder, ConfigError> {
    Ok(sessions(store).persistence(Query::new("pesto_session")?))
}

/// The application.
pub fn app(sessions: SessionManager) -> Router {
    Router::new()
        .route("/login", get(login_form).post(login))
        .route("/secure-area", get(secure_area))
        .route("/foo", get(|| async { "Whoa Nelly!" }))
        .layer(SessionLayer::new(sessions))
}

async fn login_form(session: Session) -> Result<Html<String>, SessionError> {
    let action = session.link("/login")?; // carries the id if that is how ids travel here
    Ok(Html(format!(
        r#"<form method="post" action="{action}"><input name="username"><input name="password" type="password"></form>"#
    )))
}

#[derive(Deserialize)]
struct Credentials {
    username: String,
    password: String,
}

async fn login(session: Session, Form(login): Form<Credentials>) -> Result<Response, SessionError> {
    if !is_valid(&login) {
        return Ok((StatusCode::FORBIDDEN, "Wrong name or password\n").into_response());
    }
    session.authenticate(&login.username)?; // under a new id, so a planted one is worth nothing
    session.insert(USERNAME, login.username)?;
    session.insert(LOGGED_IN, true)?;
    Ok(Redirect::to(&session.link("/secure-area")?).into_response())
}

async fn secure_area(session: Session) -> Result<Response, SessionError> {
    if !session.get(LOGGED_IN)?.unwrap_or_default() {
        return Ok(Redirect::to(&session.link("/login")?).into_response());
    }
    let username = session.get(USERNAME)?.unwrap_or_default();
    Ok(format!("Welcome to the secure area, {username}").into_response())
}

/// Stands for the application's own check.
fn is_valid(login: &Credentials) -> bool {
    login.username == "ann" && login.password == "basil"
}

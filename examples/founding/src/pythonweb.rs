//! PythonWeb: a page whose expiry grows by five seconds with every visit.

use std::time::{Duration, UNIX_EPOCH};

use axum::{Router, extract::Query, response::Html, routing::get};
use serde::Deserialize;
use session_adapter_axum::{Session, SessionError, SessionLayer};
use session_core::{Expiry, ManagerBuilder, SavePolicy, SessionManager, Store, StoreError};

/// The name of the application, whose store is its namespace.
const APP: &str = "testApp";

/// Sessions that end ten seconds after they were created (`expire = 10`), stored when the application says so.
pub fn sessions(store: impl Store) -> ManagerBuilder {
    SessionManager::builder(store)
        .expiry(Expiry::absolute(Duration::from_secs(10)))
        .save_policy(SavePolicy::Explicit)
}

/// Creates what the store keeps its records in, if anything of it is missing (`setupEnvironment = 1`). Destroys nothing.
///
/// # Errors
/// One for each part that could not be created.
pub async fn set_up_environment(store: &dyn Store) -> Result<(), Vec<StoreError>> {
    match store.as_environment() {
        Some(environment) if environment.check().await.is_err() => environment.create().await,
        _ => Ok(()),
    }
}

/// The application.
pub fn app(sessions: SessionManager) -> Router {
    Router::new().route("/session1", get(start)).layer(SessionLayer::new(sessions))
}

#[derive(Deserialize)]
struct Parameters {
    destroy: Option<Destroy>,
}

#[derive(Clone, Copy, Deserialize)]
enum Destroy {
    /// The client is told to forget its id.
    True,
    /// No header field is sent (`sendCookieHeaders=False`).
    WithoutCookieHeaders,
}

async fn start(session: Session, Query(parameters): Query<Parameters>) -> Result<Html<String>, SessionError> {
    let store = session.namespace(APP)?;
    let page = if session.is_new() {
        store.insert("Variable1", "Python Rules!")?;
        page("New Session Started", "Visit Again", "Set variable1 to 'Python Rules!'")
    } else if let Some(destroy) = parameters.destroy {
        match destroy {
            Destroy::True => session.destroy()?,
            Destroy::WithoutCookieHeaders => session.destroy_keeping_cookie()?,
        }
        page("Session Destroyed", "Start Again", "")
    } else {
        session.set_expires_at(session.expires_at() + Duration::from_secs(5))?;
        page("Welcome back", "Visit Again", &about(&session)?)
    };
    session.save().await?; // environ['web.database.connection'].commit()
    Ok(page)
}

fn about(session: &Session) -> Result<String, SessionError> {
    let store = session.namespace(APP)?;
    // The public name of the session: a page is no place for the id.
    let name = session.handle().map(|handle| handle.to_string()).unwrap_or_default();
    let keys = store.keys().join(", ");
    let variable: Option<String> = store.get("Variable1")?;
    let expires = session.expires_at().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    Ok(format!(
        "Session: {name}</p><p>Store Keys: {keys}</p><p>Store App: {APP}</p><p>Variable1: {}</p><p>ExpireTime: {expires}",
        variable.unwrap_or_default()
    ))
}

fn page(title: &str, link: &str, data: &str) -> Html<String> {
    Html(format!(
        r#"<h1>{title}</h1><p>{data}</p><p><a href="/session1">{link}</a> <a href="/session1?destroy=True">Destroy Session</a></p>"#
    ))
}

//! lemon: first visit, welcome back, destroy; several applications in one session, a component with keys of its own, and
//! cleaning up by chance.

use std::{
    sync::Arc,
    time::{Duration, UNIX_EPOCH},
};

use axum::{
    Router,
    extract::{Path, Query, State},
    http::StatusCode,
    response::{Html, IntoResponse, Response},
    routing::{get, post},
};
use serde::Deserialize;
use session_adapter_axum::{Session, SessionError, SessionLayer};
use session_core::{
    Expiry, ManagerBuilder, ReservedNamespace, SessionConfig, SessionManager, Store,
    persist::{CookieLifetime, CookieOptions},
};

/// Sessions that last 1440 seconds (`expires`) and a cookie that lasts 1000 (`max-age`); `cleanup` is the share of
/// requests that also remove what has expired.
pub fn sessions(store: impl Store, cookie: CookieOptions, cleanup: f64) -> ManagerBuilder {
    let mut config = SessionConfig::default();
    config.expiry = Expiry::absolute(Duration::from_secs(1_440));
    config.limits.key_bytes = 32;
    config.cookie = cookie.with_lifetime(CookieLifetime::Fixed(Duration::from_secs(1_000)));
    SessionManager::builder(store).config(config).sweep_probability(cleanup)
}

/// The application: a page at `/{app}` for each application, and a form that sets any key in any of them.
pub fn app(sessions: SessionManager, auth: Option<Auth>) -> Router {
    Router::new()
        .route("/{app}", get(page))
        .route("/{app}/set", post(set))
        .route("/{app}/accesses", get(accesses))
        .with_state(Arc::new(auth))
        .layer(SessionLayer::new(sessions))
}

/// A component that keeps things in the session which the applications must not reach.
#[derive(Debug)]
pub struct Auth(ReservedNamespace);

impl Auth {
    const NAME: &str = "auth";

    /// Reserves the namespace.
    ///
    /// # Errors
    /// [`session_core::SessionError::Reserved`] if that was done before.
    pub fn new(sessions: &SessionManager) -> Result<Self, session_core::SessionError> {
        sessions.reserve(Self::NAME).map(Self)
    }

    /// Gives the namespace back.
    pub fn release(self, sessions: &SessionManager) {
        sessions.release(self.0);
    }

    /// Writes down that the session was used.
    fn note_access(&self, session: &Session) -> Result<(), SessionError> {
        let own = self.0.of(session)?;
        let started = session.created().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        own.get_or_insert_with("started", || started)?;
        own.update("accesses", |accesses: &mut u32| *accesses += 1)?;
        Ok(())
    }
}

#[derive(Deserialize)]
struct Parameters {
    destroy: Option<String>,
}

async fn page(
    session: Session,
    State(auth): State<Arc<Option<Auth>>>,
    Path(app): Path<String>,
    Query(parameters): Query<Parameters>,
) -> Result<Html<String>, SessionError> {
    let variables = session.namespace(&app)?;
    if !session.is_new() && parameters.destroy.is_some() {
        session.destroy()?;
        return Ok(Html("<h1>Session Deleted</h1>".into()));
    }
    if let Some(auth) = auth.as_ref() {
        auth.note_access(&session)?;
    }
    let known: Option<String> = variables.get("variable1")?;
    Ok(Html(match known {
        None => {
            variables.insert("variable1", "Python Rules!")?;
            "<h1>This is your first visit</h1><p>Setting variable1 to 'Python Rules!'.</p>".into()
        }
        Some(variable) => format!(
            r#"<h1>Welcome back</h1><p>variable1: {}</p><p><a href="?destroy=True">Destroy session</a>.</p>"#,
            escaped(&variable)
        ),
    }))
}

#[derive(Deserialize)]
struct Assignment {
    key: String,
    value: String,
}

/// Sets what the user asks for, where the user asks for it: only a reserved namespace keeps them out.
async fn set(
    session: Session,
    Path(app): Path<String>,
    Query(Assignment { key, value }): Query<Assignment>,
) -> Response {
    let done = session.namespace(&app).and_then(|variables| variables.insert(key, value));
    match done {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error @ session_core::SessionError::Reserved { .. }) => {
            (StatusCode::FORBIDDEN, error.to_string()).into_response()
        }
        Err(error) => (error.status(), error.to_string()).into_response(),
    }
}

/// What the component has written down, told by the component itself.
async fn accesses(session: Session, State(auth): State<Arc<Option<Auth>>>) -> Result<String, SessionError> {
    let Some(auth) = auth.as_ref() else { return Ok("nobody counts".into()) };
    let own = auth.0.of(&session)?;
    let (started, accesses) = (own.get::<u64>("started")?, own.get::<u32>("accesses")?);
    Ok(format!("started={} accesses={}", started.unwrap_or_default(), accesses.unwrap_or_default()))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

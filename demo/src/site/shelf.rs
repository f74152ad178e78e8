//! The shelf, and one tea.

use axum::{
    Router,
    extract::Path,
    response::{IntoResponse, Response},
    routing::get,
};
use session_adapter_axum::{Session, SessionError};

use super::{
    page::{Page, existing_token},
    problem::no_such_tea,
};
use crate::{shop::Tea, view};

/// `/` and `/tea/…`.
pub(super) fn routes() -> Router {
    Router::new().route("/", get(shelf)).route("/tea/{slug}", get(tea))
}

async fn shelf(session: Session) -> Result<Page, SessionError> {
    let content = view::shop::shelf(existing_token(&session)?.as_deref());
    Ok(Page::new(&session, "Teas", content)?)
}

/// The page has a form, so a visitor gets a session here.
async fn tea(session: Session, Path(slug): Path<String>) -> Result<Response, SessionError> {
    let Some(tea) = Tea::find(&slug) else { return no_such_tea() };
    let content = view::shop::tea(tea, &session.csrf_token()?);
    Ok(Page::new(&session, tea.name, content)?.into_response())
}

//! Signing in and out.

use axum::{
    Router,
    response::Redirect,
    routing::{get, post},
};
use serde::Deserialize;
use session_adapter_axum::{CsrfForm, Session, SessionError};

use super::page::{Page, TROUBLE};
use crate::view;

/// The longest name, in characters.
const LONGEST_NAME: usize = 60;

/// `/sign-in` and `/sign-out`.
pub(super) fn routes() -> Router {
    Router::new().route("/sign-in", get(form).post(sign_in)).route("/sign-out", post(sign_out))
}

#[derive(Debug, Deserialize)]
struct Name {
    name: String,
}

async fn form(session: Session) -> Result<Page, SessionError> {
    let content = view::account::sign_in(session.principal().as_deref(), &session.csrf_token()?);
    Ok(Page::new(&session, "Sign in", content)?)
}

/// A real application would check a password here, or something better.
async fn sign_in(
    session: Session,
    CsrfForm(Name { name }): CsrfForm<Name>,
) -> Result<Redirect, SessionError> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > LONGEST_NAME || name.chars().any(char::is_control) {
        session.flash_to(TROUBLE, "Please tell us a name, of at most 60 characters.")?;
        return Ok(Redirect::to("/sign-in"));
    }
    session.authenticate(name)?;
    session.flash(format!("Welcome, {name}. Your session has a new id."))?;
    Ok(Redirect::to("/"))
}

/// The message is the first thing in another session: what was in the one that ended is gone.
async fn sign_out(session: Session, _: CsrfForm<()>) -> Result<Redirect, SessionError> {
    session.destroy()?;
    session.flash("You are signed out. Your session and all that was in it are gone.")?;
    Ok(Redirect::to("/"))
}

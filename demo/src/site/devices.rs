//! 'Your devices': the sessions of whoever is signed in.

use std::{cmp::Reverse, time::SystemTime};

use axum::{
    Router,
    response::Redirect,
    routing::{get, post},
};
use serde::Deserialize;
use session_adapter_axum::{CsrfForm, Session, SessionError};
use session_core::SessionHandle;

use super::page::{Page, TROUBLE};
use crate::view::{self, format::count};

/// `/devices` and what ends them.
pub(super) fn routes() -> Router {
    Router::new()
        .route("/devices", get(show))
        .route("/devices/end", post(end))
        .route("/devices/end-others", post(end_others))
}

#[derive(Debug, Deserialize)]
struct Device {
    handle: String,
}

async fn show(session: Session) -> Result<Page, SessionError> {
    let content = if session.principal().is_some() {
        let own = session.handle();
        let mut sessions = session.sessions().await?;
        sessions.sort_by_key(|device| (Some(device.handle) != own, Reverse(device.created)));
        view::devices::devices(&sessions, own, &session.csrf_token()?, SystemTime::now())
    } else {
        view::devices::nobody()
    };
    Ok(Page::new(&session, "Your devices", content)?)
}

/// Only sessions of the same person can be ended: the library checks that.
async fn end(session: Session, CsrfForm(device): CsrfForm<Device>) -> Result<Redirect, SessionError> {
    let ended = match device.handle.parse::<SessionHandle>() {
        Ok(handle) => session.end(handle).await?,
        Err(_) => false,
    };
    if ended {
        session.flash("That device is signed out.")?;
    } else {
        session.flash_to(TROUBLE, "That device was signed out already.")?;
    }
    Ok(Redirect::to("/devices"))
}

async fn end_others(session: Session, _: CsrfForm<()>) -> Result<Redirect, SessionError> {
    let ended = session.end_others().await?;
    session.flash(format!("Signed out on {}.", count(ended, "other device", "other devices")))?;
    Ok(Redirect::to("/devices"))
}

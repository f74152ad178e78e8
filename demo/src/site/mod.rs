//! The routes, and what stands around them.

mod account;
mod assets;
mod cart;
mod delivery;
mod devices;
mod frame;
mod headers;
mod page;
mod problem;
mod session;
mod shelf;

use std::sync::Arc;

use axum::{
    Router,
    extract::Request,
    middleware::{self, Next},
    response::Response,
};
use session_adapter_axum::{LazySession, SessionLayer};
use session_core::SessionManager;

use crate::observe::{Journal, note_session};

pub(crate) use problem::of_session_error;

/// What the frame of all pages knows.
#[derive(Clone, Debug)]
pub(crate) struct Site {
    pub(crate) manager: SessionManager,
    /// Where sessions are kept, for people.
    pub(crate) store: Arc<str>,
    pub(crate) journal: Arc<Journal>,
}

/// The whole site.
pub(crate) fn router(site: Site) -> Router {
    Router::new()
        .merge(shelf::routes())
        .merge(cart::routes())
        .merge(account::routes())
        .merge(delivery::routes())
        .merge(devices::routes())
        .merge(session::routes())
        .fallback(problem::not_found)
        .layer(middleware::from_fn(keep_session))
        .layer(SessionLayer::new(site.manager.clone()))
        // Outside of the session layer, because only there it is known what the layer did.
        .layer(middleware::from_fn_with_state(site, frame::frame))
        .merge(assets::routes())
        .layer(middleware::from_fn(headers::protect))
}

/// Lets the frame look at the session when the request is over. Costs no store call.
async fn keep_session(session: LazySession, request: Request, next: Next) -> Response {
    note_session(session.into());
    next.run(request).await
}

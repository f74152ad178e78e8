//! A page before its frame is known.
//!
//! Handlers answer with the content only. The frame is put around it outside of the session layer, so that it can tell
//! what the layer did with this very request.

use axum::response::{IntoResponse, Response};
use maud::Markup;
use session_core::{Session, SessionError};

use crate::view::layout::Flash;

/// The flash queue for messages that are not good news.
pub(super) const TROUBLE: &str = "trouble";

/// A page without its frame, in the extensions of a response that has no body yet.
#[derive(Clone, Debug)]
pub(super) struct Page {
    pub(super) title: String,
    pub(super) content: Markup,
    pub(super) flashes: Vec<Flash>,
    pub(super) token: Option<String>,
}

impl Page {
    /// A page for the visitor with this session. Takes the messages that wait for it.
    ///
    /// # Errors
    /// [`SessionError`].
    pub(super) fn new(
        session: &Session,
        title: impl Into<String>,
        content: Markup,
    ) -> Result<Self, SessionError> {
        let mut flashes = Vec::new();
        for (queue, is_trouble) in [(TROUBLE, true), ("", false)] {
            let texts = session.take_flashes_from(queue)?;
            flashes.extend(texts.into_iter().map(|text| Flash { is_trouble, text }));
        }
        Ok(Self { title: title.into(), content, flashes, token: existing_token(session)? })
    }
}

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        let mut response = Response::default();
        response.extensions_mut().insert(self);
        response
    }
}

/// A token for a visitor who has a session. For one who has none it would make a session, which a page that is only
/// looked at should not.
///
/// # Errors
/// [`SessionError`].
pub(super) fn existing_token(session: &Session) -> Result<Option<String>, SessionError> {
    session.id().map(|_| session.csrf_token()).transpose()
}

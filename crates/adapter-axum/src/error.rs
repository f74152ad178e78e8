//! Session errors as responses, so that handlers can use `?`.

use std::{error::Error, fmt, ops::Deref, sync::Arc};

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};

/// A [`session_core::SessionError`] that handlers can return.
///
/// It becomes a 409, 413, 503 or 500 without the handler's help, or what the application has set with
/// [`error_response`](session_core::ManagerBuilder::error_response). Outer middleware finds it in the response with
/// [`of_response`](Self::of_response).
///
/// ```
/// use session_adapter_axum::{Session, SessionError};
///
/// async fn visit(session: Session) -> Result<String, SessionError> {
///     let visits: u32 = session.update("visits", |visits| *visits += 1)?;
///     Ok(visits.to_string())
/// }
/// # let _: axum::Router = axum::Router::new().route("/", axum::routing::get(visit));
/// ```
#[derive(Clone)]
pub struct SessionError(Arc<session_core::SessionError>);

impl SessionError {
    /// The error that a response was made of, if it was.
    #[must_use]
    pub fn of_response<B>(response: &http::Response<B>) -> Option<&Self> {
        response.extensions().get::<Failed>().map(|failed| &failed.error)
    }

    /// The same, for the layer that answers it: the first one to ask.
    pub(crate) fn unanswered(response: &mut Response) -> Option<Self> {
        let failed = response.extensions_mut().get_mut::<Failed>()?;
        (!std::mem::replace(&mut failed.answered, true)).then(|| failed.error.clone())
    }

    /// Marks a response that is final for this error.
    pub(crate) fn attach(self, response: Response) -> Response {
        self.mark(response, true)
    }

    fn mark(self, mut response: Response, answered: bool) -> Response {
        response.extensions_mut().insert(Failed { error: self, answered });
        response
    }
}

/// What a response was made of.
#[derive(Clone)]
struct Failed {
    error: SessionError,
    /// Whether a layer has seen it: only a layer knows the application's own response.
    answered: bool,
}

impl From<session_core::SessionError> for SessionError {
    fn from(error: session_core::SessionError) -> Self {
        Self(Arc::new(error))
    }
}

impl IntoResponse for SessionError {
    fn into_response(self) -> Response {
        let response = self.to_response().map(Body::from);
        self.mark(response, false)
    }
}

impl Deref for SessionError {
    type Target = session_core::SessionError;

    fn deref(&self) -> &session_core::SessionError {
        &self.0
    }
}

impl fmt::Display for SessionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for SessionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for SessionError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}

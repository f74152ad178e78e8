//! Session errors as replies, so that handlers can use `?`.

use std::{error::Error, fmt, ops::Deref, sync::Arc};

use bytes::Bytes;
use warp::{Reply, reply::Response};

/// A [`session_core::SessionError`] that handlers can return.
///
/// It becomes a 409, 413, 503 or 500 without the handler's help, or what the application has set with
/// [`error_response`](session_core::ManagerBuilder::error_response). Outer middleware finds it in the response with
/// [`of_response`](Self::of_response).
///
/// ```
/// use session_adapter_warp::{Session, SessionError, session};
/// use warp::Filter;
///
/// async fn visit(session: Session) -> Result<String, SessionError> {
///     let visits: u32 = session.update("visits", |visits| *visits += 1)?;
///     Ok(visits.to_string())
/// }
/// # let _ =
/// warp::path("visit").and(session()).then(visit)
/// # ;
/// ```
#[derive(Clone)]
pub struct SessionError(Arc<session_core::SessionError>);

impl SessionError {
    /// The error that a response was made of, if it was.
    #[must_use]
    pub fn of_response<B>(response: &http::Response<B>) -> Option<&Self> {
        response.extensions().get()
    }

    /// Makes a response one of this error.
    pub(crate) fn attach(self, response: http::Response<Bytes>) -> Response {
        let mut response = response.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<session_core::SessionError> for SessionError {
    fn from(error: session_core::SessionError) -> Self {
        Self(Arc::new(error))
    }
}

impl Reply for SessionError {
    fn into_response(self) -> Response {
        let response = self.to_response();
        self.attach(response)
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

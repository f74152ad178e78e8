//! Session errors as responders, so that handlers can use `?`.

use std::{error::Error, fmt, ops::Deref, sync::Arc};

use bytes::Bytes;
use rocket::{
    Request,
    response::{self, Responder},
};

use crate::{middleware::Attached, translate};

/// A [`session_core::SessionError`] that handlers can return.
///
/// It becomes a 409, 413, 503 or 500 without the handler's help, or what the application has set with
/// [`error_response`](session_core::ManagerBuilder::error_response).
///
/// ```
/// # use rocket::get;
/// use session_adapter_rocket::{Session, SessionError};
///
/// #[get("/")]
/// fn visit(session: Session) -> Result<String, SessionError> {
///     let visits: u32 = session.update("visits", |visits| *visits += 1)?;
///     Ok(visits.to_string())
/// }
/// ```
#[derive(Clone)]
pub struct SessionError(Arc<session_core::SessionError>);

impl SessionError {
    pub(crate) fn response(&self, request: &Request<'_>) -> http::Response<Bytes> {
        match request.rocket().state::<Attached>() {
            Some(attached) => attached.manager.respond(&self.0),
            None => self.0.to_response(),
        }
    }
}

impl From<session_core::SessionError> for SessionError {
    fn from(error: session_core::SessionError) -> Self {
        Self(Arc::new(error))
    }
}

impl<'r> Responder<'r, 'static> for SessionError {
    fn respond_to(self, request: &'r Request<'_>) -> response::Result<'static> {
        Ok(translate::response(self.response(request)))
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

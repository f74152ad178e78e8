//! The session as an argument of handlers.

use std::fmt;

use http::StatusCode;
use session_core::{LazySession, Session};
use warp::{
    Filter, Rejection, Reply,
    reject::Reject,
    reply::{self, Response},
};

use crate::{csrf::CsrfRejection, error::SessionError, middleware::Attached};

/// The session of the request, loaded.
///
/// However many filters and handlers ask for it, it is loaded once. Rejects with [`SessionRejection`].
///
/// ```
/// # use warp::Filter;
/// use session_adapter_warp::{Session, session};
///
/// let route = warp::path("status").and(session()).map(|session: Session| session.status().as_str());
/// ```
pub fn session() -> impl Filter<Extract = (Session,), Error = Rejection> + Copy + Send + Sync + 'static {
    attached().and_then(|attached: Attached| async move { attached.load().await.map_err(Rejection::from) })
}

/// The session of a request that may not need it: asking for it costs nothing, [`load`](LazySession::load) does.
///
/// Rejects with [`SessionRejection::MissingLayer`].
pub fn lazy_session()
-> impl Filter<Extract = (LazySession,), Error = Rejection> + Copy + Send + Sync + 'static {
    attached().map(|attached: Attached| attached.session)
}

pub(crate) fn attached()
-> impl Filter<Extract = (Attached,), Error = Rejection> + Copy + Send + Sync + 'static {
    warp::ext::optional::<Attached>().and_then(|attached: Option<Attached>| {
        std::future::ready(attached.ok_or_else(|| {
            tracing::error!("{}", SessionRejection::MissingLayer);
            Rejection::from(SessionRejection::MissingLayer)
        }))
    })
}

impl Attached {
    pub(crate) async fn load(&self) -> Result<Session, SessionRejection> {
        self.session.load().await.map_err(|error| SessionRejection::Load(error.into()))
    }
}

/// Why a filter did not get its session.
///
/// Rejections that the routes leave over become responses by themselves. A `recover` that answers every rejection
/// finds this one with [`Rejection::find`], and a clone of it is a [`Reply`].
///
/// ```
/// # use warp::{Filter, Rejection, Reply, http::StatusCode, reply::Response};
/// use session_adapter_warp::SessionRejection;
///
/// async fn recover(rejection: Rejection) -> Result<Response, Rejection> {
///     if rejection.is_not_found() {
///         return Ok(StatusCode::NOT_FOUND.into_response());
///     }
///     if let Some(rejection) = rejection.find::<SessionRejection>() {
///         return Ok(rejection.clone().into_response());
///     }
///     Ok(StatusCode::BAD_REQUEST.into_response())
/// }
/// # let _ = session_adapter_warp::session().map(|_| "").recover(recover);
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum SessionRejection {
    /// The routes are served without their [`SessionLayer`](crate::SessionLayer): a mistake in the application,
    /// answered with a 500.
    MissingLayer,
    /// The session could not be loaded.
    Load(SessionError),
}

/// Answers our own rejections; all others are left to warp.
pub(crate) async fn recover(rejection: Rejection) -> Result<Response, Rejection> {
    if let Some(session) = rejection.find::<SessionRejection>() {
        return Ok(session.clone().into_response());
    }
    match rejection.find::<CsrfRejection>() {
        Some(csrf) => Ok(csrf.clone().into_response()),
        None => Err(rejection),
    }
}

impl Reject for SessionRejection {}

impl Reply for SessionRejection {
    fn into_response(self) -> Response {
        match self {
            Self::MissingLayer if cfg!(debug_assertions) => {
                reply::with_status(format!("{self}\n"), StatusCode::INTERNAL_SERVER_ERROR).into_response()
            }
            Self::MissingLayer => {
                reply::with_status("Internal server error.\n", StatusCode::INTERNAL_SERVER_ERROR)
                    .into_response()
            }
            Self::Load(error) => error.into_response(),
        }
    }
}

impl fmt::Display for SessionRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MissingLayer => {
                f.write_str("a filter asks for its session, but the routes are not wrapped in a SessionLayer")
            }
            Self::Load(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for SessionRejection {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::MissingLayer => None,
            Self::Load(error) => error.source(),
        }
    }
}

//! The session as an argument of handlers.

use std::{convert::Infallible, fmt, ops::Deref};

use axum::{
    extract::{FromRequestParts, OptionalFromRequestParts},
    response::{IntoResponse, Response},
};
use http::{Extensions, StatusCode, request::Parts};

use crate::{error::SessionError, middleware::Attached};

/// The session of the request, loaded: a handler argument that is a [`session_core::Session`].
///
/// However many handlers, guards and middlewares ask for it, it is loaded once. `Option<Session>` is `None` on routes
/// without a [`SessionLayer`](crate::SessionLayer); a store that cannot tell is an error there too.
#[derive(Clone, Debug)]
pub struct Session(session_core::Session);

/// The session of a request that may not need it: a handler argument that is a [`session_core::LazySession`].
///
/// Asking for it costs nothing; [`load`](session_core::LazySession::load) does.
#[derive(Clone, Debug)]
pub struct LazySession(session_core::LazySession);

impl LazySession {
    /// The session of a request, from its extensions: for middleware that is not made of extractors. `None` without a
    /// [`SessionLayer`](crate::SessionLayer) above.
    #[must_use]
    pub fn from_extensions(extensions: &Extensions) -> Option<Self> {
        Attached::find(extensions).map(|attached| Self(attached.session.clone()))
    }
}

impl Attached {
    pub(crate) fn of(parts: &Parts) -> Result<&Self, SessionRejection> {
        Self::find(&parts.extensions).ok_or_else(|| SessionRejection::missing(parts))
    }

    pub(crate) async fn load(&self) -> Result<Session, SessionRejection> {
        Ok(Session(self.session.load().await?))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Session {
    type Rejection = SessionRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, SessionRejection> {
        Attached::of(parts)?.load().await
    }
}

impl<S: Send + Sync> OptionalFromRequestParts<S> for Session {
    type Rejection = SessionRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, SessionRejection> {
        match Attached::find(&parts.extensions) {
            Some(attached) => attached.load().await.map(Some),
            None => Ok(None),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for LazySession {
    type Rejection = SessionRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, SessionRejection> {
        Ok(Self(Attached::of(parts)?.session.clone()))
    }
}

impl<S: Send + Sync> OptionalFromRequestParts<S> for LazySession {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Infallible> {
        Ok(Self::from_extensions(&parts.extensions))
    }
}

macro_rules! newtype {
    ($name:ident) => {
        impl Deref for $name {
            type Target = session_core::$name;

            fn deref(&self) -> &session_core::$name {
                &self.0
            }
        }

        impl From<session_core::$name> for $name {
            fn from(session: session_core::$name) -> Self {
                Self(session)
            }
        }

        impl From<$name> for session_core::$name {
            fn from(session: $name) -> Self {
                session.0
            }
        }
    };
}

newtype!(Session);
newtype!(LazySession);

/// Why a handler did not get its session.
#[derive(Debug)]
#[non_exhaustive]
pub enum SessionRejection {
    /// The route has no [`SessionLayer`](crate::SessionLayer): a mistake in the application, answered with a 500.
    MissingLayer,
    /// The session could not be loaded.
    Load(SessionError),
}

impl SessionRejection {
    fn missing(parts: &Parts) -> Self {
        tracing::error!(method = %parts.method, path = parts.uri.path(), "{}", Self::MissingLayer);
        Self::MissingLayer
    }
}

impl From<session_core::SessionError> for SessionRejection {
    fn from(error: session_core::SessionError) -> Self {
        Self::Load(error.into())
    }
}

impl IntoResponse for SessionRejection {
    fn into_response(self) -> Response {
        match self {
            Self::MissingLayer if cfg!(debug_assertions) => {
                (StatusCode::INTERNAL_SERVER_ERROR, format!("{self}\n")).into_response()
            }
            Self::MissingLayer => {
                (StatusCode::INTERNAL_SERVER_ERROR, "Internal server error.\n").into_response()
            }
            Self::Load(error) => error.into_response(),
        }
    }
}

impl fmt::Display for SessionRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MissingLayer => f.write_str(
                "a handler asks for its session, but no SessionLayer was added to its router (layers added before a \
                 route do not cover it)",
            ),
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

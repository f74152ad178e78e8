//! The session as a request guard.

use std::{fmt, ops::Deref};

use rocket::{
    Ignite, Request, Rocket, Sentinel,
    http::Status,
    outcome::Outcome,
    request::{self, FromRequest},
    response::{self, Responder},
};

use crate::{error::SessionError, local::Local, middleware::Attached};

/// The session of the request, loaded: a request guard that is a [`session_core::Session`].
///
/// However many guards and fairings ask for it, it is loaded once. Rocket refuses to launch an application that has
/// routes with this guard and no [`SessionFairing`](crate::SessionFairing).
#[derive(Clone, Debug)]
pub struct Session(session_core::Session);

/// The session of a request that may not need it: a request guard that is a [`session_core::LazySession`].
///
/// Asking for it costs nothing; [`load`](session_core::LazySession::load) does.
#[derive(Clone, Debug)]
pub struct LazySession(session_core::LazySession);

impl Session {
    pub(crate) async fn of(request: &Request<'_>) -> Result<Self, SessionRejection> {
        let session = LazySession::of(request)?;
        session.load().await.map(Self).map_err(|error| SessionRejection::Load(error.into()))
    }
}

impl LazySession {
    fn of(request: &Request<'_>) -> Result<Self, SessionRejection> {
        Local::of(request).session().map(Self).ok_or(SessionRejection::MissingFairing)
    }
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Session {
    type Error = SessionRejection;

    async fn from_request(request: &'r Request<'_>) -> request::Outcome<Self, SessionRejection> {
        match Self::of(request).await {
            Ok(session) => Outcome::Success(session),
            Err(rejection) => Outcome::Error((rejection.report(request), rejection)),
        }
    }
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for LazySession {
    type Error = SessionRejection;

    async fn from_request(request: &'r Request<'_>) -> request::Outcome<Self, SessionRejection> {
        match Self::of(request) {
            Ok(session) => Outcome::Success(session),
            Err(rejection) => Outcome::Error((rejection.report(request), rejection)),
        }
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

        impl Sentinel for $name {
            fn abort(rocket: &Rocket<Ignite>) -> bool {
                is_missing(rocket)
            }
        }
    };
}

newtype!(Session);
newtype!(LazySession);

/// Whether an application has routes that need sessions, and no fairing that gives them.
pub(crate) fn is_missing(rocket: &Rocket<Ignite>) -> bool {
    let missing = rocket.state::<Attached>().is_none();
    if missing {
        log::error!("{}", SessionRejection::MissingFairing);
    }
    missing
}

/// Why a handler did not get its session.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum SessionRejection {
    /// No [`SessionFairing`](crate::SessionFairing) has seen the request: none is attached, a fairing before it asks, or
    /// the request is so malformed that Rocket asks no fairing. Answered with a 500.
    MissingFairing,
    /// The session could not be loaded.
    Load(SessionError),
}

impl SessionRejection {
    /// The status a guard fails with, and notes for the fairing which response to send unless a catcher of the
    /// application has a better one.
    pub(crate) fn report(&self, request: &Request<'_>) -> Status {
        match self {
            Self::MissingFairing => Status::InternalServerError,
            Self::Load(error) => {
                let response = error.response(request);
                let status = Status::new(response.status().as_u16());
                Local::of(request).fail(response);
                status
            }
        }
    }
}

impl<'r> Responder<'r, 'static> for SessionRejection {
    fn respond_to(self, request: &'r Request<'_>) -> response::Result<'static> {
        match self {
            Self::MissingFairing => Err(Status::InternalServerError),
            Self::Load(error) => error.respond_to(request),
        }
    }
}

impl fmt::Display for SessionRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MissingFairing => {
                f.write_str("a route asks for its session, but no SessionFairing is attached")
            }
            Self::Load(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for SessionRejection {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::MissingFairing => None,
            Self::Load(error) => error.source(),
        }
    }
}

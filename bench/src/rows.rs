//! The requests that are measured (row P1), and the figures to reach.

use axum::body::Body;
use http::{Request, header::COOKIE};
use serde::Serialize;

/// A kind of request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Row {
    /// No cookie, and the handler does not use the session.
    NoCookieUntouched,
    /// A cookie of a live session, and the handler does not use it.
    CookieUntouched,
    /// A cookie of a live session, and the handler reads one value.
    CookieRead,
    /// A cookie of a live session, and the handler writes one value.
    CookieWrite,
    /// No cookie, and the handler writes one value: a session is created and a cookie is set.
    FirstWrite,
}

impl Row {
    /// All rows, in the order of the table.
    pub const ALL: [Self; 5] = [
        Self::NoCookieUntouched,
        Self::CookieUntouched,
        Self::CookieRead,
        Self::CookieWrite,
        Self::FirstWrite,
    ];

    /// What the row is called in tables.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::NoCookieUntouched => "no cookie, session untouched",
            Self::CookieUntouched => "cookie, session untouched",
            Self::CookieRead => "cookie, one value read",
            Self::CookieWrite => "cookie, one value written",
            Self::FirstWrite => "no cookie, first write",
        }
    }

    /// The most that the library may add to a request: nanoseconds, and allocations.
    #[must_use]
    pub const fn target(self) -> (f64, f64) {
        match self {
            Self::NoCookieUntouched => (140.0, 4.0),
            Self::CookieUntouched => (165.0, 4.0),
            Self::CookieRead => (385.0, 7.0),
            Self::CookieWrite => (550.0, 13.0),
            Self::FirstWrite => (900.0, 14.0),
        }
    }

    /// The path whose handler does what the row says.
    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Self::NoCookieUntouched | Self::CookieUntouched => "/untouched",
            Self::CookieRead => "/read",
            Self::CookieWrite | Self::FirstWrite => "/write",
        }
    }

    /// The request, with the cookie that the contender has issued if the row has one.
    ///
    /// # Panics
    /// For a cookie that no header may have.
    #[must_use]
    pub fn request(self, cookie: &str) -> Request<Body> {
        let request =
            Request::builder().uri(self.path()).header("user-agent", "bench").header("accept", "*/*");
        let request = match self {
            Self::NoCookieUntouched | Self::FirstWrite => request,
            _ => request.header(COOKIE, cookie),
        };
        request.body(Body::empty()).expect("a valid request")
    }
}

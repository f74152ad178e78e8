//! The kinds of requests, and what each may cost.

use clap::ValueEnum;
use http::{Request, header::COOKIE};
use serde::Serialize;

use super::Framework;

/// A kind of request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
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
    /// All of them, in the order of the table.
    pub const ALL: [Self; 5] = [
        Self::NoCookieUntouched,
        Self::CookieUntouched,
        Self::CookieRead,
        Self::CookieWrite,
        Self::FirstWrite,
    ];

    /// What it is called in tables.
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

    /// The most allocations that the library may add to a request on axum.
    #[must_use]
    pub const fn most_allocations(self) -> f64 {
        match self {
            Self::NoCookieUntouched | Self::CookieUntouched => 4.0,
            Self::CookieRead => 7.0,
            Self::CookieWrite => 13.0,
            Self::FirstWrite => 14.0,
        }
    }

    /// Nanoseconds that a sketch of the library added on axum, without limits, events and policy, on the machine where the
    /// peers added what the ratios are taken from.
    #[must_use]
    pub const fn sketch(self) -> f64 {
        match self {
            Self::NoCookieUntouched => 140.0,
            Self::CookieUntouched => 165.0,
            Self::CookieRead => 385.0,
            Self::CookieWrite => 550.0,
            Self::FirstWrite => 900.0,
        }
    }

    /// How many times cheaper than the peer the library has to be: a ratio holds on every machine.
    #[must_use]
    pub const fn times_cheaper(self, framework: Framework) -> f64 {
        match (framework, self) {
            (Framework::Warp | Framework::Rocket, _) => 3.0,
            (Framework::Axum, Self::NoCookieUntouched) => 4.6,
            (Framework::Axum, Self::CookieUntouched) => 7.0,
            (Framework::Axum, Self::CookieRead) => 4.0,
            (Framework::Axum, Self::CookieWrite) => 4.8,
            (Framework::Axum, Self::FirstWrite) => 2.2,
        }
    }

    /// The path whose handler does what it says.
    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Self::NoCookieUntouched | Self::CookieUntouched => "/untouched",
            Self::CookieRead => "/read",
            Self::CookieWrite | Self::FirstWrite => "/write",
        }
    }

    /// Whether the client has a cookie.
    #[must_use]
    pub const fn has_cookie(self) -> bool {
        !matches!(self, Self::NoCookieUntouched | Self::FirstWrite)
    }

    /// The name on the command line.
    #[must_use]
    pub fn slug(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }

    /// The request, with the cookie that the application has issued if there is to be one.
    ///
    /// # Panics
    /// For a cookie that no header may have.
    #[must_use]
    #[expect(clippy::expect_used, reason = "a measurement that cannot be set up ends with the reason")]
    pub fn request(self, cookie: &str) -> Request<()> {
        let request =
            Request::builder().uri(self.path()).header("user-agent", "bench").header("accept", "*/*");
        let request = if self.has_cookie() { request.header(COOKIE, cookie) } else { request };
        request.body(()).expect("a valid request")
    }
}

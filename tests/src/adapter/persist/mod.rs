//! How ids travel in a run of the suite, seen from the client.

use std::{fmt, str::FromStr};

use http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{COOKIE, SET_COOKIE},
};
use session_core::{
    ManagerBuilder,
    persist::{CookieOptions, Header},
};

use super::set_cookie::SetCookie;
use crate::{Failure, Result, failure::fail};

/// A persistence strategy to test an adapter with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Persist {
    /// A cookie with the default attributes.
    Cookie,
    /// The header field `x-session-id`.
    Header,
}

/// What a response tells the client about its id.
#[derive(Clone, PartialEq, Eq)]
pub enum Told {
    /// Nothing.
    Nothing,
    /// To use this id from now on.
    Issued(String),
    /// That there is no session any more.
    Withdrawn,
}

impl Persist {
    /// Every strategy there is.
    pub const ALL: &'static [Self] = &[Self::Cookie, Self::Header];

    /// The name, as in `--persist`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cookie => "cookie",
            Self::Header => "header",
        }
    }

    /// The header field of requests that carries an id, and that responses have to vary on.
    pub(super) const fn request_field(self) -> HeaderName {
        match self {
            Self::Cookie => COOKIE,
            Self::Header => HeaderName::from_static(FIELD),
        }
    }

    /// Sets a manager up with this strategy and its default options.
    pub fn configure(self, builder: ManagerBuilder) -> ManagerBuilder {
        match self {
            Self::Cookie => builder.cookie(CookieOptions::default()),
            Self::Header => builder.persistence(Header::default()),
        }
    }

    /// Adds an id to a request, beside those that it has. `cookie` is the name of the cookie.
    pub(super) fn present(self, headers: &mut HeaderMap, cookie: &str, id: &[u8]) -> Result {
        let value = match self {
            Self::Cookie => [cookie.as_bytes(), b"=", id].concat(),
            Self::Header => id.to_vec(),
        };
        headers.append(self.request_field(), HeaderValue::from_bytes(&value)?);
        Ok(())
    }

    /// What a response says about the id.
    pub(super) fn told(self, headers: &HeaderMap, cookie: &str) -> Result<Told> {
        let mut told = match self {
            Self::Cookie => {
                let all: Vec<SetCookie<'_>> =
                    headers.get_all(SET_COOKIE).iter().map(SetCookie::parse).collect::<Result<_>>()?;
                all.into_iter()
                    .filter(|set| set.name == cookie)
                    .map(|set| told(set.value))
                    .collect::<Vec<_>>()
            }
            Self::Header => {
                let all = headers.get_all(FIELD).iter();
                all.map(|value| Ok(told(value.to_str()?))).collect::<Result<Vec<_>>>()?
            }
        };
        match (told.pop(), told.len()) {
            (None, _) => Ok(Told::Nothing),
            (Some(told), 0) => Ok(told),
            (_, more) => fail!("a response tells about its session {} times, not once", more + 1),
        }
    }
}

fn told(value: &str) -> Told {
    if value.is_empty() { Told::Withdrawn } else { Told::Issued(value.to_owned()) }
}

impl fmt::Display for Persist {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Persist {
    type Err = Failure;

    fn from_str(name: &str) -> Result<Self> {
        let known = Self::ALL.iter().find(|persist| persist.name() == name);
        known.copied().ok_or_else(|| Failure::new(format!("there is no persistence strategy `{name}`")))
    }
}

/// An id never gets into the text of a failure.
impl fmt::Debug for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nothing => "no id",
            Self::Issued(_) => "an id",
            Self::Withdrawn => "a withdrawal of the id",
        })
    }
}

/// The default name of the field of [`Header`].
const FIELD: &str = "x-session-id";

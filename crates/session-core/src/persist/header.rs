//! The id in a header field of its own, for clients that are not browsers.

use http::{HeaderMap, HeaderName, HeaderValue, header};

use super::{Announcement, Persistence, Presented};
use crate::{error::ConfigError, id::SessionId, request::RequestHead};

/// Carries the id in a header field of requests and responses; `x-session-id` unless set otherwise.
///
/// A session that ended is announced as an empty field. Browsers send no such field by themselves, so a request cannot
/// be forged from another site; scripts of the page, however, hold the id.
#[derive(Clone, Debug)]
pub struct Header {
    name: [HeaderName; 1],
}

impl Header {
    /// A strategy that uses the field `name`.
    ///
    /// # Errors
    /// [`ConfigError`] for a name that is no field name, or is one that HTTP gives a meaning to.
    pub fn new(name: &str) -> Result<Self, ConfigError> {
        let refuse = |rule| ConfigError::new("header.name", rule);
        let name = HeaderName::try_from(name).map_err(|_| refuse("is not a header field name"))?;
        if TAKEN.contains(&name) {
            return Err(refuse("HTTP gives this header field another meaning"));
        }
        Ok(Self { name: [name] })
    }
}

impl Default for Header {
    fn default() -> Self {
        Self { name: [HeaderName::from_static("x-session-id")] }
    }
}

impl Persistence for Header {
    fn present(&self, head: &RequestHead<'_>) -> Presented {
        let [name] = &self.name;
        let mut presented = Presented::Nothing;
        for value in head.headers.get_all(name) {
            if let Some(id) = SessionId::parse(value.as_bytes()) {
                presented.add(id);
            }
        }
        presented
    }

    fn announce(&self, announcement: Announcement<'_>, headers: &mut HeaderMap) {
        let [name] = &self.name;
        let value = match announcement {
            Announcement::Issue { id, .. } => HeaderValue::try_from(id.expose_secret()).ok(),
            Announcement::Withdraw { .. } => Some(HeaderValue::from_static("")),
            Announcement::State { .. } => None,
        };
        if let Some(mut value) = value {
            value.set_sensitive(true);
            headers.insert(name.clone(), value);
        }
    }

    fn vary(&self) -> &[HeaderName] {
        &self.name
    }

    fn reads_other_fields(&self) -> bool {
        false
    }
}

const TAKEN: &[HeaderName] = &[
    header::ACCEPT,
    header::AUTHORIZATION,
    header::CACHE_CONTROL,
    header::CONNECTION,
    header::CONTENT_ENCODING,
    header::CONTENT_LENGTH,
    header::CONTENT_TYPE,
    header::COOKIE,
    header::DATE,
    header::ETAG,
    header::EXPIRES,
    header::HOST,
    header::LOCATION,
    header::ORIGIN,
    header::REFERER,
    header::SET_COOKIE,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    header::USER_AGENT,
    header::VARY,
    header::VIA,
];

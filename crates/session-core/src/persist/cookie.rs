//! The default strategy: the id in a cookie (RFC 6265bis).

use http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{COOKIE, SET_COOKIE},
};

use super::{Announcement, CookieLifetime, CookieOptions, Persistence, Presented, scan};
use crate::{error::ConfigError, id::SessionId, request::RequestHead};

/// Carries the id in a cookie.
///
/// All `Cookie` fields are read; different ids under one name are all looked up, and only if exactly one of them is
/// alive is it used (RFC 6265bis section 5.7.3 tells servers not to rely on the order).
#[derive(Clone, Debug)]
pub struct Cookie {
    options: CookieOptions,
    prefix: String,
    suffix: String,
    removal: HeaderValue,
}

impl Cookie {
    /// A strategy with these options.
    ///
    /// # Errors
    /// [`ConfigError`] naming the field and the rule for a cookie that a browser would silently refuse.
    pub fn new(options: CookieOptions) -> Result<Self, ConfigError> {
        options.validate()?;
        let attributes = options.attributes();
        let lifetime = match options.lifetime {
            CookieLifetime::BrowserSession => String::new(),
            CookieLifetime::Fixed(lifetime) => format!("; Max-Age={}", lifetime.as_secs()),
        };
        let removal =
            format!("{}=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT{attributes}", options.name);
        let removal = HeaderValue::try_from(removal)
            .map_err(|_| ConfigError::new("cookie", "has a character that no header may have"))?;
        Ok(Self { prefix: format!("{}=", options.name), suffix: lifetime + &attributes, removal, options })
    }

    /// The name of the cookie.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.options.name
    }
}

impl Persistence for Cookie {
    fn present(&self, head: &RequestHead<'_>) -> Presented {
        let mut presented = Presented::Nothing;
        for value in scan::values(head.headers, self.options.name.as_bytes()) {
            if let Some(id) = SessionId::parse(value) {
                presented.add(id);
            }
        }
        presented
    }

    fn announce(&self, announcement: Announcement<'_>, headers: &mut HeaderMap) {
        let field = match announcement {
            Announcement::Issue { id, .. } => {
                let value = id.expose_secret();
                let mut field = Vec::with_capacity(self.prefix.len() + value.len() + self.suffix.len());
                field.extend_from_slice(self.prefix.as_bytes());
                field.extend_from_slice(value.as_bytes());
                field.extend_from_slice(self.suffix.as_bytes());
                HeaderValue::try_from(field).ok()
            }
            Announcement::Withdraw => Some(self.removal.clone()),
        };
        if let Some(mut field) = field {
            field.set_sensitive(true);
            headers.append(SET_COOKIE, field);
        }
    }

    fn vary(&self) -> &[HeaderName] {
        const VARY: &[HeaderName] = &[COOKIE];
        VARY
    }

    fn expires_at_client(&self) -> bool {
        matches!(self.options.lifetime, CookieLifetime::Fixed(_))
    }
}

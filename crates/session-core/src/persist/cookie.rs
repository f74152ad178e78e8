//! The default strategy: the id in a cookie (RFC 6265bis).

use http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{COOKIE, SET_COOKIE},
};

use super::{Announcement, CookieLifetime, CookieOptions, Persistence, Presented, scan};
#[cfg(feature = "signed")]
use super::{KeyRing, keys::DerivedKey};
use crate::{error::ConfigError, id::SessionId, request::RequestHead};

/// Carries the id in a cookie.
///
/// All `Cookie` fields are read; different ids under one name are all looked up, and only if exactly one of them is
/// alive is it used (RFC 6265bis section 5.7.3 tells servers not to rely on the order).
#[derive(Clone, Debug)]
pub struct Cookie {
    frame: Frame,
    #[cfg(feature = "signed")]
    signature: Option<Signature>,
}

impl Cookie {
    /// A strategy with these options.
    ///
    /// # Errors
    /// [`ConfigError`] naming the field and the rule for a cookie that a browser would silently refuse.
    pub fn new(options: CookieOptions) -> Result<Self, ConfigError> {
        Ok(Self {
            frame: Frame::new(options)?,
            #[cfg(feature = "signed")]
            signature: None,
        })
    }

    /// A strategy whose ids carry a signature, so that forged ones are refused without asking the store.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    #[cfg(feature = "signed")]
    pub fn signed(options: CookieOptions, ring: KeyRing) -> Result<Self, ConfigError> {
        let mut cookie = Self::new(options)?;
        cookie.signature = Some(Signature { ring, keys: Vec::new() });
        cookie.bind("default");
        Ok(cookie)
    }

    /// The name of the cookie.
    #[must_use]
    pub fn name(&self) -> &str {
        self.frame.name()
    }
}

impl Persistence for Cookie {
    fn present(&self, head: &RequestHead<'_>) -> Presented {
        let mut presented = Presented::Nothing;
        for value in scan::values(head.headers, self.frame.name.as_bytes()) {
            #[cfg(feature = "signed")]
            if let Some(signature) = &self.signature {
                signature.present(value, &mut presented);
                continue;
            }
            if let Some(id) = SessionId::parse(value) {
                presented.add(id);
            }
        }
        presented
    }

    fn announce(&self, announcement: Announcement<'_>, headers: &mut HeaderMap) {
        let field = match announcement {
            #[cfg(feature = "signed")]
            Announcement::Issue { id, .. } if self.signature.is_some() => {
                self.signature.as_ref().and_then(|signature| self.frame.field(signature.sign(id).as_bytes()))
            }
            Announcement::Issue { id, .. } => self.frame.field(id.expose_secret().as_bytes()),
            Announcement::Withdraw { .. } => Some(self.frame.removal()),
            Announcement::State { .. } => None,
        };
        if let Some(field) = field {
            headers.append(SET_COOKIE, field);
        }
    }

    fn vary(&self) -> &[HeaderName] {
        const VARY: &[HeaderName] = &[COOKIE];
        VARY
    }

    fn reads_other_fields(&self) -> bool {
        false
    }

    #[cfg(feature = "signed")]
    fn bind(&mut self, realm: &str) {
        if let Some(signature) = &mut self.signature {
            signature.keys = signature.ring.derive("signed id", realm, &self.frame.name);
        }
    }

    fn expires_at_client(&self) -> bool {
        self.frame.expires()
    }
}

/// Everything of a `Set-Cookie` field but the value.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    name: String,
    suffix: String,
    removal: HeaderValue,
    expires: bool,
}

impl Frame {
    pub(super) fn new(options: CookieOptions) -> Result<Self, ConfigError> {
        options.validate()?;
        let attributes = options.attributes();
        let (lifetime, expires) = match options.lifetime {
            CookieLifetime::BrowserSession => (String::new(), false),
            CookieLifetime::Fixed(lifetime) => (format!("; Max-Age={}", lifetime.as_secs()), true),
        };
        let removal =
            format!("{}=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT{attributes}", options.name);
        let removal = HeaderValue::try_from(removal)
            .map_err(|_| ConfigError::new("cookie", "has a character that no header may have"))?;
        Ok(Self { name: options.name, suffix: lifetime + &attributes, removal, expires })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) const fn expires(&self) -> bool {
        self.expires
    }

    /// The field that sets the cookie, in one allocation.
    pub(super) fn field(&self, value: &[u8]) -> Option<HeaderValue> {
        let mut field = Vec::with_capacity(self.name.len() + 1 + value.len() + self.suffix.len());
        for part in [self.name.as_bytes(), b"=", value, self.suffix.as_bytes()] {
            field.extend_from_slice(part);
        }
        let mut field = HeaderValue::try_from(field).ok()?;
        field.set_sensitive(true);
        Some(field)
    }

    /// The field that removes the cookie, with the attributes that set it, without which browsers keep it.
    pub(super) fn removal(&self) -> HeaderValue {
        self.removal.clone()
    }
}

/// `id.tag`: the tag is the first half of HMAC-SHA-256, in base64url.
#[cfg(feature = "signed")]
#[derive(Clone, Debug)]
struct Signature {
    ring: KeyRing,
    keys: Vec<DerivedKey>,
}

#[cfg(feature = "signed")]
impl Signature {
    const TAG: usize = 18;

    fn sign(&self, id: &SessionId) -> String {
        let id = id.expose_secret();
        let tag = self.keys.first().map(|key| key.tag(id.as_bytes())).unwrap_or_default();
        format!("{id}.{}", data_encoding::BASE64URL_NOPAD.encode(&tag[..Self::TAG]))
    }

    fn present(&self, value: &[u8], presented: &mut Presented) {
        let Some((id, tag)) = value.split_at_checked(SessionId::LENGTH) else { return };
        let (Some(id), Some(tag)) = (SessionId::parse(id), tag.strip_prefix(b".")) else { return };
        let mut bytes = [0; Self::TAG];
        if tag.len() != data_encoding::BASE64URL_NOPAD.encode_len(Self::TAG)
            || data_encoding::BASE64URL_NOPAD.decode_mut(tag, &mut bytes).is_err()
        {
            return;
        }
        match self.keys.iter().position(|key| key.verify_start(id.expose_secret().as_bytes(), &bytes)) {
            Some(0) => presented.add(id),
            Some(_) => presented.add_outdated(id),
            None => {}
        }
    }
}

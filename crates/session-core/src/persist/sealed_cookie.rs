//! No store at all: the record itself travels in the cookie, signed or encrypted.

use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{COOKIE, SET_COOKIE},
};

use super::{
    Announcement, CookieOptions, KeyRing, Persistence, Presented, cookie::Frame, keys::DerivedKey, scan,
};
use crate::{
    error::{ConfigError, SessionError},
    id::Random,
    request::RequestHead,
};

/// RFC 6265bis section 5.6: user agents refuse a name and value of more than 4096 bytes.
const LONGEST_PAIR: usize = 4096;
const TAG: usize = 32;
#[cfg(feature = "encrypted")]
const NONCE: usize = 24;
#[cfg(feature = "encrypted")]
const AEAD_TAG: usize = 16;

/// Keeps the whole session in the cookie.
///
/// Good for small sites without a place to store anything, with these limits, which no such scheme escapes: a session
/// of about 3,000 bytes at most; the last of two parallel responses wins; and **a copy of the cookie stays valid after
/// a logout**, until the timeouts inside it end it. The sessions of a principal cannot be listed or ended.
///
/// Cookie name, realm and purpose are part of what is protected, so a cookie of one is refused under another. The
/// timestamps are inside. With a [`KeyRing`] of several keys, cookies of older keys are accepted and made anew.
#[derive(Clone, Debug)]
pub struct SealedCookie {
    frame: Frame,
    ring: KeyRing,
    protection: Protection,
    keys: Vec<DerivedKey>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Protection {
    Signed,
    #[cfg(feature = "encrypted")]
    Encrypted,
}

impl SealedCookie {
    /// Readable by the client, protected against changes (HMAC-SHA-256).
    ///
    /// # Errors
    /// [`ConfigError`] as [`Cookie::new`](super::Cookie::new).
    pub fn signed(options: CookieOptions, ring: KeyRing) -> Result<Self, ConfigError> {
        Self::new(options, ring, Protection::Signed)
    }

    /// Unreadable, and protected against changes (XChaCha20-Poly1305, whose random nonces do not run out).
    ///
    /// # Errors
    /// [`ConfigError`] as [`Cookie::new`](super::Cookie::new).
    #[cfg(feature = "encrypted")]
    pub fn encrypted(options: CookieOptions, ring: KeyRing) -> Result<Self, ConfigError> {
        Self::new(options, ring, Protection::Encrypted)
    }

    fn new(options: CookieOptions, ring: KeyRing, protection: Protection) -> Result<Self, ConfigError> {
        let mut cookie = Self { frame: Frame::new(options)?, ring, protection, keys: Vec::new() };
        cookie.bind("default");
        Ok(cookie)
    }

    fn open(&self, key: &DerivedKey, sealed: &[u8]) -> Option<Bytes> {
        match self.protection {
            Protection::Signed => {
                let (record, tag) = sealed.split_at_checked(sealed.len().checked_sub(TAG)?)?;
                key.verify(record, tag).then(|| Bytes::copy_from_slice(record))
            }
            #[cfg(feature = "encrypted")]
            Protection::Encrypted => {
                let (nonce, sealed) = sealed.split_first_chunk::<NONCE>()?;
                aead::open(key, nonce, sealed).map(Bytes::from)
            }
        }
    }

    const fn overhead(&self) -> usize {
        match self.protection {
            Protection::Signed => TAG,
            #[cfg(feature = "encrypted")]
            Protection::Encrypted => NONCE + AEAD_TAG,
        }
    }
}

impl Persistence for SealedCookie {
    fn present(&self, head: &RequestHead<'_>) -> Presented {
        let mut presented = Presented::Nothing;
        let mut values = 0;
        for value in scan::values(head.headers, self.frame.name().as_bytes()) {
            values += 1;
            if values > super::Candidates::MOST {
                return Presented::Ambiguous;
            }
            if value.len() > LONGEST_PAIR {
                continue;
            }
            let Ok(sealed) = data_encoding::BASE64URL_NOPAD.decode(value) else { continue };
            for (key, age) in self.keys.iter().zip(0..) {
                let Some(record) = self.open(key, &sealed) else { continue };
                match &presented {
                    Presented::State { record: other, .. } if *other != record => {
                        return Presented::Ambiguous;
                    }
                    _ => presented = Presented::State { record, outdated: age > 0 },
                }
                break;
            }
        }
        presented
    }

    fn announce(&self, announcement: Announcement<'_>, headers: &mut HeaderMap) {
        let field = match announcement {
            Announcement::State { sealed } => self.frame.field(sealed),
            Announcement::Withdraw { .. } => Some(self.frame.removal()),
            Announcement::Issue { .. } => None,
        };
        headers.extend(field.map(|field: HeaderValue| (SET_COOKIE, field)));
    }

    fn vary(&self) -> &[HeaderName] {
        const VARY: &[HeaderName] = &[COOKIE];
        VARY
    }

    fn reads_other_fields(&self) -> bool {
        false
    }

    fn bind(&mut self, realm: &str) {
        let purpose = match self.protection {
            Protection::Signed => "signed session",
            #[cfg(feature = "encrypted")]
            Protection::Encrypted => "encrypted session",
        };
        self.keys = self.ring.derive(purpose, realm, self.frame.name());
    }

    fn expires_at_client(&self) -> bool {
        self.frame.expires()
    }

    fn state_limit(&self) -> Option<usize> {
        Some(((LONGEST_PAIR - self.frame.name().len() - 1) / 4 * 3).saturating_sub(self.overhead()))
    }

    fn seal(&self, record: &[u8], random: &dyn Random) -> Result<Bytes, SessionError> {
        let key = self.keys.first().ok_or(SessionError::Unsupported { ability: "KeyRing" })?;
        let sealed = match self.protection {
            Protection::Signed => [record, &key.tag(record)].concat(),
            #[cfg(feature = "encrypted")]
            Protection::Encrypted => {
                let mut nonce = [0; NONCE];
                random.fill(&mut nonce)?;
                aead::seal(key, &nonce, record)?
            }
        };
        #[cfg(not(feature = "encrypted"))]
        let _ = random;
        Ok(data_encoding::BASE64URL_NOPAD.encode(&sealed).into())
    }
}

#[cfg(feature = "encrypted")]
pub(super) mod aead {
    use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce, aead::Aead};

    use super::{DerivedKey, NONCE};
    use crate::{error::SessionError, id::RandomError};

    pub(in crate::persist) fn open(key: &DerivedKey, nonce: &[u8; NONCE], sealed: &[u8]) -> Option<Vec<u8>> {
        cipher(key).decrypt(&XNonce::from(*nonce), sealed).ok()
    }

    /// The nonce in front of the ciphertext.
    pub(in crate::persist) fn seal(
        key: &DerivedKey,
        nonce: &[u8; NONCE],
        record: &[u8],
    ) -> Result<Vec<u8>, SessionError> {
        let sealed = cipher(key)
            .encrypt(&XNonce::from(*nonce), record)
            .map_err(|_| SessionError::Random(RandomError))?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    pub(in crate::persist) fn cipher(key: &DerivedKey) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&(*key.0).into())
    }
}

//! Secret keys, and rings of them so that a key can be replaced without signing anybody out.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Deserializer, de};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::{
    error::{ConfigError, SessionError},
    id::{OsRandom, Random},
};

/// A secret of at least 32 bytes. Redacted in `Debug`, wiped when dropped.
///
/// ```
/// # use session_core::persist::SecretKey;
/// let key = SecretKey::generate()?;
/// assert!(SecretKey::from_text(&key.expose_secret()).is_ok());
/// assert!(SecretKey::from_text("secret").is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct SecretKey(Zeroizing<Vec<u8>>);

impl SecretKey {
    const SHORTEST: usize = 32;

    /// A new key from the operating system's random generator.
    ///
    /// # Errors
    /// [`SessionError::Random`] if the generator fails.
    pub fn generate() -> Result<Self, SessionError> {
        let mut bytes = Zeroizing::new(vec![0; Self::SHORTEST]);
        OsRandom.fill(&mut bytes)?;
        Ok(Self(bytes))
    }

    /// A key of these bytes, which must be random.
    ///
    /// # Errors
    /// [`ConfigError`] for fewer than 32 bytes, and for a key that is one byte repeated.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ConfigError> {
        let refuse = |rule| Err(ConfigError::new("keys", rule));
        if bytes.len() < Self::SHORTEST {
            return refuse("a key has at least 32 random bytes");
        }
        if bytes.windows(2).all(|pair| pair[0] == pair[1]) {
            return refuse("a key must be random, not one byte repeated");
        }
        Ok(Self(Zeroizing::new(bytes.to_vec())))
    }

    /// A key from base64url without padding, as [`expose_secret`](Self::expose_secret) spells it.
    ///
    /// # Errors
    /// [`ConfigError`] for anything else, and as [`from_bytes`](Self::from_bytes).
    pub fn from_text(text: &str) -> Result<Self, ConfigError> {
        let bytes = data_encoding::BASE64URL_NOPAD.decode(text.trim().as_bytes()).map_err(|_| {
            ConfigError::new("keys", "a key is base64url without padding (43 characters for 32 bytes)")
        })?;
        Self::from_bytes(&Zeroizing::new(bytes))
    }

    /// The key as base64url, for a configuration file that nobody else can read.
    #[must_use]
    pub fn expose_secret(&self) -> String {
        data_encoding::BASE64URL_NOPAD.encode(&self.0)
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(..)")
    }
}

impl<'de> Deserialize<'de> for SecretKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Zeroizing::new(String::deserialize(deserializer)?);
        Self::from_text(&text).map_err(|error| de::Error::custom(error.rule()))
    }
}

/// The key in use, and older ones that are still accepted.
///
/// To replace a key, put the new one in front and keep the old one behind it for as long as sessions live: what was
/// made with the old key is accepted and made anew with the next response, so nobody is signed out.
#[derive(Clone, Debug)]
pub struct KeyRing(Vec<SecretKey>);

impl KeyRing {
    /// A ring of one key.
    #[must_use]
    pub fn new(current: SecretKey) -> Self {
        Self(vec![current])
    }

    /// A ring of several keys, the one in use first.
    ///
    /// # Errors
    /// [`ConfigError`] if there are none, or one twice.
    pub fn from_keys(keys: impl IntoIterator<Item = SecretKey>) -> Result<Self, ConfigError> {
        let keys: Vec<_> = keys.into_iter().collect();
        if keys.is_empty() {
            return Err(ConfigError::new("keys", "at least one key is needed"));
        }
        if keys.iter().enumerate().any(|(at, key)| keys[..at].contains(key)) {
            return Err(ConfigError::new("keys", "the same key is there twice"));
        }
        Ok(Self(keys))
    }

    /// Keys for one purpose, so that what was made for one cookie, realm or purpose is refused under another.
    pub(super) fn derive(&self, purpose: &str, realm: &str, cookie: &str) -> Vec<DerivedKey> {
        self.0.iter().map(|key| DerivedKey::new(key, [purpose, realm, cookie])).collect()
    }
}

/// The keys of a configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SecretKeys(Vec<SecretKey>);

impl SecretKeys {
    /// These keys, the one in use first.
    #[must_use]
    pub fn new(keys: impl IntoIterator<Item = SecretKey>) -> Self {
        Self(keys.into_iter().collect())
    }

    pub(crate) fn ring(&self) -> Result<KeyRing, ConfigError> {
        KeyRing::from_keys(self.0.iter().cloned())
    }
}

impl<'de> Deserialize<'de> for SecretKeys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SecretKeysVisitor)
    }
}

struct SecretKeysVisitor;

impl<'de> de::Visitor<'de> for SecretKeysVisitor {
    type Value = SecretKeys;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of keys, or one text with commas in between")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<SecretKeys, E> {
        let keys = text.split(',').map(SecretKey::from_text).collect::<Result<_, _>>();
        keys.map(SecretKeys).map_err(|error| E::custom(error.rule()))
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut sequence: A) -> Result<SecretKeys, A::Error> {
        let mut keys = Vec::new();
        while let Some(key) = sequence.next_element()? {
            keys.push(key);
        }
        Ok(SecretKeys(keys))
    }
}

/// A key for one purpose: HMAC-SHA-256 of the purpose under the secret (NIST SP 800-108 in counter mode with one block).
#[derive(Clone)]
pub(super) struct DerivedKey(pub(super) Zeroizing<[u8; 32]>);

impl DerivedKey {
    fn new(key: &SecretKey, context: [&str; 3]) -> Self {
        let mut mac = hmac(&key.0);
        mac.update(b"session-core");
        for part in context {
            mac.update(&(part.len() as u64).to_le_bytes());
            mac.update(part.as_bytes());
        }
        Self(Zeroizing::new(mac.finalize().into_bytes().into()))
    }

    /// HMAC-SHA-256 of `message`.
    pub(super) fn tag(&self, message: &[u8]) -> [u8; 32] {
        hmac(&*self.0).chain_update(message).finalize().into_bytes().into()
    }

    /// Whether `tag` is the one of `message`, in constant time.
    pub(super) fn verify(&self, message: &[u8], tag: &[u8]) -> bool {
        hmac(&*self.0).chain_update(message).verify_slice(tag).is_ok()
    }

    /// Whether `tag` is the beginning of the one of `message`, in constant time.
    pub(super) fn verify_start(&self, message: &[u8], tag: &[u8]) -> bool {
        hmac(&*self.0).chain_update(message).verify_truncated_left(tag).is_ok()
    }
}

impl fmt::Debug for DerivedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DerivedKey(..)")
    }
}

/// HMAC takes keys of every length, so the fallback is never reached; it would refuse everything.
pub(super) fn hmac(key: &[u8]) -> Hmac<Sha256> {
    Hmac::<Sha256>::new_from_slice(key).unwrap_or_else(|_| Hmac::<Sha256>::new(&Default::default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weak_and_doubled_keys_are_refused() {
        // Shows: A27
        assert!(SecretKey::from_bytes(&[]).is_err());
        assert!(SecretKey::from_bytes(&[1; 31]).is_err());
        assert!(SecretKey::from_bytes(&[0; 32]).is_err());
        assert!(KeyRing::from_keys([]).is_err());
        let key = SecretKey::generate().unwrap();
        assert!(KeyRing::from_keys([key.clone(), key]).is_err());
    }

    #[test]
    fn keys_of_different_purposes_differ() {
        // Shows: A26
        let ring = KeyRing::new(SecretKey::generate().unwrap());
        let [a, b, c] =
            [["x", "y", "z"], ["xy", "", "z"], ["x", "yz", ""]].map(|[p, r, n]| ring.derive(p, r, n));
        assert!(a[0].0 != b[0].0 && b[0].0 != c[0].0 && a[0].0 != c[0].0);
        // Also those of the same length.
        for other in [["a", "y", "z"], ["x", "a", "z"], ["x", "y", "a"]] {
            assert!(ring.derive(other[0], other[1], other[2])[0].0 != a[0].0, "{other:?}");
        }
    }

    #[test]
    fn keys_are_redacted() {
        let ring = KeyRing::new(SecretKey::generate().unwrap());
        assert_eq!(format!("{ring:?}"), "KeyRing([SecretKey(..)])");
    }
}

//! How large a session may become, checked when a value is inserted.

use serde::Deserialize;

use crate::error::{ConfigError, Limit, SessionError};

/// Upper bounds that keep one client from filling the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of a key; 255 unless set, 65,535 at most.
    pub key_bytes: usize,
    /// Bytes of one encoded value; 65,536 unless set.
    pub value_bytes: usize,
    /// Bytes of the whole record; 262,144 unless set.
    pub record_bytes: usize,
    /// Keys in the session, in all namespaces; 1,024 unless set.
    pub keys: usize,
    /// Bytes of the name of a principal; 255 unless set, 65,535 at most.
    pub principal_bytes: usize,
}

impl Limits {
    pub(crate) fn check(self, limit: Limit, actual: usize) -> Result<(), SessionError> {
        let allowed = match limit {
            Limit::KeyBytes => self.key_bytes,
            Limit::ValueBytes => self.value_bytes,
            Limit::RecordBytes => self.record_bytes,
            Limit::Keys => self.keys,
            Limit::PrincipalBytes => self.principal_bytes,
        };
        if actual > allowed { Err(SessionError::limit(limit, actual, allowed)) } else { Ok(()) }
    }

    pub(crate) fn validate(self) -> Result<(), ConfigError> {
        let sixteen_bits = usize::from(u16::MAX);
        let megabytes = 64 * 1024 * 1024;
        for (field, value, most) in [
            ("limits.key_bytes", self.key_bytes, sixteen_bits),
            ("limits.principal_bytes", self.principal_bytes, sixteen_bits),
            ("limits.value_bytes", self.value_bytes, megabytes),
            ("limits.record_bytes", self.record_bytes, megabytes),
            ("limits.keys", self.keys, megabytes),
        ] {
            if value == 0 || value > most {
                return Err(ConfigError::new(field, format!("must be from 1 to {most}")));
            }
        }
        Ok(())
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            key_bytes: 255,
            value_bytes: 64 * 1024,
            record_bytes: 256 * 1024,
            keys: 1_024,
            principal_bytes: 255,
        }
    }
}

//! When a session ends by itself: after inactivity, and however active it is.

use std::time::Duration;

use serde::Deserialize;

use crate::{error::ConfigError, record::Meta, span, timestamp::Timestamp};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The two timeouts of a session. Both are checked whenever a session is loaded; sweeping is only hygiene.
///
/// The default is 30 minutes idle and 12 hours absolute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Expiry {
    /// How long a session lives without a request that uses it; `None` for no such limit.
    #[serde(deserialize_with = "span::optional")]
    pub idle: Option<Duration>,
    /// How long a session lives after it was created or last signed in to; `None` for no such limit.
    #[serde(deserialize_with = "span::optional")]
    pub absolute: Option<Duration>,
}

impl Expiry {
    /// NIST SP 800-63B-4 section 2.1.3: an overall timeout of 30 days.
    pub const NIST_AAL1: Self = Self { idle: None, absolute: Some(Duration::from_secs(30 * DAY.as_secs())) };
    /// NIST SP 800-63B-4 section 2.2.3: 1 hour of inactivity, 24 hours overall.
    pub const NIST_AAL2: Self = Self { idle: Some(HOUR), absolute: Some(DAY) };
    /// NIST SP 800-63B-4 section 2.3.3: 15 minutes of inactivity, 12 hours overall.
    pub const NIST_AAL3: Self = Self {
        idle: Some(Duration::from_secs(15 * MINUTE.as_secs())),
        absolute: Some(Duration::from_secs(12 * HOUR.as_secs())),
    };

    /// Ends after `duration` without use, however long the session is used.
    #[must_use]
    pub const fn idle(duration: Duration) -> Self {
        Self { idle: Some(duration), absolute: None }
    }

    /// Ends `duration` after creation or sign-in, used or not.
    #[must_use]
    pub const fn absolute(duration: Duration) -> Self {
        Self { idle: None, absolute: Some(duration) }
    }

    pub(crate) fn validate(self) -> Result<(), ConfigError> {
        if self.idle.is_none() && self.absolute.is_none() {
            return Err(ConfigError::new(
                "expiry",
                "a session needs an idle timeout, an absolute timeout, or both",
            ));
        }
        for (field, timeout) in [("expiry.idle", self.idle), ("expiry.absolute", self.absolute)] {
            if timeout.is_some_and(|timeout| timeout < Duration::from_secs(1)) {
                return Err(ConfigError::new(field, "must be at least one second"));
            }
        }
        Ok(())
    }

    /// When the session of `meta` ends, if it is not used again.
    pub(crate) fn deadline(self, meta: &Meta) -> Timestamp {
        let idle = match meta.idle {
            Override::Inherit => self.idle.map(|idle| meta.last_seen.plus(idle)),
            Override::Never => None,
            Override::Value(millis) => Some(meta.last_seen.plus(Duration::from_millis(millis))),
        };
        let absolute = match meta.absolute {
            Override::Inherit => self.absolute.map(|absolute| meta.started().plus(absolute)),
            Override::Never => None,
            Override::Value(millis) => Some(Timestamp::from_millis(millis)),
        };
        match (idle, absolute) {
            (Some(idle), Some(absolute)) => idle.min(absolute),
            (one, other) => one.or(other).unwrap_or(Timestamp::LATEST),
        }
    }

    /// Whether a request at `now` has to be written down as activity: once in a tenth of the idle time, so that
    /// reading does not write each time.
    pub(crate) fn touch_is_due(self, meta: &Meta, now: Timestamp) -> bool {
        let idle = match meta.idle {
            Override::Inherit => self.idle,
            Override::Never => None,
            Override::Value(millis) => Some(Duration::from_millis(millis)),
        };
        idle.is_some_and(|idle| now.since(meta.last_seen) >= idle / 10)
    }
}

impl Default for Expiry {
    fn default() -> Self {
        Self { idle: Some(30 * MINUTE), absolute: Some(12 * HOUR) }
    }
}

/// A setting of one session that may differ from the configured one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Override {
    Inherit,
    Never,
    Value(u64),
}

impl Override {
    /// A timeout of this length, in whole milliseconds and never none.
    pub(crate) fn timeout(length: Duration) -> Self {
        Self::Value(u64::try_from(length.as_millis()).unwrap_or(u64::MAX).clamp(1, u64::MAX - 1))
    }

    pub(crate) const fn to_bits(self) -> u64 {
        match self {
            Self::Inherit => 0,
            Self::Never => u64::MAX,
            Self::Value(value) => value,
        }
    }

    pub(crate) const fn from_bits(bits: u64) -> Self {
        match bits {
            0 => Self::Inherit,
            u64::MAX => Self::Never,
            value => Self::Value(value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// NIST SP 800-63B-4 sections 2.1.3, 2.2.3 and 2.3.3.
    #[test]
    fn the_presets_keep_to_nist() {
        for (preset, idle, absolute) in [
            (Expiry::NIST_AAL1, None, 30 * DAY),
            (Expiry::NIST_AAL2, Some(HOUR), DAY),
            (Expiry::NIST_AAL3, Some(15 * MINUTE), 12 * HOUR),
        ] {
            preset.validate().unwrap();
            assert_eq!(preset, Expiry { idle, absolute: Some(absolute) });
        }
    }
}

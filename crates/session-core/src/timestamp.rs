//! Milliseconds since 1970: how the core keeps and compares points in time.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Timestamp(u64);

impl Timestamp {
    /// 9999-12-31T23:59:59Z, the last second an HTTP date can spell (RFC 9110 section 5.6.7).
    pub(crate) const LATEST: Self = Self(253_402_300_799_000);

    pub(crate) const fn from_millis(millis: u64) -> Self {
        if millis > Self::LATEST.0 { Self::LATEST } else { Self(millis) }
    }

    pub(crate) const fn millis(self) -> u64 {
        self.0
    }

    pub(crate) fn plus(self, duration: Duration) -> Self {
        Self::from_millis(self.0.saturating_add(millis(duration)))
    }

    /// The time from `earlier` to this; zero when the clock went backwards in between.
    pub(crate) const fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self::from_millis(millis(since))
    }
}

impl From<Timestamp> for SystemTime {
    fn from(timestamp: Timestamp) -> Self {
        UNIX_EPOCH + Duration::from_millis(timestamp.0)
    }
}

/// In 64 bits, where [`Duration::as_millis`] takes 128.
fn millis(duration: Duration) -> u64 {
    duration.as_secs().saturating_mul(1_000).saturating_add(duration.subsec_millis().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extremes_saturate() {
        // Shows: A15
        assert_eq!(Timestamp::from_millis(u64::MAX), Timestamp::LATEST);
        assert_eq!(Timestamp::from_millis(5).plus(Duration::MAX), Timestamp::LATEST);
        assert_eq!(Timestamp::from(UNIX_EPOCH - Duration::from_secs(1)).millis(), 0);
        assert_eq!(Timestamp::from_millis(1).since(Timestamp::from_millis(5)), Duration::ZERO);
    }
}

//! Instants as the tables keep them: whole milliseconds since 1970, in 63 bits.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Rounds up, so that no record ends early. Before 1970 counts as 1970.
pub(crate) fn to_millis(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    let rest = since.subsec_nanos() % 1_000_000;
    let millis = since.as_millis().saturating_add(u128::from(rest > 0));
    i64::try_from(millis).unwrap_or(i64::MAX)
}

/// `None` if no such instant can have been written.
pub(crate) fn from_millis(millis: i64) -> Option<SystemTime> {
    UNIX_EPOCH.checked_add(Duration::from_millis(u64::try_from(millis).ok()?))
}

/// Rounds down: what has expired by then has expired by `time`.
pub(crate) fn now_millis(time: SystemTime) -> i64 {
    i64::try_from(time.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_milliseconds_survive() {
        for millis in [0, 1, 999, 1_000, 1_767_225_600_123, 253_402_300_799_000] {
            assert_eq!(from_millis(millis).map(to_millis), Some(millis));
        }
    }

    #[test]
    fn fractions_round_up_and_now_rounds_down() {
        let instant = UNIX_EPOCH + Duration::from_nanos(5_000_001);
        assert_eq!((to_millis(instant), now_millis(instant)), (6, 5));
    }

    #[test]
    fn the_ends_of_time_are_safe() {
        assert_eq!(to_millis(UNIX_EPOCH - Duration::from_secs(1)), 0);
        assert_eq!(to_millis(UNIX_EPOCH + Duration::from_secs(i64::MAX as u64)), i64::MAX);
        assert_eq!(from_millis(-1), None);
    }
}

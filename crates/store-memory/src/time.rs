//! Instants as whole milliseconds since 1970, eight bytes instead of sixteen.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Rounds up, so that no record ends early: an instant of whole milliseconds lies before `time` exactly if it lies
/// before the rounded one. Before 1970 counts as 1970; beyond the year 500 million counts as for ever.
pub(crate) fn to_millis(time: SystemTime) -> u64 {
    let Ok(since) = time.duration_since(UNIX_EPOCH) else { return 0 };
    let below_a_second = u64::from(since.subsec_nanos().div_ceil(1_000_000));
    since.as_secs().saturating_mul(1_000).saturating_add(below_a_second)
}

pub(crate) fn from_millis(millis: u64) -> SystemTime {
    UNIX_EPOCH.checked_add(Duration::from_millis(millis)).unwrap_or(UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_milliseconds_survive() {
        for millis in [0, 1, 999, 1_000, 1_767_225_600_123] {
            assert_eq!(to_millis(from_millis(millis)), millis);
        }
    }

    #[test]
    fn fractions_round_up() {
        assert_eq!(to_millis(UNIX_EPOCH + Duration::from_nanos(1)), 1);
        assert_eq!(to_millis(UNIX_EPOCH + Duration::new(5, 999_000_001)), 6_000);
    }

    #[test]
    fn the_ends_of_time_are_safe() {
        assert_eq!(to_millis(UNIX_EPOCH - Duration::from_secs(1)), 0);
        assert!(from_millis(u64::MAX) > from_millis(1));
    }
}

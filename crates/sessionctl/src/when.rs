//! Points in time and lengths of time, as an operator writes and reads them.

use std::{
    borrow::Cow,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// Reads the deadline of a store.
pub(crate) fn deadline(text: &str) -> Result<Duration, String> {
    let duration =
        humantime::parse_duration(text).map_err(|error| format!("{error}; write 500ms, 5s or 2m"))?;
    let allowed = Duration::from_millis(1)..=Duration::from_secs(3_600);
    if allowed.contains(&duration) { Ok(duration) } else { Err("from 1ms to 1h".to_owned()) }
}

/// Reads `2026-01-31T12:00:00Z`, or `7d` for seven days ago.
pub(crate) fn in_the_past(text: &str) -> Result<SystemTime, String> {
    let now = SystemTime::now();
    let time = match humantime::parse_duration(text) {
        Ok(ago) => now.checked_sub(ago).filter(|time| *time >= UNIX_EPOCH).unwrap_or(UNIX_EPOCH),
        Err(_) => humantime::parse_rfc3339_weak(&at_midnight(text))
            .map_err(|_| "write 2026-01-31T12:00:00Z, in UTC, or how long ago: 90m, 7d".to_owned())?,
    };
    if time > now {
        Err("that is in the future: live sessions are ended, not swept".to_owned())
    } else {
        Ok(time)
    }
}

/// `2026-01-31` is its beginning.
fn at_midnight(text: &str) -> Cow<'_, str> {
    if text.len() == "2026-01-31".len() { format!("{text}T00:00:00Z").into() } else { text.into() }
}

/// In JSON, to the millisecond.
pub(crate) fn exact(time: SystemTime) -> String {
    humantime::format_rfc3339_millis(within_the_calendar(time)).to_string()
}

/// For people: the second, and how far that is from now.
pub(crate) fn told(time: SystemTime, now: SystemTime) -> String {
    format!("{}  {}", humantime::format_rfc3339_seconds(within_the_calendar(time)), distance(time, now))
}

/// `5m ago`, `in 2h`.
pub(crate) fn distance(time: SystemTime, now: SystemTime) -> String {
    match now.duration_since(time) {
        Ok(passed) => format!("{} ago", length(passed)),
        Err(error) => format!("in {}", length(error.duration())),
    }
}

/// The largest unit, rounded down: what has more than one is known well enough by it.
fn length(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m", seconds / 60),
        3_600..172_800 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}

/// A store may hold any number; the calendar that is printed ends with the year 9999.
fn within_the_calendar(time: SystemTime) -> SystemTime {
    const LATEST: Duration = Duration::from_secs(253_402_300_799);
    time.clamp(UNIX_EPOCH, UNIX_EPOCH + LATEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_in_the_past_are_read_and_others_refused() {
        let now = SystemTime::now();
        let week = now.duration_since(in_the_past("7d").unwrap()).unwrap().as_secs();
        assert!((604_799..=604_801).contains(&week), "{week}");
        assert_eq!(in_the_past("1970-01-02T00:00:00Z"), Ok(UNIX_EPOCH + Duration::from_secs(86_400)));
        assert_eq!(in_the_past("1970-01-02"), in_the_past("1970-01-02T00:00:00Z"));
        assert_eq!(in_the_past("9999999h"), Ok(UNIX_EPOCH));
        for text in ["", "x", "-5m", "7", "2026-13-01", "9998-01-01T00:00:00Z"] {
            assert!(in_the_past(text).is_err(), "{text}");
        }
    }

    #[test]
    fn deadlines_are_bounded() {
        assert_eq!(deadline("250ms"), Ok(Duration::from_millis(250)));
        for text in ["0s", "2h", "5", "", "-1s"] {
            assert!(deadline(text).is_err(), "{text}");
        }
    }

    #[test]
    fn no_time_is_beyond_the_calendar() {
        let far = UNIX_EPOCH + Duration::from_secs(u64::MAX >> 2);
        assert_eq!(exact(far), "9999-12-31T23:59:59.000Z");
        assert_eq!(exact(UNIX_EPOCH - Duration::from_secs(5)), "1970-01-01T00:00:00.000Z");
        assert!(told(far, UNIX_EPOCH).starts_with("9999-12-31T23:59:59Z  in "));
    }

    #[test]
    fn distances_have_one_unit() {
        let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
        for (time, now, told) in [
            (0, 59, "59s ago"),
            (0, 60, "1m ago"),
            (0, 7_200, "2h ago"),
            (200_000, 0, "in 2d"),
            (0, 0, "0s ago"),
        ] {
            assert_eq!(distance(at(time), at(now)), told);
        }
    }
}

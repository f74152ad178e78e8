//! Money and time as people read them.

use std::time::{Duration, SystemTime};

use maud::{Markup, html};

/// Euro.
pub(crate) fn money(cents: u32) -> String {
    format!("€{}.{:02}", cents / 100, cents % 100)
}

/// `one tin`, `3 tins`.
pub(crate) fn count(number: usize, singular: &str, plural: &str) -> String {
    match number {
        1 => format!("one {singular}"),
        _ => format!("{number} {plural}"),
    }
}

/// A point in time, relative to `now`; the exact one as a tooltip.
pub(crate) fn moment(instant: SystemTime, now: SystemTime) -> Markup {
    let text = match now.duration_since(instant) {
        Ok(past) if past < Duration::from_secs(2) => "just now".to_owned(),
        Ok(past) => format!("{} ago", span(past)),
        Err(future) => format!("in {}", span(future.duration())),
    };
    html! { span title=(httpdate::fmt_http_date(instant)) { (text) } }
}

/// A length of time in its largest unit, rounded.
pub(crate) fn span(length: Duration) -> String {
    const UNITS: [(u64, &str); 4] = [(86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")];
    let seconds = (length + Duration::from_millis(500)).as_secs();
    let (unit, name) = UNITS.into_iter().find(|(unit, _)| seconds >= 2 * unit).unwrap_or((1, "s"));
    format!("{} {name}", (seconds + unit / 2) / unit)
}

/// How long something took.
pub(crate) fn took(length: Duration) -> String {
    match length.as_micros() {
        micros @ ..10_000 => format!("{}.{} ms", micros / 1_000, micros % 1_000 / 100),
        micros => format!("{} ms", micros / 1_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_has_two_decimals() {
        assert_eq!(money(1_250), "€12.50");
        assert_eq!(money(5), "€0.05");
    }

    #[test]
    fn spans_are_in_the_largest_unit_that_says_enough() {
        for (millis, text) in [
            (0, "0 s"),
            (1_400, "1 s"),
            (1_500, "2 s"),
            (119_000, "119 s"),
            (1_799_990, "30 min"),
            (43_200_000, "12 h"),
            (259_200_000, "3 d"),
        ] {
            assert_eq!(span(Duration::from_millis(millis)), text);
        }
    }

    #[test]
    fn moments_lie_on_either_side_of_now() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        let text = |instant| moment(instant, now).into_string();
        assert!(text(now).contains(">just now<"));
        assert!(text(now - Duration::from_secs(180)).contains(">3 min ago<"));
        assert!(text(now + Duration::from_secs(1_800)).contains(">in 30 min<"));
    }
}

//! Text for a terminal: nothing that was stored may move its cursor or change its colours.

use std::borrow::Cow;

/// `text` with characters that cannot be printed spelt out.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    let prints = |c: char| matches!(c, ' '..='~');
    if text.chars().all(prints) {
        return Cow::Borrowed(text);
    }
    let mut printable = String::with_capacity(text.len());
    for c in text.chars() {
        if prints(c) {
            printable.push(c);
        } else {
            printable.extend(c.escape_debug());
        }
    }
    Cow::Owned(printable)
}

/// `312 B`, `4.1 KiB`, `2.0 MiB`.
#[expect(clippy::cast_precision_loss, reason = "two digits are shown")]
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < 1_024 {
        return format!("{bytes} B");
    }
    let mut size = bytes as f64 / 1_024.0;
    let mut unit = 0;
    while size >= 1_023.95 && unit + 1 < UNITS.len() {
        size /= 1_024.0;
        unit += 1;
    }
    format!("{size:.1} {}", UNITS[unit])
}

/// `1 session`, `2 sessions`.
pub(crate) fn count(number: usize, one: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {one}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_controls_a_terminal_is_spelt_out() {
        assert_eq!(printable("cart \"ä\" \\ '"), "cart \"ä\" \\ '");
        assert_eq!(
            printable("\u{1b}[31m\r\n\u{9b}\u{202e}\u{7f}"),
            "\\u{1b}[31m\\r\\n\\u{9b}\\u{202e}\\u{7f}"
        );
    }

    #[test]
    fn sizes_are_short() {
        for (bytes, told) in [
            (0, "0 B"),
            (1_023, "1023 B"),
            (1_024, "1.0 KiB"),
            (1_048_575, "1.0 MiB"),
            (3 << 30, "3.0 GiB"),
            (u64::MAX, "16777216.0 TiB"),
        ] {
            assert_eq!(size(bytes), told);
        }
    }
}

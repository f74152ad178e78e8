//! What a test does that needs something the machine lacks.

use std::{env, fmt::Display};

/// Says that a test cannot run here, so that nobody takes it for passed. The test then returns.
///
/// Prints `SKIP` and the reason to standard error as one line, which `cargo xtask test` lists and counts. The reason
/// names what is missing and where it comes from.
///
/// ```
/// fn a_browser_signs_in() {
///     let Some(browser) = find("chromium") else {
///         return session_conformance::skip("chromium is not installed: Debian package chromium");
///     };
///     // …
///     # let _: () = browser;
/// }
/// # fn find(_: &str) -> Option<()> { Some(()) }
/// # a_browser_signs_in();
/// ```
///
/// # Panics
/// When the environment variable `SESSION_REQUIRE` is `all`, as it is under `cargo xtask test --require all`: then
/// everything has to run.
pub fn skip(reason: impl Display) {
    skip_unless(env::var_os("SESSION_REQUIRE").is_some_and(|required| required == "all"), &reason);
}

fn skip_unless(required: bool, reason: &dyn Display) {
    assert!(!required, "SESSION_REQUIRE=all, and yet this cannot run: {reason}");
    eprintln!("SKIP {reason}");
}

#[cfg(test)]
mod tests {
    use super::skip_unless;

    #[test]
    #[should_panic(expected = "a kettle is missing")]
    fn nothing_is_skipped_where_everything_is_required() {
        skip_unless(true, &"a kettle is missing");
    }
}

//! Tests that cargo runs itself: those in the documentation, and all of them where nextest is missing.

use anyhow::Result;

use super::{Context, ignored};
use crate::{cargo::Cargo, outcome::Outcome};

/// Runs the examples of every library's documentation.
pub(super) fn run(context: &Context<'_>) -> Result<Outcome> {
    counted(
        context.cargo(&format!("test --quiet --workspace{} --all-features --doc", context.without_copies())),
    )
}

/// Runs a `cargo test` and counts what it prints.
pub(super) fn counted(mut cargo: Cargo) -> Result<Outcome> {
    let (succeeded, output) = cargo.overheard(worth_showing)?;
    let mut outcome = count(&output);
    if !succeeded && outcome.failures.is_empty() {
        outcome.fail(cargo.shown());
    }
    Ok(outcome)
}

/// Leaves out what cargo prints about a crate without tests, and the dots.
fn worth_showing(line: &str) -> bool {
    let empty =
        line == "running 0 tests" || line.starts_with("test result: ok. 0 passed; 0 failed; 0 ignored");
    !empty && !line.trim_matches('.').is_empty()
}

/// Adds up the `test result:` lines, and finds what was skipped.
fn count(output: &str) -> Outcome {
    let mut outcome = Outcome::default();
    // Tests that say themselves that they cannot run count among those that passed.
    let mut said_so = 0;
    // Without --quiet every ignored test has a line of its own.
    let (mut ignored, mut named) = (0, 0);
    for line in output.lines() {
        if let Some(reason) = line.strip_prefix("SKIP ") {
            outcome.skip(reason);
            said_so += 1;
        } else if let Some((test, reason)) = line.split_once(" ... ignored") {
            named += 1;
            let reason = reason.trim_start_matches(", ");
            if !reason.starts_with(ignored::PART) {
                outcome.skip(format!("{}: #[ignore] {reason}", test.trim_start_matches("test ")));
            }
        } else if let Some((_, counts)) =
            line.strip_prefix("test result: ").and_then(|rest| rest.split_once(". "))
        {
            for count in counts.split("; ") {
                match count.split_once(' ').map(|(number, what)| (number.parse::<usize>().unwrap_or(0), what))
                {
                    Some((number, "passed")) => outcome.passed += number,
                    Some((number, "failed")) => (0..number).for_each(|_| outcome.fail("see above")),
                    Some((number, "ignored")) => ignored += number,
                    _ => {}
                }
            }
        }
    }
    outcome.passed = outcome.passed.saturating_sub(said_so);
    (named..ignored).for_each(|_| outcome.skip("marked `ignore`: see above"));
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_added_up() {
        let outcome = count(
            "running 3 tests\nSKIP curl is not installed\n\
             test it::child ... ignored, run by crash as a process of its own\n\
             test it::long ... ignored, takes a day\n\
             test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s\n\
             test result: FAILED. 5 passed; 2 failed; 3 ignored; 0 measured; 7 filtered out; finished in 0.01s\n",
        );
        assert_eq!(outcome.passed, 6);
        assert_eq!(outcome.failed(), 2);
        assert_eq!(
            outcome.skips,
            ["curl is not installed", "it::long: #[ignore] takes a day", "marked `ignore`: see above"]
        );
    }
}

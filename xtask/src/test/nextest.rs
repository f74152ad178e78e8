//! Unit and integration tests, by cargo-nextest where it is installed.

use std::{fs, num::NonZero, thread};

use anyhow::{Context as _, Result};
use roxmltree::{Document, Node};

use super::{Context, doctests, ignored::Ignored};
use crate::{cargo, outcome::Outcome};

/// Runs the tests of every member.
pub(super) fn run(context: &Context<'_>) -> Result<Outcome> {
    if cargo::has(context.workspace, "nextest") {
        let mut outcome = by_nextest(context)?;
        outcome.add(together(context)?);
        Ok(outcome)
    } else {
        eprintln!(
            "note: cargo-nextest is not installed, so cargo test runs the tests: slower, and a test that hangs is not \
             ended (cargo install cargo-nextest --locked)"
        );
        doctests::counted(
            context.cargo("test --workspace --all-features --lib --bins --tests -- --show-output"),
        )
    }
}

fn by_nextest(context: &Context<'_>) -> Result<Outcome> {
    let report = context.workspace.root.join("target/nextest/ci/junit.xml");
    // A report of another run must not be taken for that of one that could not even start.
    if report.exists() {
        fs::remove_file(&report).with_context(|| format!("cannot remove {}", report.display()))?;
    }
    // Many tests wait, for a server or a deadline.
    let threads = thread::available_parallelism().map_or(1, NonZero::get) * 3 / 2;
    let run = context
        .cargo(&format!("nextest run --profile ci --workspace --all-features --test-threads {threads}"))
        .checks()?;
    if !report.exists() {
        return Ok(run);
    }
    let text = fs::read_to_string(&report).with_context(|| format!("cannot read {}", report.display()))?;
    let mut outcome = read(&text, &Ignored::find(context.workspace)?)
        .with_context(|| format!("cannot make sense of {}", report.display()))?;
    if outcome.failures.is_empty() {
        outcome.failures = run.failures;
    }
    Ok(outcome)
}

/// Suites of thousands of cases in memory, which take less time than a process for each of them would to start. The profile
/// `ci` of nextest leaves them out.
fn together(context: &Context<'_>) -> Result<Outcome> {
    let suites: String = TOGETHER.iter().map(|suite| format!(" --test {suite}")).collect();
    doctests::counted(context.cargo(&format!("test --quiet --workspace --all-features{suites}")))
}

const TOGETHER: &[&str] = &["adapter_direct", "freedoms", "reference", "store_memory"];

/// Reads a JUnit report.
fn read(report: &str, ignored: &Ignored) -> Result<Outcome> {
    let document = Document::parse(report)?;
    let mut outcome = Outcome::default();
    for case in document.descendants().filter(|node| node.has_tag_name("testcase")) {
        let test = case.attribute("name").unwrap_or_default();
        let name = format!("{} {test}", case.attribute("classname").unwrap_or_default());
        let has = |tag: &str| case.children().any(|child| child.has_tag_name(tag));
        if has("failure") || has("error") {
            outcome.fail(name);
        } else if has("skipped") {
            outcome.skips.extend(ignored.why(test).map(|reason| format!("{name}: {reason}")));
        } else if let Some(reason) = skip_reason(case) {
            outcome.skip(format!("{name}: {reason}"));
        } else {
            outcome.passed += 1;
        }
    }
    Ok(outcome)
}

/// What a test that passed said through `session_conformance::skip`.
fn skip_reason<'a>(case: Node<'a, '_>) -> Option<&'a str> {
    case.children()
        .filter(|child| child.has_tag_name("system-err"))
        .filter_map(|output| output.text())
        .flat_map(str::lines)
        .find_map(|line| line.strip_prefix("SKIP "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_runs_together_is_left_out_by_nextest_and_by_nothing_else() {
        let workspace = crate::workspace::Workspace::find().unwrap();
        let settings = fs::read_to_string(workspace.root.join(".config/nextest.toml")).unwrap();
        let left_out = format!("or binary(/^({})$/)", TOGETHER.join("|"));
        assert!(settings.contains(&left_out), "{left_out}");
    }

    #[test]
    fn a_report_is_counted() {
        let report = r#"<?xml version="1.0" encoding="UTF-8"?>
            <testsuites name="nextest-run" tests="4" failures="1" errors="0">
                <testsuite name="demo" tests="4" failures="1" errors="0">
                    <testcase name="adds" classname="demo" time="0.1"/>
                    <testcase name="divides" classname="demo"><failure type="test failure">by 0</failure></testcase>
                    <testcase name="later" classname="demo"><skipped message="…"/></testcase>
                    <testcase name="clicks" classname="demo::browser">
                        <system-out>running 1 test</system-out>
                        <system-err>looking for it
SKIP chromium is not installed
</system-err>
                    </testcase>
                </testsuite>
            </testsuites>"#;
        let outcome = read(report, &Ignored::default()).unwrap();
        assert_eq!(outcome.passed, 1);
        assert_eq!(outcome.failures, ["demo divides"]);
        assert_eq!(
            outcome.skips,
            ["demo later: #[ignore] without a reason", "demo::browser clicks: chromium is not installed"]
        );
    }
}

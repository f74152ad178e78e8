//! The example programs: each has to end well, or to serve a request.

use std::time::Duration;

use anyhow::Result;

use super::{Context, REQUIRE};
use crate::{
    http,
    outcome::Outcome,
    process::{Heard, Process},
};

/// An example that neither ends nor serves by then has hung.
const LONGEST: Duration = Duration::from_secs(120);

/// Builds all examples and runs them one after the other.
pub(super) fn run(context: &Context<'_>) -> Result<Outcome> {
    let mut outcome = context.build_programs()?;
    if !outcome.failures.is_empty() {
        return Ok(outcome);
    }
    for package in &context.workspace.packages {
        for example in package.examples() {
            if let Some(reason) = package.example_not_run(example) {
                eprintln!("{example}: built, not run: {reason}");
                continue;
            }
            match try_out(context, example) {
                Ok(how) => {
                    eprintln!("{example}: {how}");
                    outcome.passed += 1;
                }
                Err(error) => outcome.fail(format!("{} example {example}: {error:#}", package.name)),
            }
        }
    }
    Ok(outcome)
}

/// Runs one example. Answers what it did.
fn try_out(context: &Context<'_>, example: &str) -> Result<String> {
    let program = context.workspace.target.join("debug/examples").join(example);
    let mut process = Process::start(&program, |command| {
        if context.require_all {
            command.env(REQUIRE, "all");
        }
    })?;
    match process.hears("http://", LONGEST)? {
        Heard::End(status) => {
            anyhow::ensure!(status.success(), "{status}");
            Ok("ended well".to_owned())
        }
        Heard::Line(line) => {
            let address = http::address_in(&line)?;
            let status = http::get(&address, "/")?;
            anyhow::ensure!(status < 500, "http://{address}/ answers {status}");
            Ok(format!("serves; http://{address}/ answers {status}"))
        }
    }
}

//! `cargo xtask endurance`: the long forms of tests that are short in `cargo xtask test`.

mod fuzz;
mod report;
mod rows;

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use clap::Args;
use console::style;

use crate::{
    cargo::{Cargo, REQUIRE},
    test::Require,
    workspace::Workspace,
};
use report::{Figures, Report};
use rows::{Form, ROWS, Row};

/// Run tests for as long as you like
///
/// Races and crashes depend on chance: the long form of a test goes round more often, and finds what the short form in
/// `cargo xtask test` would find only some day. A row without a time runs once, at its own length.
#[derive(Args, Debug)]
pub(crate) struct Options {
    /// The row to run [default: all of them, one after the other]
    row: Option<String>,

    /// Go on for this long, as in 90s, 30m or 8h: again and again, until the time is over or something fails
    #[arg(long = "for", value_name = "TIME", value_parser = time)]
    time: Option<Duration>,

    /// What must not be skipped
    #[arg(long, value_name = "WHAT")]
    require: Option<Require>,

    /// Print the rows, what they promise and what they call, and end
    #[arg(long)]
    list: bool,

    /// Write what came of it to this file as well
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// Runs the chosen rows. Answers whether all passed.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<bool> {
    if options.list {
        for row in ROWS {
            println!(
                "{:<16}{}\n{:16}promises {}\n{:16}cargo {}",
                row.name,
                row.about,
                "",
                row.promises,
                "",
                row.call()
            );
        }
        return Ok(true);
    }
    let rows: Vec<&Row> = match &options.row {
        None => ROWS.iter().collect(),
        Some(name) => match ROWS.iter().find(|row| row.name == *name) {
            Some(row) => vec![row],
            None => bail!("there is no row `{name}`: see `cargo xtask endurance --list`"),
        },
    };
    let mut report = Report::default();
    let passed = rounds(workspace, options, &rows, &mut report)?;
    report.print();
    if let Some(path) = &options.json {
        report.write(path)?;
    }
    Ok(passed)
}

fn rounds(workspace: &Workspace, options: &Options, rows: &[&Row], report: &mut Report) -> Result<bool> {
    let started = Instant::now();
    for round in 1_u64.. {
        for row in rows {
            let heading = format!("\n{}, round {round}: {}", row.name, row.about);
            eprintln!("{}", style(heading).bold().for_stderr());
            let began = Instant::now();
            // A row that can share the time out is given all of it if it is the only one.
            let time = options.time.filter(|_| rows.len() == 1);
            let (passed, figures) = once(workspace, row, time, round, options.require)?;
            report.add(row, passed, began.elapsed(), figures);
            if !passed {
                return Ok(false);
            }
        }
        if options.time.is_none_or(|time| started.elapsed() >= time) {
            break;
        }
    }
    Ok(true)
}

/// Another seed each round: the same calls again would find nothing new.
fn once(
    workspace: &Workspace,
    row: &Row,
    time: Option<Duration>,
    round: u64,
    require: Option<Require>,
) -> Result<(bool, Figures)> {
    match row.form {
        Form::Fuzz => fuzz::run(workspace, time, round),
        Form::Cargo { call, environment } => {
            let call =
                Cargo::new(workspace, call).environment("SESSION_CONFORMANCE_SEED", &round.to_string());
            let call = if require.is_some() { call.environment(REQUIRE, "all") } else { call };
            let mut call = environment.iter().fold(call, |call, (name, value)| call.environment(name, value));
            let (passed, printed) = call.overheard(|line| !line.trim_start().starts_with("FIGURE "))?;
            Ok((passed, report::figures(&printed)))
        }
    }
}

fn time(text: &str) -> Result<Duration> {
    let (number, unit) = text.split_at(text.len() - text.chars().next_back().map_or(0, char::len_utf8));
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        _ => bail!("a time is a number and s, m or h"),
    };
    let number: u64 = number.parse().context("a time is a number and s, m or h")?;
    Ok(Duration::from_secs(number.saturating_mul(seconds)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read() {
        assert_eq!(time("90s").unwrap(), Duration::from_secs(90));
        assert_eq!(time("8h").unwrap(), Duration::from_secs(28_800));
        for wrong in ["", "8", "h", "8d", "-1s", "1½s"] {
            assert!(time(wrong).is_err(), "{wrong}");
        }
    }
}

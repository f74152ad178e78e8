//! `cargo xtask endurance`: the long forms of tests that are short in `cargo xtask test`.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::Args;
use console::style;

use crate::{cargo::Cargo, outcome::spoken, workspace::Workspace};

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

    /// Print the rows and end
    #[arg(long)]
    list: bool,
}

/// A long form that exists.
struct Row {
    name: &'static str,
    about: &'static str,
    /// How cargo is called.
    call: &'static str,
    environment: &'static [(&'static str, &'static str)],
}

const ROWS: &[Row] = &[
    Row {
        name: "conformance",
        about: "The kit on every combination, its races and random calls a hundred times longer",
        call: "xtask conformance",
        environment: &[("SESSION_CONFORMANCE_SCALE", "100")],
    },
    Row {
        name: "postgres",
        about: "The adapter suite on PostgreSQL, with every adapter and strategy",
        call: "xtask conformance --store postgres",
        environment: &[],
    },
    Row {
        name: "mysql",
        about: "The adapter suite on MariaDB, with every adapter and strategy",
        call: "xtask conformance --store mysql",
        environment: &[],
    },
    Row {
        name: "cluster",
        about: "The adapter suite on a Redis Cluster, with every adapter and strategy",
        call: "xtask conformance --store redis+cluster",
        environment: &[],
    },
    Row {
        name: "sealed",
        about: "Every bit of 10,000 signed and 10,000 encrypted cookies flipped",
        call: "test --release -p session-core --all-features --test sealed_and_signed flipped_bits",
        environment: &[("SESSION_CONFORMANCE_SCALE", "512")],
    },
    Row {
        name: "file",
        about: "Kills, and power cuts on ext4 and xfs, on files, a hundred times longer",
        call: "nextest run --profile endurance -p session-store-file killed power_cut",
        environment: &[("SESSION_CONFORMANCE_SCALE", "100")],
    },
    Row {
        name: "redis",
        about: "Kills, elections and broken connections on Redis, five hundred times longer",
        call: "nextest run --profile endurance -p session-store-redis -E not(test(processes::))",
        environment: &[("SESSION_CONFORMANCE_SCALE", "500")],
    },
    Row {
        name: "sql",
        about: "Kills and broken connections on each SQL database, a hundred times longer",
        call: "nextest run --profile endurance -p session-store-sql --all-features -E not(test(processes::))",
        environment: &[("SESSION_CONFORMANCE_SCALE", "100")],
    },
    Row {
        name: "races-file",
        about: "Two processes on one folder: 640,000 updates, 2,000 rotations by 64, 100,000 ends",
        call: "nextest run --profile endurance -p session-store-file -E test(processes::)",
        environment: LONG_RACES,
    },
    Row {
        name: "races-sqlite",
        about: "The same on one SQLite file",
        call: "nextest run --profile endurance -p session-store-sql --all-features -E test(processes::sqlite)",
        environment: LONG_RACES,
    },
    Row {
        name: "races-postgres",
        about: "The same on one PostgreSQL",
        call: "nextest run --profile endurance -p session-store-sql --all-features -E test(processes::postgres)",
        environment: LONG_RACES,
    },
    Row {
        name: "races-mysql",
        about: "The same on one MariaDB",
        call: "nextest run --profile endurance -p session-store-sql --all-features -E test(processes::mysql)",
        environment: LONG_RACES,
    },
    Row {
        name: "races-redis",
        about: "The same on one Redis",
        call: "nextest run --profile endurance -p session-store-redis -E test(processes::one_node)",
        environment: LONG_RACES,
    },
    Row {
        name: "races-cluster",
        about: "The same on a Redis Cluster",
        call: "nextest run --profile endurance -p session-store-redis -E test(processes::three_nodes)",
        environment: LONG_RACES,
    },
];

/// 64 x 10,000 updates (promise C1), 100,000 ends beside requests (C3).
const LONG_RACES: &[(&str, &str)] = &[("SESSION_CONFORMANCE_SCALE", "500")];

/// Runs the chosen rows. Answers whether all passed.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<bool> {
    if options.list {
        for row in ROWS {
            println!("{:<13}{}", row.name, row.about);
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
    let started = Instant::now();
    for round in 1_u64.. {
        for row in &rows {
            eprintln!(
                "\n{}",
                style(format!("{}, round {round}: {}", row.name, row.about)).bold().for_stderr()
            );
            // Another seed each round: the same calls again would find nothing new.
            let call =
                Cargo::new(workspace, row.call).environment("SESSION_CONFORMANCE_SEED", &round.to_string());
            let call = row.environment.iter().fold(call, |call, (name, value)| call.environment(name, value));
            if !call.succeeds()? {
                println!("{} failed in round {round}, after {}", row.name, spoken(started.elapsed()));
                return Ok(false);
            }
        }
        if options.time.is_none_or(|time| started.elapsed() >= time) {
            println!("{round} rounds passed in {}", spoken(started.elapsed()));
            break;
        }
    }
    Ok(true)
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

//! Measures the rows of the promises about speed, and prints each with what is promised and how far the library is from
//! it.

use std::{fs, path::PathBuf, process::ExitCode};

use anyhow::{Context, Result};
use bench::{
    plots, print,
    report::{Machine, Report, load_average},
    rows::{Options, Outcome, Row},
};
use clap::Parser;

/// Measures this library side by side with its peers
///
/// Exits with 0 whatever the figures are: a benchmark informs. --strict makes a missed promise, and a row that could not
/// be measured, a failure.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask bench", bin_name = "cargo xtask bench", version, about)]
struct Arguments {
    /// The rows to measure [default: all of them]
    #[arg(value_enum, ignore_case = true)]
    rows: Vec<Row>,
    /// Fewer rounds and smaller stores, under two minutes: good for a look, not for a figure to quote
    #[arg(long)]
    quick: bool,
    /// Count the instructions of the requests of P1, too, with valgrind
    #[arg(long)]
    instructions: bool,
    /// Write the figures to this file as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Fail where a promise is missed
    #[arg(long)]
    strict: bool,
    /// Measure nothing: draw the plots of the figures in this file
    #[arg(long, value_name = "FILE", conflicts_with_all = ["rows", "quick", "instructions", "json", "strict"])]
    plots: Option<PathBuf>,
    /// The folder for the plots
    #[arg(long, value_name = "FOLDER", default_value = "docs/performance", requires = "plots")]
    into: PathBuf,
}

fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    if let Some(file) = &arguments.plots {
        let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        plots::draw(&serde_json::from_str(&text)?, &arguments.into)?;
        return Ok(ExitCode::SUCCESS);
    }

    let mut machine = Machine::here();
    let options = Options { quick: arguments.quick, instructions: arguments.instructions };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let rows = if arguments.rows.is_empty() { Row::ALL.to_vec() } else { arguments.rows };
    let (mut tables, mut missing) = (Vec::new(), 0);
    for row in rows {
        match row.measure(options, &runtime).with_context(|| format!("{row:?}"))? {
            Outcome::Measured(measured) => {
                measured.iter().for_each(print::table);
                tables.extend(measured);
            }
            Outcome::Missing(what) => {
                println!("\n{row:?}: NOT MEASURED, {what}");
                missing += 1;
            }
        }
    }
    machine.load[1] = load_average();
    let report = Report { machine, quick: options.quick, tables };
    let missed = print::summary(&report);
    if let Some(path) = arguments.json {
        fs::write(&path, serde_json::to_vec_pretty(&report)?)
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(if arguments.strict && missed + missing > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

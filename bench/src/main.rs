//! Prints row P1: what each session library adds to a request, and the distance to the target.

use std::{path::PathBuf, process::Command};

use bench::{contenders::Contender, rows::Row, timing};
use clap::Parser;
use comfy_table::{CellAlignment, Table, presets::UTF8_FULL_CONDENSED};
use serde::Serialize;

/// Measures what each session library adds to a request, side by side in one process.
#[derive(Debug, Parser)]
#[command(version, about)]
struct Arguments {
    /// Fewer rounds: good for a look, not for a figure to quote.
    #[arg(long)]
    quick: bool,
    /// Writes the figures to this file as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// One cell of the table.
#[derive(Debug, Serialize)]
struct Figure {
    row: Row,
    contender: &'static str,
    /// Nanoseconds and allocations of the whole request.
    nanoseconds: f64,
    allocations: f64,
    /// What the library adds to the same request without sessions.
    added_nanoseconds: f64,
    added_allocations: f64,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments = Arguments::parse();
    let allocations = count_allocations()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    let figures = runtime.block_on(measure(if arguments.quick { 9 } else { 54 }, &allocations));
    print(&figures);
    if let Some(path) = arguments.json {
        std::fs::write(path, serde_json::to_vec_pretty(&figures)?)?;
    }
    Ok(())
}

/// Allocations per request by row and contender, from the program beside this one.
fn count_allocations() -> Result<Vec<Vec<f64>>, Box<dyn std::error::Error>> {
    let program = std::env::current_exe()?.with_file_name("allocations");
    let output = Command::new(&program).output().map_err(|error| {
        format!("cannot run {}: {error}; build it with `cargo build --release -p bench`", program.display())
    })?;
    Ok(serde_json::from_slice(&output.stdout)?)
}

async fn measure(rounds: usize, allocations: &[Vec<f64>]) -> Vec<Figure> {
    let mut contenders = Contender::all().await;
    let mut figures = Vec::new();
    for (row, allocations) in Row::ALL.into_iter().zip(allocations) {
        let nanoseconds = timing::nanoseconds(&mut contenders, row, rounds).await;
        for (at, contender) in contenders.iter().enumerate() {
            figures.push(Figure {
                row,
                contender: contender.name,
                nanoseconds: nanoseconds[at],
                allocations: allocations[at],
                added_nanoseconds: nanoseconds[at] - nanoseconds[0],
                added_allocations: allocations[at] - allocations[0],
            });
        }
    }
    figures
}

fn print(figures: &[Figure]) {
    let mut table = Table::new();
    table.load_preset(UTF8_FULL_CONDENSED);
    let contenders: Vec<_> = figures
        .iter()
        .take_while(|figure| figure.row == Row::ALL[0])
        .map(|figure| figure.contender)
        .collect();
    table.set_header(
        ["request (P1, memory store)"]
            .into_iter()
            .chain(contenders.iter().copied())
            .chain(["target", "verdict"]),
    );
    for row in Row::ALL {
        let (nanoseconds, allocations) = row.target();
        let cells: Vec<_> = figures.iter().filter(|figure| figure.row == row).collect();
        let mut line = vec![row.title().to_owned()];
        line.extend(cells.iter().map(|figure| match figure.contender {
            "plain" => format!("{:.0} ns, {:.0} allocs", figure.nanoseconds, figure.allocations),
            _ => format!("+{:.0} ns, +{:.0} allocs", figure.added_nanoseconds, figure.added_allocations),
        }));
        line.push(format!("+{nanoseconds:.0} ns, +{allocations:.0}"));
        let ours = cells.iter().find(|figure| figure.contender == "session-core");
        line.push(ours.map_or_else(String::new, |ours| verdict(ours, nanoseconds, allocations)));
        table.add_row(line);
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    println!("{table}");
    println!(
        "Medians of interleaved rounds on one thread, in process, over the same router without sessions."
    );
}

fn verdict(ours: &Figure, nanoseconds: f64, allocations: f64) -> String {
    let mut missed = Vec::new();
    if ours.added_nanoseconds > nanoseconds {
        missed.push(format!("{:.0} ns over", ours.added_nanoseconds - nanoseconds));
    }
    if ours.added_allocations > allocations {
        missed.push(format!("{:.0} allocs over", ours.added_allocations - allocations));
    }
    if missed.is_empty() { "PASS".to_owned() } else { missed.join(", ") }
}

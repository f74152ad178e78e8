//! Instructions of a request, counted by valgrind: the same to a few percent, however busy the machine is.

use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::{
    report::{Line, OURS, Table, Unit},
    requests::{PLAIN, Row},
};

/// Requests that are counted; the figures are for one.
const REQUESTS: usize = 300;

/// Counts the requests of row P1 on axum, without sessions, with the library and with the peers.
///
/// # Errors
/// If valgrind is not installed, or says what is not understood.
pub fn count() -> Result<Table> {
    let names = [PLAIN, OURS, "tower-sessions 0.15", "axum_session 0.22"];
    let mut table =
        Table::new("P1", "a request on axum: instructions", Unit::AddedInstructions, &names).note(
            "valgrind --tool=callgrind; hash tables are seeded at random. It has no instructions for SHA-256, so the hash of an id counts \
             about 3,300 instead of about 200.",
        );
    for row in Row::ALL {
        let figures: Result<Vec<_>> = names.iter().map(|name| instructions(name, row)).collect();
        table.push(Line::new(row.title(), figures?));
    }
    Ok(table)
}

fn instructions(contender: &str, row: Row) -> Result<f64> {
    let program = std::env::current_exe()?.with_file_name("repeat");
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null", "--collect-atstart=no"])
        .arg("--toggle-collect=*measured_part*")
        .arg(&program)
        .args(["--contender", contender, "--row", &row.slug(), "--batches", "1"])
        .output()
        .context("valgrind is not installed: apt install valgrind")?;
    let text = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{text}");
    let counted: Option<f64> =
        text.lines().find_map(|line| line.split_once("Collected :")?.1.trim().parse().ok());
    Ok(counted.with_context(|| format!("valgrind says nothing: {text}"))? / REQUESTS as f64)
}

//! What came of the rows: which passed, for how long they ran, and the figures they reached.

use std::{collections::BTreeMap, fs, path::Path, time::Duration};

use anyhow::{Context, Result};
use serde::Serialize;

use super::rows::Row;
use crate::outcome::spoken;

/// Named numbers. Those of several rounds are added up.
pub(super) type Figures = BTreeMap<String, u64>;

/// All rows.
#[derive(Debug, Default, Serialize)]
pub(super) struct Report {
    rows: Vec<Line>,
}

#[derive(Debug, Serialize)]
struct Line {
    name: &'static str,
    promises: &'static str,
    passed: bool,
    rounds: u64,
    seconds: f64,
    figures: Figures,
}

impl Report {
    /// One more round of a row.
    pub(super) fn add(&mut self, row: &Row, passed: bool, time: Duration, figures: Figures) {
        let known = self.rows.iter().position(|line| line.name == row.name);
        let at = known.unwrap_or_else(|| {
            let (name, promises) = (row.name, row.promises);
            let line =
                Line { name, promises, passed: true, rounds: 0, seconds: 0.0, figures: Figures::new() };
            self.rows.push(line);
            self.rows.len() - 1
        });
        let line = &mut self.rows[at];
        line.passed &= passed;
        line.rounds += 1;
        line.seconds += time.as_secs_f64();
        for (name, number) in figures {
            *line.figures.entry(name).or_default() += number;
        }
    }

    pub(super) fn print(&self) {
        println!();
        for line in &self.rows {
            let verdict = if line.passed { "passed" } else { "FAILED" };
            let time = spoken(Duration::from_secs_f64(line.seconds));
            println!("{:<16}{verdict}  {} rounds in {time}  ({})", line.name, line.rounds, line.promises);
            for (name, number) in &line.figures {
                println!("{:<16}{:>15}  {name}", "", grouped(*number));
            }
        }
    }

    pub(super) fn write(&self, path: &Path) -> Result<()> {
        let json = serde_json::to_string_pretty(self)?;
        fs::write(path, json + "\n").with_context(|| format!("cannot write {}", path.display()))
    }
}

/// The figures in what a test has printed.
pub(super) fn figures(printed: &str) -> Figures {
    let mut figures = Figures::new();
    let told = printed.lines().filter_map(|line| line.trim().strip_prefix("FIGURE ")?.rsplit_once(": "));
    for (name, number) in told {
        if let Ok(number) = number.parse::<u64>() {
            *figures.entry(name.to_owned()).or_default() += number;
        }
    }
    figures
}

/// A number as people read it.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_found_and_added_up() {
        let printed =
            "running 1 test\nFIGURE schedules: 12\n  FIGURE schedules: 3\nFIGURE wrong: x\nFIGURE a: b: 4\n";
        assert_eq!(figures(printed), Figures::from([("schedules".into(), 15), ("a: b".into(), 4)]));
    }

    #[test]
    fn numbers_are_grouped() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    }
}

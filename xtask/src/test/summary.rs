//! What is printed after each step and at the end.

use std::time::{Duration, Instant};

use console::style;

use crate::outcome::{Outcome, spoken};

pub(super) struct Summary {
    require_all: bool,
    started: Instant,
    rows: Vec<Row>,
}

struct Row {
    step: &'static str,
    outcome: Outcome,
    time: Duration,
}

impl Summary {
    pub(super) fn new(require_all: bool) -> Self {
        Self { require_all, started: Instant::now(), rows: Vec::new() }
    }

    /// Says how a step went.
    pub(super) fn add(&mut self, step: &'static str, outcome: Outcome, time: Duration) {
        for failure in &outcome.failures {
            eprintln!("{} {failure}", style("failed:").red().for_stderr());
        }
        for reason in &outcome.skips {
            eprintln!("{} {reason}", style("skipped:").yellow().for_stderr());
        }
        let row = Row { step, outcome, time };
        eprintln!("{} {step} in {}", row.verdict(self.require_all).for_stderr(), spoken(time));
        self.rows.push(row);
    }

    /// Prints the table, everything that did not pass, and the total. Answers whether all is well.
    pub(super) fn print(self) -> bool {
        println!("\n{}", style(format!("{:<13}{HEADINGS}", "step")).bold());
        for Row { step, outcome, time } in &self.rows {
            println!("{}", line(step, outcome, *time));
        }
        let mut total = Outcome::default();
        for row in &self.rows {
            for failure in &row.outcome.failures {
                println!("{} {}: {failure}", style("failed:").red(), row.step);
            }
            for reason in &row.outcome.skips {
                println!("{} {}: {reason}", style("skipped:").yellow(), row.step);
            }
        }
        for row in self.rows {
            total.add(row.outcome);
        }
        let forbidden = self.require_all && !total.skips.is_empty();
        if forbidden {
            println!("{} --require all allows nothing to be skipped", style("failed:").red());
        }
        println!(
            "{} passed, {} failed, {} skipped in {}",
            total.passed,
            total.failed(),
            total.skips.len(),
            spoken(self.started.elapsed())
        );
        total.failures.is_empty() && !forbidden
    }
}

const HEADINGS: &str = "  passed  failed  skipped          time";

fn line(step: &str, outcome: &Outcome, time: Duration) -> String {
    let (passed, failed, skipped) = (outcome.passed, outcome.failed(), outcome.skips.len());
    let failed = style(format!("{failed:>8}"));
    let failed = if outcome.failures.is_empty() { failed } else { failed.red() };
    let skipped = style(format!("{skipped:>9}"));
    let skipped = if outcome.skips.is_empty() { skipped } else { skipped.yellow() };
    format!("{step:<13}{passed:>8}{failed}{skipped}{:>14}", spoken(time))
}

impl Row {
    fn verdict(&self, require_all: bool) -> console::StyledObject<&'static str> {
        let skipped = !self.outcome.skips.is_empty();
        if !self.outcome.failures.is_empty() || (require_all && skipped) {
            style("failed").red().bold()
        } else if self.outcome.passed == 0 && skipped {
            style("skipped").yellow().bold()
        } else if self.outcome.passed == 0 {
            style("nothing to run:").dim()
        } else {
            style("passed").green().bold()
        }
    }
}

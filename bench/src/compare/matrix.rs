//! What became of every case, as a table.

use std::{collections::BTreeMap, fmt::Write as _};

/// One suite, for everybody who went through it.
#[derive(Debug)]
pub struct Matrix {
    /// What went through.
    pub title: &'static str,
    /// Which suite it was.
    pub suite: &'static str,
    /// Who went through it.
    pub columns: Vec<Column>,
}

/// Who went through a suite.
#[derive(Debug)]
pub struct Column {
    /// A library, or one of its parts.
    pub name: &'static str,
    /// What became of each case, in order.
    pub found: Vec<Found>,
}

/// What became of a case.
#[derive(Debug)]
pub struct Found {
    /// What the case is about.
    pub part: &'static str,
    /// Its name.
    pub case: &'static str,
    /// What became of it.
    pub outcome: Outcome,
}

/// What became of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The rule is kept.
    Passed,
    /// The rule is not kept: how that showed.
    Failed(String),
    /// The case asks for something that is not offered: what.
    NotOffered(String),
    /// Something to try it with is not installed: what.
    NotTried(String),
}

impl Matrix {
    pub(super) fn new(title: &'static str, suite: &'static str) -> Self {
        Self { title, suite, columns: Vec::new() }
    }

    /// A row for each part: passed, failed, not offered.
    #[must_use]
    pub fn markdown(&self) -> String {
        let mut text = format!("### {}\n\n| {} |", self.title, self.suite);
        for column in &self.columns {
            let _ = write!(text, " {} |", column.name);
        }
        let _ = write!(text, "\n|---|{}\n", "---|".repeat(self.columns.len()));
        for part in self.parts() {
            let _ = write!(text, "| {part} |");
            for column in &self.columns {
                let _ = write!(
                    text,
                    " {} |",
                    Count::of(column.found.iter().filter(|found| found.part == part)).text()
                );
            }
            text.push('\n');
        }
        text.push_str("| **all** |");
        for column in &self.columns {
            let _ = write!(text, " **{}** |", Count::of(column.found.iter()).text());
        }
        text.push('\n');
        text
    }

    /// The names of the cases that somebody has failed, and how it showed.
    #[must_use]
    pub fn failures(&self) -> String {
        let mut text = format!("### {}: the cases that were failed\n", self.title);
        for column in &self.columns {
            let failed = column.found.iter().filter_map(|found| match &found.outcome {
                Outcome::Failed(failure) => Some((found, failure)),
                _ => None,
            });
            let failed: Vec<_> = failed.collect();
            if failed.is_empty() {
                continue;
            }
            let _ = write!(text, "\n<details><summary>{}: {}</summary>\n\n", column.name, failed.len());
            for (found, failure) in failed {
                let _ = writeln!(text, "- {}: `{}`: {}", found.part, found.case, in_a_line(failure));
            }
            text.push_str("\n</details>\n");
        }
        text
    }

    /// What was not offered, and how many cases each of it concerns.
    #[must_use]
    pub fn not_offered(&self) -> String {
        let mut text = format!("### {}: what is not offered\n", self.title);
        for column in &self.columns {
            let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
            for found in &column.found {
                if let Outcome::NotOffered(what) = &found.outcome {
                    *reasons.entry(what).or_default() += 1;
                }
            }
            let reasons: Vec<String> =
                reasons.iter().map(|(reason, cases)| format!("{} ({cases})", in_a_line(reason))).collect();
            if !reasons.is_empty() {
                let _ = write!(text, "\n- **{}**: {}", column.name, reasons.join("; "));
            }
        }
        text.push('\n');
        text
    }

    fn parts(&self) -> Vec<&'static str> {
        let mut parts = Vec::new();
        for found in self.columns.iter().flat_map(|column| &column.found) {
            if !parts.contains(&found.part) {
                parts.push(found.part);
            }
        }
        parts
    }
}

impl Column {
    pub(super) fn new(name: &'static str) -> Self {
        Self { name, found: Vec::new() }
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Count {
    passed: usize,
    failed: usize,
    not_offered: usize,
    not_tried: usize,
}

impl Count {
    fn of<'a>(found: impl Iterator<Item = &'a Found>) -> Self {
        found.fold(Self::default(), |mut count, found| {
            *match found.outcome {
                Outcome::Passed => &mut count.passed,
                Outcome::Failed(_) => &mut count.failed,
                Outcome::NotOffered(_) => &mut count.not_offered,
                Outcome::NotTried(_) => &mut count.not_tried,
            } += 1;
            count
        })
    }

    fn text(self) -> String {
        let parts = [(self.passed, "✓"), (self.failed, "✗"), (self.not_offered, "–"), (self.not_tried, "?")];
        let parts: Vec<String> = parts
            .iter()
            .filter(|(number, _)| *number > 0)
            .map(|(number, sign)| format!("{number} {sign}"))
            .collect();
        parts.join(" ")
    }
}

/// The first line, without what would end a list item or a row, and not too long.
fn in_a_line(text: &str) -> String {
    let line: String =
        text.lines().next().unwrap_or_default().replace(['|', '<', '>'], " ").chars().take(200).collect();
    line.trim().to_owned()
}

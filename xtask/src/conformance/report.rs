//! What came of it: a table for people, rows for programs.

use std::{collections::BTreeMap, fmt, fs, path::Path, time::Duration};

use anyhow::{Context, Result};
use console::style;
use serde::Serialize;
use session_conformance::Verdict;

use super::{plan::Combination, readme};
use crate::outcome::{Outcome, spoken};

/// The results, in the order of the plan.
#[derive(Debug)]
pub(crate) struct Report {
    pub(super) lines: Vec<Line>,
    /// From the first case to the last.
    pub(super) time: Duration,
}

/// The results of one combination.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) combination: Combination,
    pub(super) rows: Vec<Row>,
    /// The sum over the cases, some of which run at once.
    pub(super) time: Duration,
}

#[derive(Debug)]
pub(super) struct Row {
    pub(super) case: &'static str,
    /// What the case checks, as a sentence.
    pub(super) rule: &'static str,
    pub(super) verdict: Verdict,
}

#[derive(Serialize)]
struct JsonRow<'a> {
    adapter: Option<&'a str>,
    store: &'a str,
    persist: Option<&'a str>,
    case: &'a str,
    result: &'a str,
    reason: Option<&'a str>,
}

impl Report {
    /// How many cases failed.
    pub(crate) fn failed(&self) -> usize {
        self.lines.iter().map(|line| line.count(|verdict| matches!(verdict, Verdict::Fail(_)))).sum()
    }

    /// The same as the README shows it.
    pub(crate) fn for_readme(&self) -> String {
        readme::block(self)
    }

    /// The same as a step of the tests. What does not apply to a store is no skip there: nothing is missing.
    pub(crate) fn outcome(&self) -> Outcome {
        let mut outcome = Outcome::default();
        for (line, row) in self.rows() {
            match &row.verdict {
                Verdict::Pass => outcome.passed += 1,
                Verdict::Fail(reason) => {
                    outcome.fail(format!("{}: {}: {reason}", line.combination, row.case))
                }
                Verdict::Skip(_) | Verdict::Missing(_) => {}
            }
        }
        outcome.skips = self.missing(|_| true);
        outcome
    }

    /// What could not run because something is not installed, with these stores.
    pub(super) fn missing(&self, of: impl Fn(&str) -> bool) -> Vec<String> {
        let what = |row: &Row| match &row.verdict {
            Verdict::Missing(what) => Some(what.clone()),
            _ => None,
        };
        let missing = |line: &Line| {
            let what = line.rows.iter().find_map(what)?;
            Some(format!("{}: {what}", line.combination))
        };
        self.lines.iter().filter(|line| of(line.combination.store())).filter_map(missing).collect()
    }

    /// Writes a JSON array, one row a line.
    pub(super) fn write(&self, file: &Path) -> Result<()> {
        let mut rows = Vec::new();
        for (line, row) in self.rows() {
            let (result, reason) = match &row.verdict {
                Verdict::Pass => ("pass", None),
                Verdict::Fail(reason) => ("fail", Some(reason.as_str())),
                Verdict::Skip(reason) => ("skip", Some(reason.as_str())),
                Verdict::Missing(what) => ("missing", Some(what.as_str())),
            };
            rows.push(serde_json::to_string(&JsonRow {
                adapter: line.combination.adapter(),
                store: line.combination.store(),
                persist: line.combination.persist(),
                case: row.case,
                result,
                reason,
            })?);
        }
        let text = format!("[\n{}\n]\n", rows.join(",\n"));
        fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))
    }

    fn rows(&self) -> impl Iterator<Item = (&Line, &Row)> {
        self.lines.iter().flat_map(|line| line.rows.iter().map(move |row| (line, row)))
    }

    /// Why cases were skipped: each reason with where, and the number of cases there.
    fn skips(&self) -> BTreeMap<&str, BTreeMap<String, usize>> {
        let mut skips: BTreeMap<&str, BTreeMap<String, usize>> = BTreeMap::new();
        for (line, row) in self.rows() {
            if let Verdict::Skip(reason) | Verdict::Missing(reason) = &row.verdict {
                *skips.entry(reason).or_default().entry(line.combination.to_string()).or_default() += 1;
            }
        }
        skips
    }
}

impl Row {
    pub(super) const fn new(case: &'static str, rule: &'static str, verdict: Verdict) -> Self {
        Self { case, rule, verdict }
    }
}

impl Line {
    fn count(&self, of: impl Fn(&Verdict) -> bool) -> usize {
        self.rows.iter().filter(|row| of(&row.verdict)).count()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (line, row) in self.rows() {
            if let Verdict::Fail(reason) = &row.verdict {
                writeln!(f, "{} {}: {}", style("failed:").red(), line.combination, row.case)?;
                writeln!(f, "  rule: {}\n  seen: {reason}", row.rule)?;
            }
        }
        for (reason, places) in self.skips() {
            let most = places.values().max().copied().unwrap_or_default();
            let (combinations, label) = (places.len(), style("skipped:").yellow());
            match places.keys().next() {
                Some(only) if combinations == 1 => writeln!(f, "{label} {most} on {only}: {reason}")?,
                _ => writeln!(f, "{label} {most} on each of {combinations}: {reason}")?,
            }
        }
        let heading = format!(
            "{:<9}{:<9}{:<15}{:<18}{:>8}{:>8}{:>9}{:>14}",
            "suite", "adapter", "store", "persist", "passed", "failed", "skipped", "time"
        );
        writeln!(f, "\n{}", style(heading).bold())?;
        let mut total = (0, 0, 0);
        for line in &self.lines {
            writeln!(f, "{line}")?;
            let (passed, failed, skipped) = line.counts();
            total = (total.0 + passed, total.1 + failed, total.2 + skipped);
        }
        let (passed, failed, skipped) = total;
        writeln!(f, "{passed} passed, {failed} failed, {skipped} skipped in {}", spoken(self.time))
    }
}

impl Line {
    /// Passed, failed and skipped.
    pub(super) fn counts(&self) -> (usize, usize, usize) {
        (
            self.count(|verdict| *verdict == Verdict::Pass),
            self.count(|verdict| matches!(verdict, Verdict::Fail(_))),
            self.count(|verdict| matches!(verdict, Verdict::Skip(_) | Verdict::Missing(_))),
        )
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (passed, failed, skipped) = self.counts();
        let suite = if self.combination.adapter().is_some() { "adapter" } else { "store" };
        let failures = style(format!("{failed:>8}"));
        write!(
            f,
            "{suite:<9}{:<9}{:<15}{:<18}{passed:>8}{}{skipped:>9}{:>14}",
            self.combination.adapter().unwrap_or("-"),
            self.combination.store(),
            self.combination.persist().unwrap_or("-"),
            if failed == 0 { failures } else { failures.red().bold() },
            spoken(self.time)
        )
    }
}

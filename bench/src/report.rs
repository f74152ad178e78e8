//! What was measured, as it is printed, written as JSON and plotted.

use serde::{Deserialize, Serialize};

/// Everything that one run has measured.
#[derive(Debug, Serialize, Deserialize)]
pub struct Report {
    /// Where.
    pub machine: Machine,
    /// Whether it was a run with few rounds and small stores.
    pub quick: bool,
    /// The rows, several tables for some.
    pub tables: Vec<Table>,
}

/// What has measured. Figures of different machines cannot be compared, nor those of one that was busy.
#[derive(Debug, Serialize, Deserialize)]
pub struct Machine {
    /// The name of the processor.
    pub processor: String,
    /// How many there are.
    pub processors: usize,
    /// The kernel's version.
    pub kernel: String,
    /// How many threads wanted to run in the last minute, before the first row and after the last one.
    pub load: [f64; 2],
}

/// Lines with the same unit and columns.
#[derive(Debug, Serialize, Deserialize)]
pub struct Table {
    /// `P1` to `P8`.
    pub row: String,
    /// What the lines are about.
    pub title: String,
    /// What all figures are in.
    pub unit: Unit,
    /// Who was measured. The library is [`OURS`].
    pub columns: Vec<String>,
    /// What was measured.
    pub lines: Vec<Line>,
    /// What has to be known about the figures.
    pub note: Option<String>,
}

/// The column of the library.
pub const OURS: &str = "session-core";

/// One thing that was measured, for each column.
#[derive(Debug, Serialize, Deserialize)]
pub struct Line {
    /// What it is called.
    pub name: String,
    /// Sessions in the store, where that matters.
    pub sessions: Option<u64>,
    /// The figures, in the order of the columns. `None` where there is none.
    pub figures: Vec<Option<f64>>,
    /// What is promised, if this line is.
    pub target: Option<Target>,
}

/// A promise about the library's figure in a line.
#[derive(Debug, Serialize, Deserialize)]
pub struct Target {
    /// In the unit of the table.
    pub limit: f64,
    /// Whether it is to be reached from above or from below.
    pub sense: Sense,
    /// Where the limit comes from, if it is a figure of this run.
    pub words: Option<String>,
}

/// Which figures keep a promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sense {
    /// The limit and less.
    AtMost,
    /// The limit and more.
    AtLeast,
}

/// What a figure is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// Nanoseconds; large ones are shown as micro- or milliseconds.
    Nanoseconds,
    /// Nanoseconds beyond those of the first column.
    AddedNanoseconds,
    /// Allocations beyond those of the first column.
    AddedAllocations,
    /// Bytes allocated beyond those of the first column.
    AddedBytes,
    /// Instructions beyond those of the first column.
    AddedInstructions,
    /// Bytes.
    Bytes,
    /// Operations a second.
    PerSecond,
    /// A ratio.
    Times,
    /// A count.
    Count,
}

impl Unit {
    /// Whether the first column is shown whole and the others as what they add to it.
    #[must_use]
    pub const fn is_added(self) -> bool {
        matches!(
            self,
            Self::AddedNanoseconds | Self::AddedAllocations | Self::AddedBytes | Self::AddedInstructions
        )
    }
}

impl Table {
    /// A table without lines.
    #[must_use]
    pub fn new(row: &str, title: &str, unit: Unit, columns: &[&str]) -> Self {
        let columns = columns.iter().map(|&column| column.to_owned()).collect();
        Self { row: row.to_owned(), title: title.to_owned(), unit, columns, lines: Vec::new(), note: None }
    }

    /// With something that has to be known about the figures.
    #[must_use]
    pub fn note(mut self, note: &str) -> Self {
        self.note = Some(note.to_owned());
        self
    }

    /// Adds a line.
    pub fn push(&mut self, line: Line) {
        self.lines.push(line);
    }

    /// The library's figure in a line, as it is shown.
    #[must_use]
    pub fn ours(&self, line: &Line) -> Option<f64> {
        let at = self.columns.iter().position(|column| column == OURS)?;
        self.shown(line, at)
    }

    /// A figure as it is shown.
    #[must_use]
    pub fn shown(&self, line: &Line, column: usize) -> Option<f64> {
        let figure = (*line.figures.get(column)?)?;
        let base = if self.unit.is_added() && column > 0 { line.figures.first().copied()?? } else { 0.0 };
        Some(figure - base)
    }

    /// How far the library is from what a line promises, in percent of it: zero or less is kept.
    #[must_use]
    pub fn distance(&self, line: &Line) -> Option<f64> {
        let (target, ours) = (line.target.as_ref()?, self.ours(line)?);
        let distance = match target.sense {
            Sense::AtMost => ours - target.limit,
            Sense::AtLeast => target.limit - ours,
        };
        Some(100.0 * distance / target.limit.abs().max(f64::MIN_POSITIVE))
    }
}

impl Line {
    /// A line with figures in the order of the columns, without a promise.
    #[must_use]
    pub fn new(name: impl Into<String>, figures: impl IntoIterator<Item = f64>) -> Self {
        let figures = figures.into_iter().map(|figure| figure.is_finite().then_some(figure)).collect();
        Self { name: name.into(), sessions: None, figures, target: None }
    }

    /// With so many sessions in the store.
    #[must_use]
    pub fn sessions(mut self, sessions: u64) -> Self {
        self.sessions = Some(sessions);
        self
    }

    /// With a promise that is not to be exceeded.
    #[must_use]
    pub fn at_most(mut self, limit: f64) -> Self {
        self.target = Some(Target { limit, sense: Sense::AtMost, words: None });
        self
    }

    /// With a promise that is to be reached.
    #[must_use]
    pub fn at_least(mut self, limit: f64) -> Self {
        self.target = Some(Target { limit, sense: Sense::AtLeast, words: None });
        self
    }

    /// Says where the limit comes from.
    #[must_use]
    pub fn because(mut self, words: &str) -> Self {
        if let Some(target) = &mut self.target {
            target.words = Some(words.to_owned());
        }
        self
    }
}

impl Machine {
    /// The machine that this runs on.
    #[must_use]
    pub fn here() -> Self {
        let read = |path| std::fs::read_to_string(path).unwrap_or_default();
        let processor = read("/proc/cpuinfo")
            .lines()
            .find_map(|line| Some(line.strip_prefix("model name")?.split_once(':')?.1.trim().to_owned()));
        Self {
            processor: processor.unwrap_or_else(|| std::env::consts::ARCH.to_owned()),
            processors: std::thread::available_parallelism().map_or(1, usize::from),
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            load: [load_average(); 2],
        }
    }
}

/// How many threads wanted to run in the last minute.
#[must_use]
pub fn load_average() -> f64 {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().and_then(|load| load.parse().ok()).unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_added_is_compared_with_the_target() {
        let mut table = Table::new("P1", "", Unit::AddedNanoseconds, &["plain", OURS]);
        table.push(Line::new("read", [700.0, 800.0]).at_most(80.0));
        let line = &table.lines[0];
        assert_eq!(table.shown(line, 0), Some(700.0));
        assert_eq!(table.ours(line), Some(100.0));
        assert_eq!(table.distance(line), Some(25.0));
    }

    #[test]
    fn a_ratio_is_to_be_reached_from_below() {
        let mut table = Table::new("P2", "", Unit::Times, &[OURS]);
        table.push(Line::new("two threads", [1.9]).at_least(1.8));
        assert!(table.distance(&table.lines[0]).is_some_and(|distance| distance < 0.0));
    }
}

//! What came of each mutant, kept between runs.

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io::Write,
    path::Path,
};

use anyhow::{Context, Result};
use console::style;
use serde::{Deserialize, Serialize};

use super::{build::digest, list::Mutant, settings::Settings, tree::Tree};
use crate::workspace::Workspace;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Outcome {
    /// By this test.
    Caught(String),
    /// Tests did not come to their end in five times their time.
    TimedOut(String),
    /// All tests that reach it pass.
    Missed,
    /// No test reaches it.
    Unreached,
    /// It does not compile.
    Unviable,
    /// The code is for other systems.
    NotCompiled,
}

/// All of them. A file of lines, to which each outcome is appended at once: a run may end at any time.
pub(super) struct Outcomes {
    file: File,
    by_mutant: BTreeMap<String, Outcome>,
}

#[derive(Serialize, Deserialize)]
struct Line {
    /// With what the file was when it was tried.
    mutant: String,
    outcome: Outcome,
}

impl Outcomes {
    pub(super) fn read(workspace: &Workspace) -> Result<Self> {
        let folder = workspace.target.join("mutants");
        fs::create_dir_all(&folder)?;
        let path = folder.join("outcomes.jsonl");
        let mut by_mutant = BTreeMap::new();
        for line in fs::read_to_string(&path).unwrap_or_default().lines() {
            // The last line may be cut off.
            if let Ok(Line { mutant, outcome }) = serde_json::from_str(line) {
                by_mutant.insert(mutant, outcome);
            }
        }
        let file = OpenOptions::new().append(true).create(true).open(&path);
        let file = file.with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Self { file, by_mutant })
    }

    pub(super) fn add(&mut self, tree: &Tree, mutant: &Mutant, outcome: Outcome) -> Result<()> {
        let key = key(tree, mutant);
        let line = serde_json::to_string(&Line { mutant: key.clone(), outcome: outcome.clone() })?;
        self.file.write_all((line + "\n").as_bytes()).context("cannot keep what came of a mutant")?;
        self.by_mutant.insert(key, outcome);
        Ok(())
    }

    /// Whether there is nothing to find out about a mutant.
    pub(super) fn settled(&self, tree: &Tree, mutant: &Mutant) -> bool {
        let settled = |outcome: &Outcome| !matches!(outcome, Outcome::Missed | Outcome::Unreached);
        self.of(tree, mutant).is_some_and(settled)
    }

    fn of(&self, tree: &Tree, mutant: &Mutant) -> Option<&Outcome> {
        self.by_mutant.get(&key(tree, mutant))
    }

    /// Prints a table, and what was not noticed. Answers whether nothing was missed that has no excuse.
    pub(super) fn print(&self, tree: &Tree, wanted: &[&Mutant], settings: &Settings) -> bool {
        let mut crates: BTreeMap<&str, Counts> = BTreeMap::new();
        let mut missed = Vec::new();
        for mutant in wanted {
            let counts = crates.entry(&mutant.package).or_default();
            let outcome = self.of(tree, mutant);
            if settings.excused.iter().any(|excuse| excuse.covers(mutant)) {
                counts.excused += 1;
                continue;
            }
            match outcome {
                None => counts.open += 1,
                Some(Outcome::Caught(_)) => counts.caught += 1,
                Some(Outcome::TimedOut(_)) => counts.timed_out += 1,
                Some(Outcome::Unviable) => counts.unviable += 1,
                Some(Outcome::NotCompiled) => counts.elsewhere += 1,
                Some(Outcome::Missed) => {
                    counts.missed += 1;
                    missed.push((mutant, ""));
                }
                Some(Outcome::Unreached) => {
                    counts.missed += 1;
                    missed.push((mutant, " (no test reaches it)"));
                }
            }
        }
        println!();
        for (mutant, note) in &missed {
            println!("{} {}{note}", style("missed").red(), mutant.name);
        }
        println!(
            "\n{:<24}{:>8}{:>8}{:>8}{:>8}{:>9}{:>10}{:>11}{:>10}",
            "", "rate", "caught", "hung", "missed", "excused", "unviable", "elsewhere", "not tried"
        );
        let mut all = Counts::default();
        for (package, counts) in &crates {
            counts.print(package);
            all.add(counts);
        }
        all.print("together");
        missed.is_empty() && all.open == 0
    }

    /// Writes the outcomes of these mutants.
    pub(super) fn write(&self, tree: &Tree, wanted: &[&Mutant], path: &Path) -> Result<()> {
        let all: BTreeMap<&str, Option<&Outcome>> =
            wanted.iter().map(|mutant| (mutant.name.as_str(), self.of(tree, mutant))).collect();
        let json = serde_json::to_string_pretty(&all)?;
        fs::write(path, json + "\n").with_context(|| format!("cannot write {}", path.display()))
    }
}

fn key(tree: &Tree, mutant: &Mutant) -> String {
    format!("{:016x} {}", tree.source(&mutant.file).map_or(0, digest), mutant.name)
}

#[derive(Default)]
struct Counts {
    caught: u32,
    timed_out: u32,
    missed: u32,
    excused: u32,
    unviable: u32,
    elsewhere: u32,
    open: u32,
}

impl Counts {
    fn add(&mut self, other: &Self) {
        self.caught += other.caught;
        self.timed_out += other.timed_out;
        self.missed += other.missed;
        self.excused += other.excused;
        self.unviable += other.unviable;
        self.elsewhere += other.elsewhere;
        self.open += other.open;
    }

    fn print(&self, name: &str) {
        let noticed = self.caught + self.timed_out;
        let rate = f64::from(noticed) * 100.0 / f64::from((noticed + self.missed).max(1));
        println!(
            "{name:<24}{rate:>6.1} %{:>8}{:>8}{:>8}{:>9}{:>10}{:>11}{:>10}",
            self.caught, self.timed_out, self.missed, self.excused, self.unviable, self.elsewhere, self.open
        );
    }
}

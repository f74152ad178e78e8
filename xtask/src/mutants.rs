//! `cargo xtask mutants`: whether a test fails when the code is changed.
//!
//! cargo-mutants says what to change. All changes are compiled at once, each behind a switch, so that one build serves
//! thousands of them, and a mutant is only shown to the tests that reach it.

mod build;
mod by_hand;
mod list;
mod outcomes;
mod settings;
mod suite;
mod tree;
mod weave;

use std::{
    collections::BTreeSet,
    num::NonZero,
    path::PathBuf,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use clap::Args;
use console::style;

use crate::{outcome::spoken, workspace::Workspace};
use build::Built;
use list::Mutant;
use outcomes::{Outcome, Outcomes};
use settings::Settings;
use suite::{End, Suite};
use tree::Tree;

/// Change the code in thousands of ways, and see that a test fails each time
///
/// The changes are those of cargo-mutants, which is installed if it is missing. What they were noticed by is kept in
/// target/mutants, and only what was not noticed is tried again, until the file or the tests change. xtask/mutants.toml
/// names the tests that are asked and, with a reason for each, what no test can notice.
#[derive(Args, Debug)]
pub(crate) struct Options {
    /// Packages, folders or files [default: all that xtask/mutants.toml names]
    wanted: Vec<String>,

    /// Instead, try the changes that xtask/mutants.toml spells out: each takes a lock, a sync or a check away
    #[arg(long)]
    by_hand: bool,

    /// Begin no further mutant after this many minutes
    #[arg(long, value_name = "MINUTES")]
    minutes: Option<u64>,

    /// Try again also what was noticed before
    #[arg(long)]
    again: bool,

    /// Tests at a time [default: the number of processors]
    #[arg(long, value_name = "N")]
    threads: Option<usize>,

    /// Only print what was reached so far
    #[arg(long)]
    report: bool,

    /// Write what came of each mutant to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// Answers whether every mutant that was asked for was noticed or is excused.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<bool> {
    let settings = Settings::read(workspace)?;
    if options.by_hand {
        return by_hand::run(workspace, &settings, threads(options));
    }
    let mutants = list::of(workspace, &settings.packages)?;
    let wanted: Vec<&Mutant> =
        mutants.iter().filter(|mutant| list::is_wanted(mutant, &options.wanted)).collect();
    ensure!(!wanted.is_empty(), "there is no mutant of {}", options.wanted.join(", "));
    let tree = Tree::new(workspace, "tree", &settings.packages)?;
    let mut outcomes = Outcomes::read(workspace)?;
    if !options.report {
        let built = build::build(workspace, &tree, &mutants, &settings.call(workspace))?;
        let suites = suites(workspace, &settings, &built, "reach", &|_, test| !settings.leaves_out(test))?;
        let campaign = Campaign { tree: &tree, built: &built, suites: &suites, options };
        campaign.run(&wanted, &settings, &mut outcomes)?;
    }
    let passed = outcomes.print(&tree, &wanted, &settings);
    if let Some(path) = &options.json {
        outcomes.write(&tree, &wanted, path)?;
    }
    Ok(passed)
}

fn threads(options: &Options) -> usize {
    options.threads.unwrap_or_else(|| thread::available_parallelism().map_or(1, NonZero::get))
}

fn suites(
    workspace: &Workspace,
    settings: &Settings,
    built: &Built,
    cache: &str,
    asked: &dyn Fn(&str, &str) -> bool,
) -> Result<Vec<Suite>> {
    let cache = suite::cache(&workspace.target, cache)?;
    let mut suites = Vec::new();
    for program in &built.programs {
        if settings.asks(&program.package, &program.name) {
            suites.push(Suite::measure(program.clone(), &cache, &|test| asked(&program.package, test))?);
        }
    }
    let tests: usize = suites.iter().map(Suite::len).sum();
    eprintln!("{tests} tests in {} programs", suites.len());
    Ok(suites)
}

/// A run over many mutants.
struct Campaign<'a> {
    tree: &'a Tree,
    built: &'a Built,
    suites: &'a [Suite],
    options: &'a Options,
}

impl Campaign<'_> {
    fn run(&self, wanted: &[&Mutant], settings: &Settings, outcomes: &mut Outcomes) -> Result<()> {
        let began = Instant::now();
        let longest = self.options.minutes.map(|minutes| Duration::from_secs(minutes * 60));
        let mut seen = BTreeSet::new();
        for (position, mutant) in wanted.iter().enumerate() {
            let excused = settings.excused.iter().any(|excuse| excuse.covers(mutant));
            if excused || (!self.options.again && outcomes.settled(self.tree, mutant)) {
                continue;
            }
            if longest.is_some_and(|longest| began.elapsed() > longest) {
                eprintln!("the time is over");
                break;
            }
            if seen.insert(&mutant.file) {
                eprintln!(
                    "{} ({} of {}, after {})",
                    style(&mutant.file).bold(),
                    position + 1,
                    wanted.len(),
                    spoken(began.elapsed())
                );
            }
            let outcome = self.one(mutant)?;
            if matches!(outcome, Outcome::Missed | Outcome::Unreached) {
                eprintln!("  {} {}", style("missed").red(), mutant.name);
            }
            outcomes.add(self.tree, mutant, outcome)?;
        }
        Ok(())
    }

    fn one(&self, mutant: &Mutant) -> Result<Outcome> {
        if self.built.unviable.contains(&mutant.number) {
            return Ok(Outcome::Unviable);
        }
        if !self.built.compiled.contains(&mutant.number) {
            return Ok(Outcome::NotCompiled);
        }
        let mut chosen: Vec<_> =
            self.suites.iter().filter_map(|suite| Some((suite, suite.reaching(mutant.number)?))).collect();
        if chosen.is_empty() {
            return Ok(Outcome::Unreached);
        }
        // Its own tests first, and the quick ones of them.
        chosen.sort_by_key(|(suite, chosen)| (suite.package() != mutant.package, chosen.time));
        for (suite, chosen) in &chosen {
            match chosen.run(mutant.number, threads(self.options))? {
                End::Passed => {}
                End::Failed(test) => return Ok(Outcome::Caught(format!("{} {test}", suite.name()))),
                End::TimedOut => return Ok(Outcome::TimedOut(suite.name().to_owned())),
            }
        }
        Ok(Outcome::Missed)
    }
}

//! `cargo xtask test`: the one test command. Each step is a function in a file of `test/`.

mod conformance;
mod demo;
mod deny;
mod doctests;
mod examples;
mod ignored;
mod lint;
mod nextest;
mod package;
mod readme;
mod summary;

use std::{cell::RefCell, time::Instant};

use anyhow::Result;
use clap::{
    Args, ValueEnum,
    builder::{PossibleValue, PossibleValuesParser},
};
use console::style;

use crate::{
    cargo::{Cargo, REQUIRE},
    outcome::Outcome,
    tidy,
    workspace::Workspace,
};
use summary::Summary;

/// Run everything that can be checked: the one test command
///
/// Runs every step below, also after one that failed, and ends with a table of what passed, failed and could not run.
/// Whatever needs a program that is not installed is skipped, with the name of the Debian package. Exits with 0 if
/// nothing failed.
///
///   cargo xtask test                  everything
///   cargo xtask test format tidy      only these steps
///   cargo xtask test --require all    as CI does: what is skipped has failed
#[derive(Args, Debug)]
#[command(verbatim_doc_comment)]
pub(crate) struct Options {
    /// The steps to run [default: all of them]
    #[arg(value_name = "STEP", value_parser = PossibleValuesParser::new(STEPS.iter().map(Step::value)))]
    steps: Vec<String>,

    /// What must not be skipped
    #[arg(long, value_name = "WHAT")]
    require: Option<Require>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Require {
    /// Whatever is skipped has failed
    All,
}

struct Step {
    name: &'static str,
    about: &'static str,
    run: fn(&Context<'_>) -> Result<Outcome>,
}

const STEPS: &[Step] = &[
    Step { name: "format", about: "Every file is formatted", run: lint::format },
    Step {
        name: "tidy",
        about: "The rules that only this workspace has",
        run: |context| tidy::check(context.workspace),
    },
    Step { name: "lint", about: "Clippy finds nothing, in any target, with all features", run: lint::clippy },
    Step { name: "alone", about: "Every published crate builds without its neighbours", run: lint::alone },
    Step { name: "tests", about: "Unit and integration tests, those in a browser too", run: nextest::run },
    Step {
        name: "conformance",
        about: "The kit on every combination, as `cargo xtask conformance`",
        run: conformance::run,
    },
    Step { name: "doctests", about: "The examples in the documentation", run: doctests::run },
    Step { name: "docs", about: "The documentation builds without a warning", run: lint::docs },
    Step { name: "examples", about: "The example programs run, or serve a request", run: examples::run },
    Step {
        name: "readme",
        about: "The programs in the README build and answer as its transcript says, and its matrix is what was found",
        run: readme::run,
    },
    Step { name: "demo", about: "The demo starts, and what it suggests to try works", run: demo::run },
    Step { name: "package", about: "What would be published is complete", run: package::run },
    Step {
        name: "deny",
        about: "Licences, sources and advisories of dependencies (cargo-deny)",
        run: deny::run,
    },
];

impl Step {
    fn value(&self) -> PossibleValue {
        PossibleValue::new(self.name).help(self.about)
    }
}

/// What every step is given.
struct Context<'a> {
    workspace: &'a Workspace,
    require_all: bool,
    /// What the step `conformance` found, as the README is to show it.
    matrix: RefCell<Option<String>>,
}

impl Context<'_> {
    /// A call of cargo that tells the tests what they must not skip.
    fn cargo(&self, arguments: &str) -> Cargo {
        let cargo = Cargo::new(self.workspace, arguments);
        if self.require_all { cargo.environment(REQUIRE, "all") } else { cargo }
    }

    /// ` --exclude` for the crates that are others' code once more, under a scheduler: what their documentation says is
    /// looked at where it belongs.
    fn without_copies(&self) -> String {
        let copies = self.workspace.packages.iter().filter(|package| package.name.ends_with("-scheduled"));
        copies.map(|package| format!(" --exclude {}", package.name)).collect()
    }

    /// Builds every program and example, in one call and with what the tests are built with, so that nothing is
    /// compiled twice.
    fn build_programs(&self) -> Result<Outcome> {
        self.cargo("build --quiet --workspace --all-features --bins --examples").checks()
    }
}

/// Runs the chosen steps. Answers whether all passed.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<bool> {
    let context =
        Context { workspace, require_all: options.require == Some(Require::All), matrix: RefCell::new(None) };
    let chosen =
        |step: &&Step| options.steps.is_empty() || options.steps.iter().any(|name| name == step.name);
    let steps: Vec<&Step> = STEPS.iter().filter(chosen).collect();

    let mut summary = Summary::new(context.require_all);
    for (number, step) in steps.iter().enumerate() {
        let heading = format!("[{}/{}] {}: {}", number + 1, steps.len(), step.name, lowered(step.about));
        eprintln!("\n{}", style(heading).bold().for_stderr());
        let started = Instant::now();
        let outcome = (step.run)(&context).unwrap_or_else(|error| {
            let mut outcome = Outcome::default();
            outcome.fail(format!("{error:#}"));
            outcome
        });
        summary.add(step.name, outcome, started.elapsed());
    }
    Ok(summary.print())
}

fn lowered(sentence: &str) -> String {
    let mut characters = sentence.chars();
    characters.next().map(|first| first.to_lowercase().chain(characters).collect()).unwrap_or_default()
}

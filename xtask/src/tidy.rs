//! `cargo xtask tidy`: the rules that only this workspace has. Each is a file of `tidy/`.

mod attacks;
mod boundaries;
mod changelog;
mod constant_time;
mod core_deps;
mod links;
mod manifests;
mod purity;
mod readmes;
mod sizes;
mod suite;
mod tables;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use clap::Args;
use console::style;

use crate::{outcome::Outcome, workspace::Workspace};

/// Check the rules that only this workspace has: who may depend on whom, and what every crate brings along
///
/// A step of `cargo xtask test`, which takes about a second by itself.
#[derive(Args, Debug)]
pub(crate) struct Options {
    /// Write what is compared anew, to be looked at and committed: the lists of dependencies in xtask/, and the table of
    /// docs/security.md
    #[arg(long)]
    bless: bool,
}

struct Rule {
    /// The rule, as a sentence that is true where it is kept.
    says: &'static str,
    /// What breaks it, one line each.
    broken_by: fn(&Workspace) -> Result<Vec<String>>,
}

const RULES: &[Rule] = &[
    Rule {
        says: "the core, and the core with the file store, depend on what xtask/*-deps.txt list, and nothing else",
        broken_by: core_deps::broken_by,
    },
    Rule {
        says: "session-core knows no file, socket, thread, environment or runtime, and time only through its clock",
        broken_by: purity::broken_by,
    },
    Rule { says: "ids, tokens and tags are compared in constant time", broken_by: constant_time::broken_by },
    Rule {
        says: "stores know no framework, adapters no store, and the kit neither",
        broken_by: boundaries::broken_by,
    },
    Rule {
        says: "every manifest takes version, edition, licence and lints from the workspace, which forbids unsafe code",
        broken_by: manifests::broken_by,
    },
    Rule {
        says: "every README is its crate's documentation and starts with a program of at most 30 lines",
        broken_by: readmes::broken_by,
    },
    Rule { says: "the changelog has the current version", broken_by: changelog::broken_by },
    Rule {
        says: "no source file is longer than 500 lines without a reason in xtask/long-files.txt",
        broken_by: sizes::broken_by,
    },
    Rule {
        says: "docs/founding.md and docs/standards.md are complete and name tests that exist",
        broken_by: tables::broken_by,
    },
    Rule {
        says: "every attack of docs/security.toml is shown by tests, and docs/security.md names them",
        broken_by: attacks::broken_by,
    },
    Rule { says: "every relative link in a Markdown file leads somewhere", broken_by: links::broken_by },
];

/// Checks all rules, or writes the list of dependencies. Answers whether all are kept.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<bool> {
    if options.bless {
        core_deps::bless(workspace)?;
        attacks::bless(workspace)?;
    }
    let outcome = check(workspace)?;
    for failure in &outcome.failures {
        eprintln!("{} {failure}", style("failed:").red().for_stderr());
    }
    Ok(outcome.failures.is_empty())
}

/// Checks all rules, and says which are kept.
pub(crate) fn check(workspace: &Workspace) -> Result<Outcome> {
    let mut outcome = Outcome::default();
    for rule in RULES {
        let broken_by = (rule.broken_by)(workspace)?;
        let mark = if broken_by.is_empty() { style("ok").green() } else { style("no").red() };
        eprintln!("{} {}", mark.for_stderr(), rule.says);
        outcome.passed += usize::from(broken_by.is_empty());
        for breach in broken_by {
            outcome.fail(breach);
        }
    }
    Ok(outcome)
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

/// The files below a folder whose names end with `ending`, in order. Build output and hidden folders are left out.
pub(crate) fn files_below(folder: &Path, ending: &str) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(found),
        entries => entries.with_context(|| format!("cannot read {}", folder.display()))?,
    };
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if entry.file_type()?.is_dir() {
            if name != "target" && !name.starts_with('.') {
                found.append(&mut files_below(&entry.path(), ending)?);
            }
        } else if name.ends_with(ending) {
            found.push(entry.path());
        }
    }
    found.sort();
    Ok(found)
}

//! The mutants: those that cargo-mutants thinks of.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use proc_macro2::LineColumn;
use serde::Deserialize;

use crate::{
    cargo::{self, Cargo},
    workspace::Workspace,
};

/// One change of the source.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Mutant {
    /// What switches it on.
    #[serde(skip)]
    pub(super) number: u32,
    /// File, line, column, and what is changed.
    pub(super) name: String,
    pub(super) package: String,
    pub(super) file: String,
    pub(super) span: Extent,
    pub(super) replacement: String,
    pub(super) genre: Genre,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub(super) struct Extent {
    pub(super) start: Place,
}

/// Counted from one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub(super) struct Place {
    pub(super) line: usize,
    pub(super) column: usize,
}

impl From<LineColumn> for Place {
    fn from(LineColumn { line, column }: LineColumn) -> Self {
        Self { line, column: column + 1 }
    }
}

/// What sort of change. The names are those of cargo-mutants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub(super) enum Genre {
    #[default]
    FnValue,
    BinaryOperator,
    UnaryOperator,
    MatchArm,
    MatchArmGuard,
    StructField,
}

impl Mutant {
    /// What is changed, without the place, which moves with every line above it.
    pub(super) fn change(&self) -> &str {
        let place = self.name.splitn(4, ':');
        place.last().unwrap_or(&self.name).trim_start()
    }
}

/// Those of these packages, numbered from one.
pub(super) fn of(workspace: &Workspace, packages: &[String]) -> Result<Vec<Mutant>> {
    install(workspace)?;
    let names: String = packages.iter().map(|name| format!(" --package {name}")).collect();
    let text = Cargo::new(workspace, &format!("mutants --list --json{names}")).answers()?;
    read(&text)
}

fn read(text: &str) -> Result<Vec<Mutant>> {
    let mut mutants: Vec<Mutant> =
        serde_json::from_str(text).context("cannot read what cargo mutants --list prints")?;
    for (mutant, number) in mutants.iter_mut().zip(1..) {
        mutant.number = number;
    }
    Ok(mutants)
}

/// Only lists are made with it, so it need not be fast.
fn install(workspace: &Workspace) -> Result<()> {
    if !cargo::has(workspace, "mutants") {
        let installed = Cargo::new(workspace, "install cargo-mutants --locked --debug").succeeds()?;
        ensure!(installed, "cargo-mutants was not installed");
    }
    Ok(())
}

/// Whether a mutant was asked for: by package, by file or folder, or by nothing.
pub(super) fn is_wanted(mutant: &Mutant, wanted: &[String]) -> bool {
    let file = Path::new(&mutant.file);
    wanted.is_empty() || wanted.iter().any(|name| *name == mutant.package || file.starts_with(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LISTED: &str = r#"[{
        "diff": "", "file": "crates/a/src/b.rs", "function": null, "genre": "BinaryOperator",
        "name": "crates/a/src/b.rs:4:9: replace == with != in C::d", "package": "a", "replacement": "!=",
        "span": { "start": { "line": 4, "column": 9 }, "end": { "line": 4, "column": 11 } }
    }]"#;

    #[test]
    fn lists_are_read() {
        let mutants = read(LISTED).unwrap();
        let [mutant] = &mutants[..] else { panic!("{mutants:?}") };
        assert_eq!((mutant.number, mutant.genre), (1, Genre::BinaryOperator));
        assert_eq!(mutant.change(), "replace == with != in C::d");
    }

    #[test]
    fn files_folders_and_packages_can_be_asked_for() {
        let mutant = &read(LISTED).unwrap()[0];
        for wanted in ["a", "crates/a", "crates/a/src/b.rs"] {
            assert!(is_wanted(mutant, &[wanted.to_owned()]), "{wanted}");
        }
        for other in ["b", "crates/a/src/b", "crates/b"] {
            assert!(!is_wanted(mutant, &[other.to_owned()]), "{other}");
        }
        assert!(is_wanted(mutant, &[]));
    }
}

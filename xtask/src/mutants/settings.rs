//! `xtask/mutants.toml`: what is mutated, which tests have to notice, and what need not be noticed.

use std::{fs, path::Path};

use anyhow::{Context, Result};
use serde::Deserialize;

use super::list::Mutant;
use crate::workspace::Workspace;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Settings {
    /// The packages that are mutated. All their own tests are asked.
    pub(super) packages: Vec<String>,
    /// Test programs of other packages that are asked, too.
    pub(super) tests: Vec<Program>,
    /// Tests that are not asked.
    #[serde(default)]
    left_out: Vec<LeftOut>,
    /// Mutants that no test can notice.
    #[serde(default)]
    pub(super) excused: Vec<Excuse>,
    /// Mutants written by hand.
    #[serde(default)]
    pub(super) by_hand: Vec<ByHand>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Program {
    pub(super) package: String,
    pub(super) name: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LeftOut {
    /// A part of the test's name.
    test: String,
    #[expect(dead_code, reason = "for those who read the file")]
    why: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Excuse {
    /// A file, or a folder.
    file: String,
    /// What cargo-mutants says of it, or a part of that, without the place; several mutants may be alike.
    mutant: String,
    #[expect(dead_code, reason = "for those who read the file")]
    why: String,
}

impl Excuse {
    pub(super) fn covers(&self, mutant: &Mutant) -> bool {
        Path::new(&mutant.file).starts_with(&self.file) && mutant.change().contains(&self.mutant)
    }
}

/// A change that nobody may make without a test that fails.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct ByHand {
    /// What the changed code does not do any more.
    pub(super) without: String,
    pub(super) file: String,
    /// What stands in the file exactly once.
    pub(super) old: String,
    /// What of it is changed [default: all].
    pub(super) part: Option<String>,
    pub(super) new: String,
    /// A part of the name of the tests that must notice, and the package with them.
    pub(super) package: String,
    pub(super) noticed_by: String,
}

impl Settings {
    pub(super) fn read(workspace: &Workspace) -> Result<Self> {
        let path = workspace.root.join("xtask/mutants.toml");
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        toml::from_str(&text).with_context(|| format!("cannot make sense of {}", path.display()))
    }

    pub(super) fn leaves_out(&self, test: &str) -> bool {
        self.left_out.iter().any(|out| test.contains(&out.test))
    }

    /// The call of cargo that builds all test programs.
    pub(super) fn call(&self, workspace: &Workspace) -> String {
        let mut call = "test --no-run --offline --all-features --lib".to_owned();
        let mut names = Vec::new();
        for name in &self.packages {
            call += &format!(" --package {name}");
            for target in workspace.package(name).into_iter().flat_map(|package| &package.targets) {
                if target.kind.iter().any(|kind| kind == "test") {
                    names.push(target.name.clone());
                }
            }
        }
        for program in &self.tests {
            if !self.packages.contains(&program.package) {
                call += &format!(" --package {}", program.package);
            }
            names.push(program.name.clone());
        }
        names.sort();
        names.dedup();
        names.iter().fold(call, |call, name| call + " --test " + name)
    }

    /// Whether a test program that was built is to be asked: the unit tests of the kit, for one, are not.
    pub(super) fn asks(&self, package: &str, program: &str) -> bool {
        let name = program.rsplit("::").next().unwrap_or(program);
        self.packages.iter().any(|own| own == package)
            || self.tests.iter().any(|other| other.package == package && other.name == name)
    }
}

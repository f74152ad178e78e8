//! Why tests are marked `#[ignore]`: the reports of test runners do not say.

use std::{collections::HashMap, fs};

use anyhow::{Context as _, Result};

use crate::{tidy::files_below, workspace::Workspace};

/// The reasons, by the names of the functions.
#[derive(Debug, Default)]
pub(super) struct Ignored(HashMap<String, String>);

/// How the reason begins where the function is no test, but a process that another test starts.
pub(super) const PART: &str = "run by ";

impl Ignored {
    /// Reads them from the sources of all members.
    pub(super) fn find(workspace: &Workspace) -> Result<Self> {
        let mut ignored = Self::default();
        for package in &workspace.packages {
            for file in files_below(package.folder(), ".rs")? {
                let text =
                    fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
                ignored.read(&text);
            }
        }
        Ok(ignored)
    }

    fn read(&mut self, source: &str) {
        let mut reason = None;
        for line in source.lines().map(str::trim) {
            if let Some(rest) = line.strip_prefix("#[ignore = \"") {
                reason = rest.strip_suffix("\"]");
            } else if let Some((_, rest)) = line.split_once("fn ")
                && let (Some(reason), Some((name, _))) = (reason.take(), rest.split_once('('))
            {
                self.0.insert(name.to_owned(), reason.to_owned());
            }
        }
    }

    /// Why a test, named with its modules, is skipped; `None` if it is none, but a part of another test.
    pub(super) fn why(&self, test: &str) -> Option<String> {
        match self.0.get(test.rsplit("::").next().unwrap_or(test)) {
            Some(reason) if reason.starts_with(PART) => None,
            Some(reason) => Some(format!("#[ignore]: {reason}")),
            None => Some("#[ignore] without a reason".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Ignored;

    #[test]
    fn the_reason_belongs_to_the_next_function() {
        let mut ignored = Ignored::default();
        ignored.read(
            "#[test]\n#[ignore = \"run by crash as a process of its own\"]\nfn child() {}\n\
             #[test]\n#[ignore = \"takes a day\"]\n// …\nasync fn long(one: u8) {}\n#[test]\nfn other() {}\n",
        );
        assert_eq!(ignored.why("it::child"), None);
        assert_eq!(ignored.why("long").as_deref(), Some("#[ignore]: takes a day"));
        assert_eq!(ignored.why("a::other").as_deref(), Some("#[ignore] without a reason"));
    }
}

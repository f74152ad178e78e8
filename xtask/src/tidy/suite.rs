//! The tests of the workspace and the cases of the kit, and which attacks they say they show.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, ensure};

use super::{files_below, read};
use crate::workspace::Workspace;

/// Where tests are.
const FOLDERS: [&str; 6] = ["crates", "demo", "examples", "fuzz", "tests", "xtask"];
/// How the first line of a test begins that shows what becomes of an attack; the ids of the rows follow.
const MARK: &str = "// Shows: ";

/// Every test, named as documents name it: `file::test`.
#[derive(Debug, Default)]
pub(super) struct Tests {
    names: BTreeSet<String>,
    /// By the ids that they name.
    showing: BTreeMap<String, BTreeSet<String>>,
    /// Marks that are in no test.
    lost: Vec<String>,
}

impl Tests {
    pub(super) fn find(workspace: &Workspace) -> Result<Self> {
        let mut tests = Self::default();
        for folder in FOLDERS {
            for file in files_below(&workspace.root.join(folder), ".rs")? {
                let stem = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
                let is_case = file.components().any(|part| part.as_os_str() == "cases");
                let place = workspace.relative(&file).display().to_string();
                tests.read(&place, &stem, is_case, &read(&file)?);
            }
        }
        ensure!(tests.names.len() > 300, "only {} tests found", tests.names.len());
        Ok(tests)
    }

    fn read(&mut self, place: &str, stem: &str, is_case: bool, text: &str) {
        let (mut marked, mut in_macro) = (false, false);
        let mut test = None;
        for (number, line) in (1..).zip(text.lines()) {
            // The file store's tests are written once for both of its paths.
            in_macro = line.starts_with("on_both_paths! {") || in_macro && line != "}";
            let line = line.trim();
            marked |=
                line == "#[test]" || line.starts_with("#[tokio::test") || line == "#[rocket::async_test]";
            if let Some((name, is_public)) = function(line) {
                let is_test = marked || is_case && is_public || in_macro && line.contains("(fixture) {");
                test = is_test.then(|| format!("{stem}::{name}"));
                self.names.extend(test.clone());
                marked = false;
            }
            if let Some(ids) = line.strip_prefix(MARK) {
                match &test {
                    Some(test) => ids.split(", ").for_each(|id| {
                        self.showing.entry(id.to_owned()).or_default().insert(test.clone());
                    }),
                    None => self.lost.push(format!("{place}:{number}")),
                }
            }
        }
    }

    pub(super) fn contains(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    /// The tests that show what becomes of an attack.
    pub(super) fn showing(&self, id: &str) -> impl Iterator<Item = &str> {
        self.showing.get(id).into_iter().flatten().map(String::as_str)
    }

    /// The ids that tests name.
    pub(super) fn shown(&self) -> impl Iterator<Item = &str> {
        self.showing.keys().map(String::as_str)
    }

    /// Where a mark stands in no test.
    pub(super) fn lost(&self) -> &[String] {
        &self.lost
    }
}

/// The name of the function that begins in a line, and whether it is a public one that waits.
fn function(line: &str) -> Option<(&str, bool)> {
    let public = line.strip_prefix("pub async fn ");
    let private = line.strip_prefix("async fn ").or(line.strip_prefix("fn "));
    let name = public.or(private)?.split(['(', '<']).next()?;
    Some((name, public.is_some()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_belongs_to_its_test() {
        let mut tests = Tests::default();
        let text = format!(
            "{MARK}A9\n#[test]\nfn one() {{\n    {MARK}A1, A2\n}}\nfn helper() {{\n    {MARK}A3\n}}\n\
             #[tokio::test]\nasync fn two() {{\n    {MARK}A2\n}}\n"
        );
        tests.read("a/b.rs", "b", false, &text);
        assert!(tests.contains("b::one") && tests.contains("b::two") && !tests.contains("b::helper"));
        assert_eq!(tests.showing("A2").collect::<Vec<_>>(), ["b::one", "b::two"]);
        assert_eq!(tests.shown().collect::<Vec<_>>(), ["A1", "A2"]);
        assert_eq!(tests.lost(), ["a/b.rs:1", "a/b.rs:7"]);
    }

    #[test]
    fn cases_and_tests_in_macros_are_tests() {
        let mut tests = Tests::default();
        tests.read("c", "case", true, "pub async fn a_rule(site: Site) -> Result {\n}\nfn no() {\n}\n");
        tests.read("f", "file", false, "on_both_paths! {\n    fn both(fixture) {\n    }\n}\n");
        assert!(
            tests.contains("case::a_rule") && tests.contains("file::both") && !tests.contains("case::no")
        );
    }
}

//! The changes that `xtask/mutants.toml` spells out: without a lock, a sync or a check, a test has to fail.

use anyhow::{Result, ensure};
use console::style;

use super::{
    build,
    settings::{ByHand, Settings},
    suite::{End, Suite},
    suites,
    tree::Tree,
    weave::{marked, on},
};
use crate::workspace::Workspace;

/// Tries each of them. Answers whether each was noticed by the tests that are to notice it.
pub(super) fn run(workspace: &Workspace, settings: &Settings, threads: usize) -> Result<bool> {
    let tree = Tree::new(workspace, "by-hand", &settings.packages)?;
    let mut files: Vec<&str> = settings.by_hand.iter().map(|change| change.file.as_str()).collect();
    files.sort_unstable();
    files.dedup();
    for (file, source) in tree.sources() {
        let mut text = source.to_owned();
        for (change, number) in settings.by_hand.iter().zip(1..) {
            if change.file == file {
                text = change.woven_into(&text, number)?;
            }
        }
        tree.write(file, &text)?;
        files.retain(|wanted| *wanted != file);
    }
    ensure!(files.is_empty(), "no package that is mutated has {}", files.join(", "));
    let built = build::build_as_it_is(workspace, &tree, &settings.call(workspace))?;
    let asked = |package: &str, test: &str| {
        settings.by_hand.iter().any(|change| change.package == package && test.contains(&change.noticed_by))
    };
    let suites = suites(workspace, settings, &built, "reach-by-hand", &asked)?;

    let mut noticed = 0;
    for (change, number) in settings.by_hand.iter().zip(1..) {
        let end = one(change, number, &suites, threads)?;
        let (verdict, how) = match &end {
            None => (style("no such test").red(), String::new()),
            Some(End::Passed) => (style("not noticed").red(), String::new()),
            Some(End::TimedOut) => (style("noticed").green(), "it hangs".to_owned()),
            Some(End::Failed(test)) => (style("noticed").green(), test.clone()),
        };
        println!("{verdict}  {}: without {}  {}", change.file, change.without, style(how).dim());
        noticed += usize::from(matches!(end, Some(End::Failed(_) | End::TimedOut)));
    }
    println!("\n{noticed} of {} changes are noticed", settings.by_hand.len());
    Ok(noticed == settings.by_hand.len())
}

fn one(change: &ByHand, number: u32, suites: &[Suite], threads: usize) -> Result<Option<End>> {
    let mut last = None;
    for suite in suites.iter().filter(|suite| suite.package() == change.package) {
        if let Some(chosen) = suite.named(&change.noticed_by) {
            let end = chosen.run(number, threads)?;
            if end != End::Passed {
                return Ok(Some(end));
            }
            last = Some(end);
        }
    }
    Ok(last)
}

impl ByHand {
    /// Puts the change behind a switch: as statements if that is what it is about, else as an expression.
    fn woven_into(&self, text: &str, number: u32) -> Result<String> {
        let found = text.matches(&self.old).count();
        ensure!(found == 1, "{} says {found} times, and not once:\n{}", self.file, self.old);
        let part = self.part.as_ref().unwrap_or(&self.old);
        ensure!(self.old.matches(part).count() == 1, "what is changed is not once in:\n{}", self.old);
        let switch = on(number);
        let both = if part.trim_end().ends_with([';', '}']) {
            format!("if {switch} {{ {} }} else {{ {part} }}", self.new)
        } else {
            format!("(if {switch} {{ {} }} else {{ {part} }})", self.new)
        };
        Ok(text.replacen(&self.old, &self.old.replacen(part, &marked(number, &both), 1), 1))
    }
}

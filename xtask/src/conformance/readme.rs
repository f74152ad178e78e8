//! The matrix as the README shows it: what passes, what is not run and why, and no times.

use std::{collections::BTreeMap, fmt::Write, fs, path::Path};

use anyhow::{Context, Result, bail};
use session_conformance::{
    Verdict,
    adapter::{self, Persist},
    store,
};

use super::{
    plan::Combination,
    report::{Line, Report},
};
use crate::registry::{Matrix, STORES};

const START: &str = "<!-- what `cargo xtask conformance --readme` wrote -->\n";
const END: &str = "<!-- end of what it wrote -->\n";

/// Writes the block of a README anew.
pub(super) fn write(report: &Report, readme: &Path) -> Result<()> {
    let text = fs::read_to_string(readme).with_context(|| format!("cannot read {}", readme.display()))?;
    let (before, _, after) = split(&text)?;
    fs::write(readme, format!("{before}{START}{}{END}{after}", block(report)))
        .with_context(|| format!("cannot write {}", readme.display()))
}

/// What of the block in a README is not as the report says.
pub(crate) fn difference(report: &str, readme: &str) -> Result<Option<String>> {
    let (_, block, _) = split(readme)?;
    let wrong = report.lines().find(|line| block.lines().all(|other| other != *line));
    let stale = || block.lines().find(|line| report.lines().all(|other| other != *line));
    Ok(match (wrong, stale()) {
        (None, None) => None,
        (Some(line), _) => Some(format!("the matrix lacks {line:?}")),
        (None, Some(line)) => Some(format!("the matrix still has {line:?}")),
    })
}

fn split(readme: &str) -> Result<(&str, &str, &str)> {
    let Some((before, rest)) = readme.split_once(START) else { bail!("README.md has no line {START:?}") };
    let Some((block, after)) = rest.split_once(END) else { bail!("README.md has no line {END:?}") };
    Ok((before, block, after))
}

/// The block, without the lines around it.
pub(super) fn block(report: &Report) -> String {
    let mut block = String::from("\n");
    let lines = || report.lines.iter();
    let _ = writeln!(block, "Store suite, cases passed of {}:\n", store::CASES.len());
    let _ = writeln!(block, "| store | passed | not run, and why |\n|---|---|---|");
    for line in lines().filter(|line| matches!(line.combination, Combination::Store(_))) {
        let not_run = skips([line].into_iter(), |_, reason| reason.to_owned());
        let _ = writeln!(block, "| {} | {} | {not_run} |", line.combination.store(), passed(line));
    }
    block.push('\n');

    let of_adapters = || lines().filter(|line| line.combination.adapter().is_some());
    let adapters = in_order(of_adapters().filter_map(|line| line.combination.adapter()));
    let _ = writeln!(
        block,
        "Adapter suite, cases passed of {}, with each of the stores {}{}:\n",
        adapter::CASES.len(),
        in_the_matrix(Matrix::AllStrategies).join(", "),
        match in_the_matrix(Matrix::FirstStrategy) {
            some if some.is_empty() => String::new(),
            some => format!("; with `{}` also {}", Persist::Cookie, some.join(", ")),
        }
    );
    let _ = writeln!(block, "| strategy | {} | not run, and why |", adapters.join(" | "));
    let _ = writeln!(block, "|---|{}---|", "---|".repeat(adapters.len()));
    for persist in Persist::ALL {
        let here = || of_adapters().filter(|line| line.combination.persist() == Some(persist.name()));
        let cells = adapters
            .iter()
            .map(|adapter| cell(here().filter(|line| line.combination.adapter() == Some(*adapter))));
        let cells: Vec<String> = cells.collect();
        let not_run = skips(here(), |line, reason| reason_of(*persist, line, reason));
        let _ = writeln!(block, "| {persist} | {} | {not_run} |", cells.join(" | "));
    }
    block.push('\n');
    block
}

/// What passes, said once for all stores with which it is the same.
fn cell<'a>(lines: impl Iterator<Item = &'a Line>) -> String {
    let results: Vec<(&str, String)> = lines.map(|line| (line.combination.store(), passed(line))).collect();
    let different = in_order(results.iter().map(|(_, passed)| passed.as_str()));
    if let [passed] = different[..] {
        return passed.to_owned();
    }
    let with = |passed: &&str| {
        let stores = results.iter().filter(|(_, other)| other == passed).map(|(store, _)| *store);
        format!("{passed} ({})", stores.collect::<Vec<_>>().join(", "))
    };
    different.iter().map(with).collect::<Vec<_>>().join(", ")
}

fn passed(line: &Line) -> String {
    match line.counts() {
        (passed, 0, _) => passed.to_string(),
        (passed, failed, _) => format!("{passed} (**{failed} failed**)"),
    }
}

/// The stores that are so often in the matrix.
fn in_the_matrix(how: Matrix) -> Vec<&'static str> {
    STORES.iter().filter(|store| store.matrix == how).map(|store| store.name).collect()
}

/// Why cases do not run, in the words of `said`, with how many of one line at most.
fn skips<'a>(lines: impl Iterator<Item = &'a Line>, said: impl Fn(&Line, &str) -> String) -> String {
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    for line in lines {
        let mut here: BTreeMap<String, usize> = BTreeMap::new();
        for row in &line.rows {
            if let Verdict::Skip(reason) = &row.verdict {
                *here.entry(said(line, reason)).or_default() += 1;
            }
        }
        for (reason, cases) in here {
            let most = reasons.entry(reason).or_default();
            *most = cases.max(*most);
        }
    }
    let all: Vec<String> = reasons.into_iter().map(|(reason, cases)| format!("{cases} {reason}")).collect();
    all.join("; ")
}

fn reason_of(persist: Persist, line: &Line, reason: &str) -> String {
    if reason.starts_with("not about ") {
        return "about other strategies".to_owned();
    }
    if reason.starts_with("the store has ") {
        return format!("on {}: {reason}", line.combination.store());
    }
    match reason.strip_prefix(&format!("not possible with {persist}: ")) {
        Some(reason) => reason.to_owned(),
        None => format!("on {}: {reason}", line.combination.adapter().unwrap_or_default()),
    }
}

fn in_order<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut all = Vec::new();
    for name in names {
        if !all.contains(&name) {
            all.push(name);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn readme(block: &str) -> String {
        format!("# Title\n{START}{block}{END}more\n")
    }

    #[test]
    fn a_block_that_says_the_same_is_no_difference() {
        assert_eq!(difference("| a | 1 |\n", &readme("| a | 1 |\n")).unwrap(), None);
    }

    #[test]
    fn a_block_that_says_more_less_or_something_else_is_one() {
        for (block, difference) in [
            ("", "the matrix lacks \"| a | 1 |\""),
            ("| a | 2 |\n", "the matrix lacks \"| a | 1 |\""),
            ("| a | 1 |\n| b | 1 |\n", "the matrix still has \"| b | 1 |\""),
        ] {
            assert_eq!(
                super::difference("| a | 1 |\n", &readme(block)).unwrap().as_deref(),
                Some(difference)
            );
        }
        assert!(difference("", "# Title\n").is_err());
    }
}

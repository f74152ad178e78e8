//! The tables in docs/ that map what others ask for to tests: complete, and with tests that exist.

use std::collections::BTreeSet;

use anyhow::Result;

use super::{read, suite::Tests};
use crate::workspace::Workspace;

/// The items of the five documents: their prefix and how many there are.
const FOUNDING: [(&str, usize); 5] = [("PE", 22), ("BE", 23), ("PW", 15), ("PY", 10), ("LE", 19)];

/// The rows of the standards that have plain numbers.
const STANDARDS: [(&str, usize); 6] = [("S", 24), ("N", 14), ("K", 21), ("I", 6), ("P", 6), ("H", 6)];

/// The requirements of OWASP ASVS 5.0 that concern sessions.
const ASVS: [&str; 41] = [
    "7.1.1", "7.1.2", "7.1.3", "7.2.1", "7.2.2", "7.2.3", "7.2.4", "7.3.1", "7.3.2", "7.4.1", "7.4.2",
    "7.4.3", "7.4.4", "7.4.5", "7.5.1", "7.5.2", "7.5.3", "7.6.1", "7.6.2", "3.3.1", "3.3.2", "3.3.3",
    "3.3.4", "3.3.5", "3.5.1", "14.2.1", "14.3.1", "14.3.2", "11.5.1", "11.2.2", "11.2.4", "11.2.5", "9.1.1",
    "9.1.2", "9.2.1", "9.2.2", "15.4.1", "15.4.2", "1.5.2", "5.3.2", "16.2.5",
];

pub(super) fn broken_by(workspace: &Workspace) -> Result<Vec<String>> {
    let tests = Tests::find(workspace)?;
    let numbered = |(prefix, last): &(&str, usize)| {
        let prefix = (*prefix).to_owned();
        (1..=*last).map(move |at| format!("{prefix}-{at:02}")).collect::<Vec<_>>()
    };
    let founding = FOUNDING.iter().flat_map(numbered).collect();
    let asvs = ASVS.iter().map(|row| format!("A-{row}"));
    let standards = STANDARDS.iter().flat_map(numbered).chain(asvs).collect();
    let mut breaches = Vec::new();
    for (document, expected, or_says) in [
        ("docs/founding.md", founding, "**Refused.**"),
        ("docs/standards.md", standards, "**The application's part.**"),
    ] {
        let text = read(&workspace.root.join(document))?;
        let wrong = check(&text, &expected, or_says, &tests);
        breaches.extend(wrong.into_iter().map(|wrong| format!("{document}: {wrong}")));
    }
    Ok(breaches)
}

/// `| id | what is asked | how it is here | shown by |`: the last cell names tests as `file::test`, or the third one
/// begins with `or_says`, and then says what to do instead.
fn check(text: &str, expected: &BTreeSet<String>, or_says: &str, tests: &Tests) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let mut wrong = Vec::new();
    for line in text.lines().filter(|line| line.starts_with("| ")) {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let is_item = |cell: &str| {
            cell.split_once('-').is_some_and(|(_, at)| at.starts_with(|c: char| c.is_ascii_digit()))
        };
        if !is_item(cells[0]) {
            continue;
        }
        let [id, asked, here, shown] = cells[..] else {
            wrong.push(format!("{}: {} cells", cells[0], cells.len()));
            continue;
        };
        if !seen.insert(id.to_owned()) {
            wrong.push(format!("{id}: twice"));
        }
        let named: Vec<&str> = shown.split('`').skip(1).step_by(2).collect();
        let unknown = named.iter().filter(|name| !tests.contains(name));
        wrong.extend(unknown.map(|name| format!("{id}: there is no test {name}")));
        if asked.is_empty() || here.is_empty() {
            wrong.push(format!("{id}: an empty cell"));
        }
        let instead = here.strip_prefix(or_says).map(str::trim);
        if instead.is_some_and(str::is_empty) || instead.is_none() && named.is_empty() {
            wrong.push(format!("{id}: neither a test nor what to do instead"));
        }
    }
    wrong.extend(expected.difference(&seen).map(|id| format!("{id}: missing")));
    wrong.extend(seen.difference(expected).map(|id| format!("{id}: there is no such item")));
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_unknown_or_shown_by_nothing_is_named() {
        let text = "| X-01 | a | b | `no::test` |\n| X-02 | a | **Refused.** | |\n| X-02 | a | **Refused.** b | none |\n\
                    | X-04 | a | b | none |\n";
        let expected = ["X-01", "X-02", "X-03"].map(str::to_owned).into();
        assert_eq!(
            check(text, &expected, "**Refused.**", &Tests::default()),
            [
                "X-01: there is no test no::test",
                "X-02: neither a test nor what to do instead",
                "X-02: twice",
                "X-04: neither a test nor what to do instead",
                "X-03: missing",
                "X-04: there is no such item",
            ]
        );
    }
}

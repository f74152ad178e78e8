//! docs/security.md: attacks, what is done about them, and the tests that say they show it.

use std::{collections::BTreeSet, fmt::Write, fs};

use anyhow::{Context, Result};
use serde::Deserialize;

use super::{read, suite::Tests};
use crate::workspace::Workspace;

const ROWS: &str = "docs/security.toml";
const TABLE: &str = "docs/security.md";
const START: &str = "<!-- what `cargo xtask tidy --bless` wrote -->\n";
const END: &str = "<!-- end of what it wrote -->\n";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rows {
    row: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    id: String,
    name: String,
    /// To whom it happened, or who found it.
    precedent: String,
    defence: String,
    /// Why no test shows it.
    untested: Option<String>,
}

pub(super) fn broken_by(workspace: &Workspace) -> Result<Vec<String>> {
    let (rows, tests) = (rows(workspace)?, Tests::find(workspace)?);
    let mut breaches = unfounded(&rows, &tests);
    let text = read(&workspace.root.join(TABLE))?;
    match text.split_once(START).and_then(|(_, rest)| rest.split_once(END)) {
        None => breaches.push(format!("{TABLE} does not say where its table begins and ends")),
        Some((written, _)) if written != table(&rows, &tests) => {
            breaches.push(format!("{TABLE} is out of date: `cargo xtask tidy --bless` writes it"));
        }
        Some(_) => {}
    }
    Ok(breaches)
}

/// Writes the table anew.
pub(super) fn bless(workspace: &Workspace) -> Result<()> {
    let path = workspace.root.join(TABLE);
    let text = read(&path)?;
    let (before, rest) = text.split_once(START).with_context(|| format!("{TABLE} has no line {START:?}"))?;
    let (_, after) = rest.split_once(END).with_context(|| format!("{TABLE} has no line {END:?}"))?;
    let table = table(&rows(workspace)?, &Tests::find(workspace)?);
    fs::write(&path, format!("{before}{START}{table}{END}{after}"))
        .with_context(|| format!("cannot write {TABLE}"))
}

fn rows(workspace: &Workspace) -> Result<Vec<Row>> {
    let rows: Rows = toml::from_str(&read(&workspace.root.join(ROWS))?).context(ROWS)?;
    Ok(rows.row)
}

/// Rows that nothing shows, and marks that mean nothing.
fn unfounded(rows: &[Row], tests: &Tests) -> Vec<String> {
    let mut known = BTreeSet::new();
    let mut breaches = Vec::new();
    for Row { id, untested, .. } in rows {
        if !known.insert(&**id) {
            breaches.push(format!("{ROWS} has {id} twice"));
        }
        let shown = tests.showing(id).next().is_some();
        match untested.as_deref().map(str::trim) {
            None if !shown => breaches.push(format!("{id} has no test, and {ROWS} does not say why")),
            Some("") => breaches.push(format!("{ROWS} gives no reason why {id} has no test")),
            Some(_) if shown => breaches.push(format!("{ROWS} says that {id} has no test, and it has")),
            _ => {}
        }
    }
    let unknown = tests.shown().filter(|id| !known.contains(id));
    breaches.extend(unknown.map(|id| format!("a test shows {id}, which {ROWS} does not have")));
    let lost = tests.lost().iter();
    breaches.extend(lost.map(|place| format!("{place} says what it shows outside of a test")));
    breaches
}

fn table(rows: &[Row], tests: &Tests) -> String {
    let mut table = String::from("\n| row | attack | seen in | here | shown by |\n|---|---|---|---|---|\n");
    for row in rows {
        let named: Vec<String> = tests.showing(&row.id).map(|test| format!("`{test}`")).collect();
        let shown = match &row.untested {
            Some(reason) => format!("no test: {reason}"),
            None => named.join(", "),
        };
        let _ =
            writeln!(table, "| {} | {} | {} | {} | {shown} |", row.id, row.name, row.precedent, row.defence);
    }
    table.push('\n');
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(id: &str, untested: Option<&str>) -> Row {
        let text = || "x".to_owned();
        let untested = untested.map(str::to_owned);
        Row { id: id.to_owned(), name: text(), precedent: text(), defence: text(), untested }
    }

    #[test]
    fn rows_without_a_test_need_a_reason() {
        let rows = [row("A1", None), row("A1", Some(" ")), row("A2", Some("time is luck"))];
        assert_eq!(
            unfounded(&rows, &Tests::default()),
            [
                "A1 has no test, and docs/security.toml does not say why",
                "docs/security.toml has A1 twice",
                "docs/security.toml gives no reason why A1 has no test",
            ]
        );
        assert!(table(&rows, &Tests::default()).ends_with("| A2 | x | x | x | no test: time is luck |\n\n"));
    }
}

//! What is printed: one JSON document, or text and tables for people.

use std::{
    fmt::Display,
    io::{self, Write},
};

use anyhow::Result;
use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use console::Term;
use serde::Serialize;

/// Where and how the answer is printed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    json: bool,
}

impl Output {
    pub(crate) const fn new(json: bool) -> Self {
        Self { json }
    }

    pub(crate) const fn is_json(self) -> bool {
        self.json
    }

    /// Prints `answer` as JSON, or else what `people` makes of it.
    pub(crate) fn print<T: Serialize, D: Display>(
        self,
        answer: &T,
        people: impl FnOnce(&T) -> D,
    ) -> Result<()> {
        // A reader that has seen enough closes the pipe, which `println!` would make a panic of.
        let mut out = io::stdout().lock();
        if self.json {
            serde_json::to_writer_pretty(&mut out, answer).map_err(io::Error::from)?;
            writeln!(out)?;
        } else {
            writeln!(out, "{}", people(answer))?;
        }
        Ok(out.flush()?)
    }
}

/// A table with a line for each thing, as wide as the terminal at most.
pub(crate) fn table(header: &[&str]) -> Table {
    let mut table = as_wide_as_the_terminal();
    table.load_preset(presets::UTF8_FULL_CONDENSED);
    table.set_header(header);
    table
}

/// What is known of one thing: a name and a value in each line.
pub(crate) fn facts(facts: impl IntoIterator<Item = (&'static str, String)>) -> String {
    let mut table = as_wide_as_the_terminal();
    table.load_preset(presets::NOTHING);
    for (name, value) in facts {
        table.add_row([name.to_owned(), value]);
    }
    table.trim_fmt()
}

/// Into a file or a pipe, lines may be long: nothing is broken that a program looks for.
fn as_wide_as_the_terminal() -> Table {
    let mut table = Table::new();
    if let Some((_, columns)) = Term::stdout().size_checked() {
        table.set_content_arrangement(ContentArrangement::Dynamic);
        table.set_width(columns);
    }
    table
}

/// Numbers are compared from their right end.
pub(crate) fn align_right(table: &mut Table, columns: &[usize]) {
    for column in columns {
        if let Some(column) = table.column_mut(*column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
}

//! Tables for the terminal, each line with what is promised and how far the library is from it.

use comfy_table::{CellAlignment, presets::UTF8_FULL_CONDENSED};

use crate::report::{Line, Report, Sense, Table, Unit};

/// Prints a table.
pub fn table(table: &Table) {
    println!("\n{}: {}", table.row, table.title);
    let mut shown = comfy_table::Table::new();
    shown.load_preset(UTF8_FULL_CONDENSED);
    let promises = table.lines.iter().any(|line| line.target.is_some());
    let mut header = vec![String::new()];
    header.extend(table.columns.iter().cloned());
    if promises {
        header.extend(["promised".to_owned(), "verdict".to_owned()]);
    }
    shown.set_header(header);
    for line in &table.lines {
        let mut cells = vec![name(line)];
        cells.extend((0..table.columns.len()).map(|column| cell(table, line, column)));
        if promises {
            cells.push(promise(table, line));
            cells.push(table.distance(line).map_or_else(String::new, verdict));
        }
        shown.add_row(cells);
    }
    for column in shown.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    println!("{shown}");
    if let Some(note) = &table.note {
        println!("{note}");
    }
}

/// Prints where the figures come from, and which promises are missed. Answers how many.
#[must_use]
pub fn summary(report: &Report) -> usize {
    let machine = &report.machine;
    println!(
        "\n{}, {} processors, Linux {}, load {:.1} before and {:.1} after{}.",
        machine.processor,
        machine.processors,
        machine.kernel,
        machine.load[0],
        machine.load[1],
        if report.quick { "; a quick run, not to be quoted" } else { "" },
    );
    let (mut kept, mut missed) = (0, 0);
    for table in &report.tables {
        for line in &table.lines {
            match table.distance(line) {
                None => {}
                Some(..=0.0) => kept += 1,
                Some(distance) => {
                    missed += 1;
                    println!("{} {}, {}: {}", table.row, table.title, name(line), verdict(distance));
                }
            }
        }
    }
    println!("{kept} promises are kept, {missed} are missed.");
    missed
}

/// A figure with its unit.
#[must_use]
pub fn figure(unit: Unit, figure: f64) -> String {
    match unit {
        Unit::Nanoseconds | Unit::AddedNanoseconds => duration(figure),
        Unit::AddedAllocations | Unit::Count => decimals(figure),
        Unit::AddedBytes | Unit::Bytes => format!("{} B", thousands(figure)),
        Unit::AddedInstructions => format!("{} instr.", thousands(figure)),
        Unit::PerSecond => format!("{}/s", thousands(figure)),
        Unit::Times => format!("{figure:.2} x"),
    }
}

/// What a line is called, with the number of sessions.
#[must_use]
pub fn name(line: &Line) -> String {
    match line.sessions {
        Some(sessions) => format!("{}, {} sessions", line.name, thousands(sessions as f64)),
        None => line.name.clone(),
    }
}

fn cell(table: &Table, line: &Line, column: usize) -> String {
    let Some(shown) = table.shown(line, column) else { return "-".to_owned() };
    let sign = if table.unit.is_added() && column > 0 && shown >= 0.0 { "+" } else { "" };
    format!("{sign}{}", figure(table.unit, shown))
}

fn promise(table: &Table, line: &Line) -> String {
    let Some(target) = &line.target else { return String::new() };
    let sense = if target.sense == Sense::AtMost { "<=" } else { ">=" };
    let limit = format!("{sense} {}", figure(table.unit, target.limit));
    match &target.words {
        Some(words) => format!("{limit}\n({words})"),
        None => limit,
    }
}

fn verdict(distance: f64) -> String {
    if distance <= 0.0 { "PASS".to_owned() } else { format!("{distance:.0} % off") }
}

fn duration(nanoseconds: f64) -> String {
    match nanoseconds.abs() {
        below if below < 1e4 => format!("{} ns", thousands(nanoseconds)),
        below if below < 1e6 => format!("{:.1} µs", nanoseconds / 1e3),
        below if below < 1e10 => format!("{:.1} ms", nanoseconds / 1e6),
        _ => format!("{:.1} s", nanoseconds / 1e9),
    }
}

fn decimals(figure: f64) -> String {
    if figure.fract().abs() < 0.005 { format!("{figure:.0}") } else { format!("{figure:.2}") }
}

/// Rounded, with commas.
fn thousands(figure: f64) -> String {
    let digits = format!("{:.0}", figure.abs());
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    if figure <= -0.5 { format!("-{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_short() {
        assert_eq!(figure(Unit::Nanoseconds, 1_234.4), "1,234 ns");
        assert_eq!(figure(Unit::Nanoseconds, 12_340.0), "12.3 µs");
        assert_eq!(figure(Unit::Nanoseconds, 1_234_000.0), "1.2 ms");
        assert_eq!(figure(Unit::Nanoseconds, 61e9), "61.0 s");
        assert_eq!(figure(Unit::AddedAllocations, 4.0), "4");
        assert_eq!(figure(Unit::PerSecond, 123_456.7), "123,457/s");
        assert_eq!(thousands(-0.2), "0");
    }
}

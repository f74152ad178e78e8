//! What a write to a file costs, by what of it outlives a power cut.

use anyhow::Result;

use super::{
    bars::{self, Group, Panel},
    find,
    style::Theme,
};
use crate::{
    print,
    report::{Report, Unit},
};

pub(super) fn draw(report: &Report, theme: &Theme) -> Result<Option<String>> {
    let Some(table) = find(report, "P4", "a write to a file") else { return Ok(None) };
    let panels = [
        ("Process", "Process: outlives the end of the process"),
        ("Data", "Data: the content outlives a power cut"),
        ("Full", "Full: content and name outlive a power cut"),
    ];
    let panels = panels.map(|(level, title)| {
        let lines: Vec<_> = table.lines.iter().filter(|line| line.name.starts_with(level)).collect();
        // Not every level has a peer.
        let measured =
            |column: usize| lines.iter().any(|line| line.figures.get(column).copied().flatten().is_some());
        let columns: Vec<usize> = (0..table.columns.len()).filter(|column| measured(*column)).collect();
        Panel {
            title: format!("Time of a write. {title}"),
            series: columns
                .iter()
                .map(|&at| (table.columns[at].clone(), theme.colour(&table.columns[at], 0)))
                .collect(),
            groups: lines
                .into_iter()
                .map(|line| Group {
                    name: line
                        .name
                        .split_once(", ")
                        .map_or(line.name.as_str(), |(_, callers)| callers)
                        .to_owned(),
                    bars: columns.iter().map(|&column| table.shown(line, column)).collect(),
                    promised: line.target.as_ref().map(|target| target.limit),
                })
                .collect(),
        }
    });
    bars::draw(theme, &panels, |figure| print::figure(Unit::Nanoseconds, figure)).map(Some)
}

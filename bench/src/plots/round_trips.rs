//! How often a call goes to the server and back.

use anyhow::Result;

use super::{
    bars::{self, Group, Panel},
    find,
    style::Theme,
};
use crate::report::Report;

pub(super) fn draw(report: &Report, theme: &Theme) -> Result<Option<String>> {
    let Some(table) = find(report, "P5", "round trips") else { return Ok(None) };
    let series = table.columns.iter().map(|name| (name.clone(), theme.colour(name, 0)));
    let groups = table.lines.iter().map(|line| Group {
        name: line.name.clone(),
        bars: (0..table.columns.len()).map(|column| table.shown(line, column)).collect(),
        promised: None,
    });
    let panel = Panel {
        title: "Round trips of a call, counted at the wire".to_owned(),
        series: series.collect(),
        groups: groups.collect(),
    };
    bars::draw(theme, &[panel], |figure| {
        if figure.fract().abs() < 0.005 { format!("{figure:.0}") } else { format!("{figure:.2}") }
    })
    .map(Some)
}

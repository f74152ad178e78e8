//! What each library adds to a request, on each framework.

use anyhow::Result;

use super::{
    bars::{self, Group, Panel},
    find,
    style::Theme,
};
use crate::{
    print,
    report::{Report, Table, Unit},
    requests::Framework,
};

pub(super) fn draw(report: &Report, theme: &Theme) -> Result<Option<String>> {
    let panels: Vec<_> = Framework::ALL
        .into_iter()
        .filter_map(|framework| {
            let table = find(report, "P1", &format!("a request on {}: time", framework.name()))?;
            Some(panel(table, framework, theme))
        })
        .collect();
    if panels.is_empty() {
        return Ok(None);
    }
    bars::draw(theme, &panels, |figure| format!("+{}", print::figure(Unit::Nanoseconds, figure))).map(Some)
}

fn panel(table: &Table, framework: Framework, theme: &Theme) -> Panel {
    let columns = table.columns.iter().enumerate().skip(1);
    let series = columns.map(|(at, name)| (name.clone(), theme.colour(name, at - 2 + usize::from(at < 2))));
    let groups = table.lines.iter().map(|line| Group {
        name: line.name.clone(),
        bars: (1..table.columns.len()).map(|column| table.shown(line, column)).collect(),
        promised: line.target.as_ref().map(|target| target.limit),
    });
    Panel {
        title: format!("Time that a session adds to a request on {}", framework.name()),
        series: series.collect(),
        groups: groups.collect(),
    }
}

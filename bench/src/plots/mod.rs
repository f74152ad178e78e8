//! Draws the figures of a run as SVG, once for light and once for dark pages.

mod bars;
mod durability;
mod growth;
mod requests;
mod round_trips;
mod style;

use std::{fs, path::Path};

use anyhow::{Context, Result, bail};

use self::style::Theme;
use crate::report::{Report, Table};

/// Draws every plot for which the report has figures into `folder`.
///
/// # Errors
/// If a file cannot be written, or the report has no figures at all.
pub fn draw(report: &Report, folder: &Path) -> Result<()> {
    type Plot = fn(&Report, &Theme) -> Result<Option<String>>;
    let plots: [(&str, Plot); 4] = [
        ("requests", requests::draw),
        ("growth", growth::draw),
        ("durability", durability::draw),
        ("round-trips", round_trips::draw),
    ];
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let mut drawn = 0;
    for (name, plot) in plots {
        for theme in [Theme::LIGHT, Theme::DARK] {
            let Some(svg) = plot(report, &theme)? else {
                println!("{name}: no figures");
                continue;
            };
            let file = folder.join(format!("{name}-{}.svg", theme.name));
            fs::write(&file, svg).with_context(|| format!("cannot write {}", file.display()))?;
            println!("{}", file.display());
            drawn += 1;
        }
    }
    if drawn == 0 {
        bail!("there is nothing to draw");
    }
    Ok(())
}

/// The table of a row whose title begins like this.
fn find<'a>(report: &'a Report, row: &str, title: &str) -> Option<&'a Table> {
    report.tables.iter().find(|table| table.row == row && table.title.starts_with(title))
}

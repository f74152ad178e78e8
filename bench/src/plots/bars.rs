//! Horizontal bars in groups, several panels below each other, each panel with a scale of its own.

use anyhow::Result;
use plotters::{
    prelude::{PathElement, RGBColor, Rectangle},
    style::Color as _,
};

use super::style::{Align, Area, LARGE, NORMAL, SMALL, Theme, broken, legend, svg, write};

/// Groups of bars with one scale.
pub(super) struct Panel {
    pub(super) title: String,
    pub(super) series: Vec<(String, RGBColor)>,
    pub(super) groups: Vec<Group>,
}

/// The bars of one thing, in the order of the series.
pub(super) struct Group {
    pub(super) name: String,
    pub(super) bars: Vec<Option<f64>>,
    /// Where a mark stands: what is promised.
    pub(super) promised: Option<f64>,
}

/// An SVG of the panels. `label` says what a bar is long.
pub(super) fn draw(theme: &Theme, panels: &[Panel], label: impl Fn(f64) -> String) -> Result<String> {
    let height: i32 = panels.iter().map(Panel::height).sum();
    svg((WIDTH as u32, height.unsigned_abs()), |area| {
        let mut y = 0;
        for panel in panels {
            panel.draw(area, theme, y, &label)?;
            y += panel.height();
        }
        Ok(())
    })
}

impl Panel {
    fn height(&self) -> i32 {
        HEAD + self.groups.iter().map(Group::height).sum::<i32>() + FOOT
    }

    fn draw(&self, area: &Area<'_>, theme: &Theme, top: i32, label: &impl Fn(f64) -> String) -> Result<()> {
        write(area, &self.title, (MARGIN, top + 20), Align::Left, LARGE, theme.text)?;
        legend(area, theme, &self.series, (LEFT, top + 48))?;
        if self.groups.iter().any(|group| group.promised.is_some()) {
            mark(area, theme, (WIDTH - 90, top + 48 - 7), 14)?;
            write(area, "promised", (WIDTH - 82, top + 48), Align::Left, SMALL, theme.text)?;
        }
        let figures = self.groups.iter().flat_map(|group| group.bars.iter().flatten().chain(&group.promised));
        let longest = figures.fold(f64::MIN_POSITIVE, |longest, figure| longest.max(*figure));
        let scale = f64::from(WIDTH - LEFT - RIGHT) / longest;
        let length = |figure: f64| (figure.max(0.0) * scale).round() as i32;
        let mut y = top + HEAD;
        area.draw(&PathElement::new(vec![(LEFT, y - 4), (LEFT, top + self.height() - FOOT)], theme.lines))
            .map_err(broken)?;
        for group in &self.groups {
            let middle = y + (group.height() - GAP) / 2;
            write(area, &group.name, (LEFT - 12, middle), Align::Right, NORMAL, theme.text)?;
            let begin = y;
            for (figure, (_, colour)) in group.bars.iter().zip(&self.series) {
                let Some(figure) = figure else { continue };
                let end = LEFT + length(*figure).max(1);
                area.draw(&Rectangle::new([(LEFT, y), (end, y + BAR - 3)], colour.filled()))
                    .map_err(broken)?;
                // The mark must not cross the figure.
                let mark = group.promised.map(length).map(|promised| LEFT + promised);
                let after = mark.filter(|mark| (end - 6..end + LABEL).contains(mark)).unwrap_or(end);
                let place = (after.max(end) + 6, y + BAR / 2 - 1);
                write(area, &label(*figure), place, Align::Left, SMALL, theme.text)?;
                y += BAR;
            }
            if let Some(promised) = group.promised {
                mark(area, theme, (LEFT + length(promised), begin - 2), y - begin + 1)?;
            }
            y += GAP;
        }
        Ok(())
    }
}

impl Group {
    fn height(&self) -> i32 {
        i32::try_from(self.bars.iter().flatten().count()).unwrap_or(0) * BAR + GAP
    }
}

fn mark(area: &Area<'_>, theme: &Theme, (x, y): (i32, i32), height: i32) -> Result<()> {
    area.draw(&PathElement::new(vec![(x, y), (x, y + height)], theme.text.stroke_width(2))).map_err(broken)
}

const WIDTH: i32 = 860;
const MARGIN: i32 = 12;
/// Room for the names of groups.
const LEFT: i32 = 230;
/// Room for the figure beside the longest bar.
const RIGHT: i32 = 110;
/// How wide a figure is.
const LABEL: i32 = 80;
const HEAD: i32 = 74;
const FOOT: i32 = 14;
const BAR: i32 = 17;
const GAP: i32 = 14;

//! What a load and a request cost with few and with many sessions in the store.

use anyhow::Result;
use plotters::{
    chart::ChartBuilder,
    prelude::{Circle, IntoFont as _, IntoLogRange as _, LineSeries},
    style::{Color as _, IntoTextStyle as _},
};

use super::{
    find,
    style::{Align, Area, FONT, LARGE, SMALL, Theme, broken, legend, svg, write},
};
use crate::{
    print,
    report::{Report, Table, Unit},
};

pub(super) fn draw(report: &Report, theme: &Theme) -> Result<Option<String>> {
    let panels = [
        (find(report, "P2", "a load from memory"), "load", "A load from memory, of any session"),
        (
            find(report, "P3", "a load from a file"),
            "load",
            "A load from a file in the page cache, of any session",
        ),
        (find(report, "P8", "a request on axum"), "cookie, one value read", "A request on axum that reads"),
        (
            find(report, "P8", "a request on axum"),
            "cookie, one value written",
            "A request on axum that writes",
        ),
    ];
    let panels: Vec<_> = panels
        .into_iter()
        .filter_map(|(table, line, title)| Some(Panel::of(table?, line, title, theme)))
        .filter(|panel| panel.sizes.len() > 1)
        .collect();
    if panels.is_empty() {
        return Ok(None);
    }
    let height = u32::try_from(panels.len())? * HEIGHT;
    svg((WIDTH, height), |area| {
        for (area, panel) in area.split_evenly((panels.len(), 1)).iter().zip(&panels) {
            panel.draw(area, theme)?;
        }
        Ok(())
    })
    .map(Some)
}

struct Panel<'a> {
    title: &'a str,
    sizes: Vec<f64>,
    series: Vec<Series>,
}

struct Series {
    name: String,
    colour: plotters::style::RGBColor,
    points: Vec<(f64, f64)>,
}

impl<'a> Panel<'a> {
    fn of(table: &Table, line: &str, title: &'a str, theme: &Theme) -> Self {
        let lines: Vec<_> = table.lines.iter().filter(|known| known.name == line).collect();
        let sizes = lines.iter().filter_map(|line| line.sessions).map(|size| size as f64).collect();
        let mut others = 0;
        let series = table.columns.iter().enumerate().map(|(column, name)| {
            let colour = theme.colour(name, others);
            others += usize::from(colour == theme.colour("another", others));
            // Here everybody is shown whole, the plain application too.
            let points =
                lines.iter().filter_map(|line| Some((line.sessions? as f64, (*line.figures.get(column)?)?)));
            Series { name: name.clone(), colour, points: points.collect() }
        });
        Self { title, sizes, series: series.filter(|series| !series.points.is_empty()).collect() }
    }

    fn draw(&self, area: &Area<'_>, theme: &Theme) -> Result<()> {
        write(area, self.title, (12, 20), Align::Left, LARGE, theme.text)?;
        let names: Vec<_> = self.series.iter().map(|series| (series.name.clone(), series.colour)).collect();
        legend(area, theme, &names, (80, 48))?;
        let points = || self.series.iter().flat_map(|series| &series.points);
        let highest = points().fold(0.0_f64, |highest, point| highest.max(point.1));
        let ends = (self.sizes.first().copied().unwrap_or(1.0), self.sizes.last().copied().unwrap_or(10.0));
        let labels = (FONT, SMALL).into_font().color(&theme.faint).into_text_style(area);
        let mut chart = ChartBuilder::on(area)
            .margin_top(66)
            .margin_right(90)
            .margin_bottom(10)
            .x_label_area_size(44)
            .y_label_area_size(80)
            .build_cartesian_2d((ends.0..ends.1).log_scale(), 0.0..highest * 1.1)
            .map_err(broken)?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .bold_line_style(theme.lines)
            .light_line_style(theme.lines.mix(0.0))
            .axis_style(theme.lines)
            .x_labels(4)
            .y_labels(5)
            .x_label_formatter(&|sessions| print::figure(Unit::Bytes, *sessions).replace(" B", ""))
            .y_label_formatter(&|figure| print::figure(Unit::Nanoseconds, *figure))
            .x_desc("sessions in the store")
            .axis_desc_style(labels.clone())
            .label_style(labels)
            .draw()
            .map_err(broken)?;
        for series in &self.series {
            let line = LineSeries::new(series.points.iter().copied(), series.colour.stroke_width(2));
            chart.draw_series(line).map_err(broken)?;
            let dots = series.points.iter().map(|&point| Circle::new(point, 4, series.colour.filled()));
            chart.draw_series(dots).map_err(broken)?;
        }
        Ok(())
    }
}

const WIDTH: u32 = 860;
const HEIGHT: u32 = 280;

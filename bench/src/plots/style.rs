//! Colours and letters that can be read on light and dark pages.

use plotters::{
    coord::Shift,
    prelude::{DrawingArea, DrawingBackend, IntoFont as _, RGBColor, SVGBackend, Text, TextStyle},
    style::{
        Color as _, IntoTextStyle as _,
        text_anchor::{HPos, Pos, VPos},
    },
};

use anyhow::{Result, anyhow};

use crate::report::OURS;

/// The background is the page's.
pub(super) struct Theme {
    pub(super) name: &'static str,
    pub(super) text: RGBColor,
    pub(super) faint: RGBColor,
    pub(super) lines: RGBColor,
    ours: RGBColor,
    others: [RGBColor; 3],
    bare: RGBColor,
}

impl Theme {
    pub(super) const LIGHT: Self = Self {
        name: "light",
        text: RGBColor(31, 35, 40),
        faint: RGBColor(89, 99, 110),
        lines: RGBColor(209, 217, 224),
        ours: RGBColor(9, 105, 218),
        others: [RGBColor(225, 111, 36), RGBColor(130, 80, 223), RGBColor(26, 127, 55)],
        bare: RGBColor(129, 139, 152),
    };

    pub(super) const DARK: Self = Self {
        name: "dark",
        text: RGBColor(240, 246, 252),
        faint: RGBColor(145, 152, 161),
        lines: RGBColor(61, 68, 77),
        ours: RGBColor(68, 147, 248),
        others: [RGBColor(240, 136, 62), RGBColor(171, 125, 248), RGBColor(63, 185, 80)],
        bare: RGBColor(110, 118, 129),
    };

    /// The library has its colour in all plots; what nobody can do without is grey.
    pub(super) fn colour(&self, column: &str, at: usize) -> RGBColor {
        match column {
            OURS => self.ours,
            "plain" | "bare calls" | "HashMap" => self.bare,
            _ => self.others[at % self.others.len()],
        }
    }
}

pub(super) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// An SVG of this size, drawn by `draw`.
pub(super) fn svg(size: (u32, u32), draw: impl FnOnce(&Area<'_>) -> Result<()>) -> Result<String> {
    use plotters::prelude::IntoDrawingArea as _;

    let mut text = String::new();
    let area = SVGBackend::with_string(&mut text, size).into_drawing_area();
    draw(&area)?;
    area.present().map_err(broken)?;
    drop(area);
    Ok(text)
}

/// Where a text stands.
#[derive(Clone, Copy)]
pub(super) enum Align {
    Left,
    Right,
}

/// Writes one line, vertically centred.
pub(super) fn write<D: DrawingBackend>(
    area: &DrawingArea<D, Shift>,
    text: &str,
    place: (i32, i32),
    align: Align,
    size: u32,
    colour: RGBColor,
) -> Result<()> {
    let horizontal = match align {
        Align::Left => HPos::Left,
        Align::Right => HPos::Right,
    };
    let style: TextStyle<'_> = (FONT, size).into_font().color(&colour).into_text_style(area);
    let style = style.pos(Pos::new(horizontal, VPos::Center));
    area.draw(&Text::new(text.to_owned(), place, style)).map_err(|error| anyhow!("cannot draw: {error}"))
}

pub(super) fn broken(error: impl std::fmt::Display) -> anyhow::Error {
    anyhow!("cannot draw: {error}")
}

/// Names and their colours, in one row. Widths are guessed from the letters, with some room.
pub(super) fn legend(
    area: &Area<'_>,
    theme: &Theme,
    names: &[(String, RGBColor)],
    at: (i32, i32),
) -> Result<()> {
    use plotters::prelude::Rectangle;

    let (mut x, y) = at;
    for (name, colour) in names {
        area.draw(&Rectangle::new([(x, y - 6), (x + 12, y + 6)], colour.filled())).map_err(broken)?;
        write(area, name, (x + 18, y), Align::Left, SMALL, theme.text)?;
        x += 18 + i32::try_from(name.chars().count()).unwrap_or(0) * 7 + 24;
    }
    Ok(())
}

pub(super) const FONT: &str = "-apple-system, 'Segoe UI', 'Noto Sans', Helvetica, Arial, sans-serif";
pub(super) const SMALL: u32 = 13;
pub(super) const NORMAL: u32 = 14;
pub(super) const LARGE: u32 = 17;

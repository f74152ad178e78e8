//! How far it is, on a terminal; nothing where stderr is something else.

use std::time::Duration;

use anyhow::Result;
use indicatif::{ProgressBar, ProgressStyle};

/// Work whose end is known.
pub(crate) fn bar(length: usize, message: &'static str) -> Result<ProgressBar> {
    let style = ProgressStyle::with_template("{msg} {bar:30} {human_pos}/{human_len} {eta} left")?;
    Ok(ProgressBar::new(length as u64).with_style(style).with_message(message))
}

/// Work whose end is not known: a store does not say how many records it has.
pub(crate) fn spinner(message: &'static str) -> Result<ProgressBar> {
    let style = ProgressStyle::with_template("{spinner} {msg} {human_pos}, {elapsed}")?;
    let spinner = ProgressBar::new_spinner().with_style(style).with_message(message);
    spinner.enable_steady_tick(Duration::from_millis(100));
    Ok(spinner)
}

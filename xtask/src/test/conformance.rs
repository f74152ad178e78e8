//! The matrix of adapters, stores and strategies.

use anyhow::Result;

use super::Context;
use crate::{conformance, outcome::Outcome};

/// Runs every combination in this process, in the short form.
pub(super) fn run(context: &Context<'_>) -> Result<Outcome> {
    let report = conformance::everything()?;
    eprint!("{report}");
    context.matrix.replace(Some(report.for_readme()));
    Ok(report.outcome())
}

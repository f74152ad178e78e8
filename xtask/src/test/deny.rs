//! `deny.toml`, where cargo-deny is installed.

use anyhow::Result;

use super::Context;
use crate::{cargo, outcome::Outcome};

/// Runs cargo-deny. Where it is missing that is a note and no skip, `--require all` or not: its list of advisories comes
/// from the internet, and a build without it must be able to pass.
pub(super) fn run(context: &Context<'_>) -> Result<Outcome> {
    if !cargo::has(context.workspace, "deny") {
        eprintln!(
            "note: not run, because cargo-deny is not installed (cargo install cargo-deny --locked); \
             not needed by --require all"
        );
        return Ok(Outcome::default());
    }
    context.cargo("deny --all-features check").checks()
}

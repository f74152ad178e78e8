//! `deny.toml`, by cargo-deny.

use anyhow::Result;
use console::style;

use super::Context;
use crate::{cargo, outcome::Outcome};

/// Checks licences, bans and sources, and advisories where the list of them can be had: it is in the internet, and a
/// build without one must be able to pass. That it was not looked at is said so loudly that nobody takes it for looked at.
pub(super) fn run(context: &Context<'_>) -> Result<Outcome> {
    let mut outcome = Outcome::default();
    if !cargo::has(context.workspace, "deny") {
        outcome.skip("cargo-deny is not installed: cargo install cargo-deny --locked");
        return Ok(outcome);
    }
    outcome.add(
        context.cargo("deny --all-features check --hide-inclusion-graph licenses bans sources").checks()?,
    );
    if context.cargo("deny --all-features fetch db").succeeds()? {
        outcome.add(context.cargo("deny --all-features --offline check advisories").checks()?);
    } else {
        let words =
            "NOT CHECKED: known vulnerabilities of dependencies, because their list could not be fetched.";
        eprintln!("{}", style(words).red().bold().for_stderr());
        eprintln!("Before a release run, with a network: cargo deny --all-features check advisories");
    }
    Ok(outcome)
}

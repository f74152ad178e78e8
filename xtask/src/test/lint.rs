//! What the compiler and its companions can tell without running anything.

use anyhow::Result;

use super::Context;
use crate::{outcome::Outcome, workspace::Package};

/// `cargo fmt --check`.
pub(super) fn format(context: &Context<'_>) -> Result<Outcome> {
    context.cargo("fmt --all --check").checks()
}

/// Clippy over everything at once.
pub(super) fn clippy(context: &Context<'_>) -> Result<Outcome> {
    context.cargo("clippy --quiet --workspace --all-targets --all-features -- -D warnings").checks()
}

/// In a workspace one member's features are everyone's: what is missing in a manifest shows only when the crate is built
/// by itself, as its users do, with and without its features.
pub(super) fn alone(context: &Context<'_>) -> Result<Outcome> {
    let mut outcome = Outcome::default();
    for package in context.workspace.published() {
        let target = if package.is_library() { "--lib" } else { "--bins" };
        for features in selections(package) {
            let clippy =
                format!("clippy --quiet --package {} {target}{features} -- -D warnings", package.name);
            outcome.add(context.cargo(&clippy).checks()?);
        }
    }
    Ok(outcome)
}

/// As is, without the default features if there are any, with each feature, and with all of them.
fn selections(package: &Package) -> Vec<String> {
    let mut selections = vec![String::new()];
    if package.features.contains_key("default") {
        selections.push(" --no-default-features".to_owned());
    }
    let named: Vec<&String> = package.features.keys().filter(|name| *name != "default").collect();
    selections.extend(named.iter().map(|name| format!(" --features {name}")));
    if named.len() > 1 {
        selections.push(" --all-features".to_owned());
    }
    selections
}

/// rustdoc, with every broken link an error.
pub(super) fn docs(context: &Context<'_>) -> Result<Outcome> {
    context
        .cargo("doc --quiet --workspace --no-deps --all-features --lib")
        .environment("RUSTDOCFLAGS", "-D warnings")
        .checks()
}

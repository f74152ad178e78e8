//! What the compiler and its companions can tell without running anything.

use anyhow::Result;

use super::Context;
use crate::{bench, outcome::Outcome, workspace::Package};

/// `cargo fmt --check`, also of the benchmarks, which are a workspace of their own.
pub(super) fn format(context: &Context<'_>) -> Result<Outcome> {
    let mut outcome = context.cargo("fmt --all --check").checks()?;
    outcome.add(context.cargo(&format!("fmt --manifest-path {} --check", bench::MANIFEST)).checks()?);
    Ok(outcome)
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

/// As is, without the default features if there are any, with each other feature and nothing else, and with all of them.
fn selections(package: &Package) -> Vec<String> {
    let mut selections = vec![String::new()];
    let by_default: Vec<&str> = package
        .features
        .get("default")
        .and_then(serde_json::Value::as_array)
        .map_or_else(Vec::new, |features| features.iter().filter_map(serde_json::Value::as_str).collect());
    let without = if by_default.is_empty() { "" } else { " --no-default-features" };
    if !without.is_empty() {
        selections.push(without.to_owned());
    }
    let named: Vec<&str> =
        package.features.keys().map(String::as_str).filter(|name| *name != "default").collect();
    // What is on by default was there alone if nothing else is.
    let others = named.iter().filter(|name| by_default != [**name]);
    selections.extend(others.map(|name| format!("{without} --features {name}")));
    if named.len() > 1 {
        selections.push(" --all-features".to_owned());
    }
    selections
}

/// rustdoc, with every broken link an error.
pub(super) fn docs(context: &Context<'_>) -> Result<Outcome> {
    context
        .cargo(&format!("doc --quiet --workspace{} --no-deps --all-features --lib", context.without_copies()))
        .environment("RUSTDOCFLAGS", "-D warnings")
        .checks()
}

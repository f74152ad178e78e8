//! Who may depend on whom. The names of the packages say what they are.

use anyhow::Result;

use crate::{
    cargo::Cargo,
    workspace::{Package, Workspace},
};

const FRAMEWORKS: [&str; 8] =
    ["actix-web", "axum", "axum-core", "hyper", "rocket", "tower-http", "tower-service", "warp"];

pub(super) fn broken_by(workspace: &Workspace) -> Result<Vec<String>> {
    let mut breaches = Vec::new();
    for package in workspace.published() {
        let name = package.name.as_str();
        for dependency in brought_along(workspace, package)? {
            let forbidden = match () {
                () if is_store(name) => {
                    is_store(&dependency)
                        || is_adapter(&dependency)
                        || FRAMEWORKS.contains(&dependency.as_str())
                }
                () if is_adapter(name) => is_store(&dependency) || is_adapter(&dependency),
                // A program for operators, which knows every store.
                () if name == "sessionctl" => is_adapter(&dependency) || dependency == "session-conformance",
                () if name == "session-conformance" => is_store(&dependency) || is_adapter(&dependency),
                () => is_store(&dependency) || is_adapter(&dependency) || dependency == "session-conformance",
            };
            if forbidden {
                breaches.push(format!("{name} depends on {dependency}, directly or not"));
            }
        }
        if is_store(name) && package.normal_dependencies().any(|dependency| dependency == "http") {
            breaches.push(format!("{name} depends on http: stores know no HTTP"));
        }
    }
    Ok(breaches)
}

fn is_store(name: &str) -> bool {
    name.starts_with("session-store-")
}

fn is_adapter(name: &str) -> bool {
    name.starts_with("session-adapter-")
}

/// The names of everything a package depends on, itself left out.
fn brought_along(workspace: &Workspace, package: &Package) -> Result<Vec<String>> {
    let tree = format!(
        "tree --quiet --package {} --all-features --edges normal --prefix none --no-dedupe --format {{p}}",
        package.name
    );
    let names = Cargo::new(workspace, &tree).answers()?;
    let mut names: Vec<String> = names
        .lines()
        .filter_map(|line| line.split(' ').next())
        .filter(|name| *name != package.name)
        .map(str::to_owned)
        .collect();
    names.sort_unstable();
    names.dedup();
    Ok(names)
}

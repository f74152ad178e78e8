//! What every manifest says.

use anyhow::{Context, Result};
use toml::{Table, Value};

use super::read;
use crate::workspace::{Package, Workspace};

pub(super) fn broken_by(workspace: &Workspace) -> Result<Vec<String>> {
    let mut breaches = Vec::new();
    let root = manifest(&read(&workspace.root.join("Cargo.toml"))?).context("Cargo.toml")?;
    let unsafe_code = at(&root, &["workspace", "lints", "rust", "unsafe_code"]).and_then(Value::as_str);
    if unsafe_code != Some("forbid") {
        breaches.push("Cargo.toml does not forbid unsafe_code".to_owned());
    }
    let version = at(&root, &["workspace", "package", "version"]).and_then(Value::as_str).unwrap_or_default();

    for package in &workspace.packages {
        let own = manifest(&read(&package.manifest_path)?).with_context(|| package.name.clone())?;
        let inherited = |keys: &[&str]| at(&own, keys).and_then(Value::as_bool) == Some(true);
        for key in ["version", "edition", "license", "repository"] {
            if !inherited(&["package", key, "workspace"]) {
                breaches.push(format!("{} does not say `{key}.workspace = true`", package.name));
            }
        }
        if !inherited(&["lints", "workspace"]) {
            breaches.push(format!("{} does not say `workspace = true` under [lints]", package.name));
        }
        if package.is_published() {
            breaches.extend(unfit_for_others(package, &own, &root, version));
        }
    }
    for licence in ["LICENSE-APACHE", "LICENSE-MIT"] {
        if !workspace.root.join(licence).is_file() {
            breaches.push(format!("there is no {licence}"));
        }
    }
    Ok(breaches)
}

/// What a published package lacks.
fn unfit_for_others(package: &Package, own: &Table, root: &Table, version: &str) -> Vec<String> {
    let name = &package.name;
    let mut breaches = Vec::new();
    for key in ["description", "readme", "keywords", "categories"] {
        if at(own, &["package", key]).is_none() {
            breaches.push(format!("{name} has no {key}"));
        }
    }
    if package.license.as_deref() != Some("MIT OR Apache-2.0") {
        breaches.push(format!("{name} is not licensed MIT OR Apache-2.0"));
    }
    if package.version != version {
        breaches.push(format!("{name} is {} while the workspace is {version}", package.version));
    }
    let required = at(root, &["workspace", "dependencies", name, "version"]).and_then(Value::as_str);
    if package.is_library() && required != Some(version) {
        breaches.push(format!("[workspace.dependencies] does not name {name} {version}"));
    }
    breaches
}

fn manifest(text: &str) -> Result<Table> {
    Ok(text.parse::<Table>()?)
}

fn at<'a>(table: &'a Table, keys: &[&str]) -> Option<&'a Value> {
    let (last, path) = keys.split_last()?;
    path.iter().try_fold(table, |table, key| table.get(*key)?.as_table())?.get(*last)
}

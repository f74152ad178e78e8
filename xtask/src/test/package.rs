//! What would be published.

use anyhow::Result;

use super::Context;
use crate::{cargo::Cargo, outcome::Outcome};

/// What every published package has to contain, beside its first file.
const NEEDED: [&str; 4] = ["Cargo.toml", "README.md", "LICENSE-APACHE", "LICENSE-MIT"];

/// Packs every published crate, without the registry, and looks at what is inside.
pub(super) fn run(context: &Context<'_>) -> Result<Outcome> {
    let workspace = context.workspace;
    let private: String = workspace
        .packages
        .iter()
        .filter(|package| !package.is_published())
        .map(|package| format!(" --exclude {}", package.name))
        .collect();
    let package = format!("package --quiet --workspace{private} --no-verify --allow-dirty --offline");
    let mut outcome = context.cargo(&package).checks()?;

    for package in workspace.published() {
        let list = Cargo::new(workspace, &format!("package --package {} --list --allow-dirty", package.name));
        let files = list.answers()?;
        let needed = NEEDED.into_iter().chain([package.first_file()]);
        let missing: Vec<&str> = needed.filter(|needed| files.lines().all(|file| file != *needed)).collect();
        if missing.is_empty() {
            eprintln!("{}: {} files", package.name, files.lines().count());
            outcome.passed += 1;
        } else {
            let folder = workspace.relative(package.folder()).display();
            outcome.fail(format!("{folder}: would be published without {}", missing.join(", ")));
        }
    }
    Ok(outcome)
}

//! The list of session-core's dependencies: a new one is a decision, seen in review.

use std::{collections::BTreeSet, fs};

use anyhow::{Context, Result};

use super::read;
use crate::{cargo::Cargo, workspace::Workspace};

const LIST: &str = "xtask/core-deps.txt";

const PREFACE: &str = "\
# What session-core brings into an application, direct or not; names marked (optional) only with all features.
# `cargo xtask tidy` compares it, `cargo xtask tidy --bless` writes it.
";

pub(super) fn broken_by(workspace: &Workspace) -> Result<Vec<String>> {
    let text = read(&workspace.root.join(LIST))?;
    let listed: BTreeSet<String> =
        text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned).collect();
    let present = present(workspace)?;
    let new = present
        .difference(&listed)
        .map(|name| format!("session-core depends on {name}, which {LIST} does not list"));
    let gone = listed
        .difference(&present)
        .map(|name| format!("{LIST} lists {name}, on which session-core does not depend"));
    Ok(new.chain(gone).collect())
}

/// Writes the list anew.
pub(super) fn bless(workspace: &Workspace) -> Result<()> {
    let mut text = PREFACE.to_owned();
    for name in present(workspace)? {
        text.push_str(&name);
        text.push('\n');
    }
    let path = workspace.root.join(LIST);
    fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
}

fn present(workspace: &Workspace) -> Result<BTreeSet<String>> {
    let always = tree(workspace, "")?;
    let all = tree(workspace, " --all-features")?;
    let optional = all.difference(&always).map(|name| format!("{name} (optional)")).collect();
    Ok(always.union(&optional).cloned().collect())
}

/// The names, as one platform has them wherever this runs.
fn tree(workspace: &Workspace, features: &str) -> Result<BTreeSet<String>> {
    let tree = format!(
        "tree --quiet --package session-core --edges normal --prefix none --format {{p}} \
         --target x86_64-unknown-linux-gnu{features}"
    );
    let names = Cargo::new(workspace, &tree).answers()?;
    Ok(names
        .lines()
        .filter_map(|line| line.split(' ').next())
        .filter(|name| *name != "session-core")
        .map(str::to_owned)
        .collect())
}

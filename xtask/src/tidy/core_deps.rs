//! The lists of dependencies: a new one is a decision, seen in review.

use std::{collections::BTreeSet, fs};

use anyhow::{Context, Result};

use super::read;
use crate::{cargo::Cargo, workspace::Workspace};

struct List {
    file: &'static str,
    /// What it says of itself.
    preface: &'static str,
    present: fn(&Workspace) -> Result<BTreeSet<String>>,
}

const LISTS: [List; 2] = [
    List {
        file: "xtask/core-deps.txt",
        preface: "\
# What session-core brings into an application, direct or not; names marked (optional) only with all features.
",
        present: of_the_core,
    },
    List {
        file: "xtask/runtime-deps.txt",
        preface: "\
# What runs in an application with session-core and session-store-file, as they are by default: all that they depend on,
# direct or not, apart from procedural macros, which run in the compiler.
",
        present: at_run_time,
    },
];

const HOW: &str = "# `cargo xtask tidy` compares it, `cargo xtask tidy --bless` writes it.\n";

pub(super) fn broken_by(workspace: &Workspace) -> Result<Vec<String>> {
    let mut breaches = Vec::new();
    for List { file, present, .. } in LISTS {
        let text = read(&workspace.root.join(file))?;
        let listed: BTreeSet<String> = text
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .map(str::to_owned)
            .collect();
        let present = present(workspace)?;
        let new =
            present.difference(&listed).map(|name| format!("{name} is new, and {file} does not list it"));
        let gone =
            listed.difference(&present).map(|name| format!("{file} lists {name}, which is not needed"));
        breaches.extend(new.chain(gone));
    }
    Ok(breaches)
}

/// Writes the lists anew.
pub(super) fn bless(workspace: &Workspace) -> Result<()> {
    for List { file, preface, present } in LISTS {
        let names: Vec<String> = present(workspace)?.into_iter().collect();
        let text = format!("{preface}{HOW}{}\n", names.join("\n"));
        fs::write(workspace.root.join(file), text).with_context(|| format!("cannot write {file}"))?;
    }
    Ok(())
}

fn of_the_core(workspace: &Workspace) -> Result<BTreeSet<String>> {
    let always = tree(workspace, "session-core --edges normal")?;
    let all = tree(workspace, "session-core --edges normal --all-features")?;
    let optional = all.difference(&always).map(|name| format!("{name} (optional)")).collect();
    Ok(always.union(&optional).cloned().collect())
}

fn at_run_time(workspace: &Workspace) -> Result<BTreeSet<String>> {
    tree(workspace, "session-store-file --edges normal,no-proc-macro")
}

/// The names, as one platform has them wherever this runs; those of this workspace are left out.
fn tree(workspace: &Workspace, package: &str) -> Result<BTreeSet<String>> {
    let tree = format!(
        "tree --quiet --prefix none --format {{p}} --target x86_64-unknown-linux-gnu --package {package}"
    );
    let names = Cargo::new(workspace, &tree).answers()?;
    Ok(names
        .lines()
        .filter_map(|line| line.split(' ').next())
        .filter(|name| workspace.package(name).is_none())
        .map(str::to_owned)
        .collect())
}

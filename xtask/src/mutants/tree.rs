//! A copy of the workspace to weave mutants into.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};

use crate::workspace::Workspace;

/// The copy: what git knows, in the folder for what is built.
pub(super) struct Tree {
    pub(super) root: PathBuf,
    /// The files that mutants are woven into, as they are in the workspace.
    sources: BTreeMap<String, String>,
}

impl Tree {
    /// Copies what has changed, so that cargo builds anew only what it has to.
    pub(super) fn new(workspace: &Workspace, name: &str, packages: &[String]) -> Result<Self> {
        let root = workspace.target.join("mutants").join(name);
        let mut tree = Self { root, sources: BTreeMap::new() };
        for file in known_to_git(workspace)? {
            let from = workspace.root.join(&file);
            // What is deleted and not yet committed.
            if !from.exists() {
                continue;
            }
            let bytes = fs::read(&from).with_context(|| format!("cannot read {file}"))?;
            match (file.as_str(), String::from_utf8(bytes)) {
                ("Cargo.toml", Ok(text)) => {
                    tree.write(&file, &with_version(&without_lints(&text), name))?;
                }
                (_, Ok(text)) if is_source(workspace, packages, &file) => {
                    drop(tree.sources.insert(file, text))
                }
                (_, Ok(text)) if is_manifest(workspace, packages, &file) => {
                    tree.write(&file, &text.replacen("\n[dependencies]\n", DEPENDENCIES, 1))?;
                }
                (_, Ok(text)) => tree.write(&file, &text)?,
                (_, Err(binary)) => tree.write_bytes(&file, binary.as_bytes())?,
            }
        }
        tree.write("crates/mutant-switch/Cargo.toml", SWITCH_MANIFEST)?;
        tree.write("crates/mutant-switch/src/lib.rs", include_str!("switch.rs"))?;
        Ok(tree)
    }

    /// The source of a file without mutants.
    pub(super) fn source(&self, file: &str) -> Option<&str> {
        self.sources.get(file).map(String::as_str)
    }

    pub(super) fn sources(&self) -> impl Iterator<Item = (&str, &str)> {
        self.sources.iter().map(|(file, text)| (file.as_str(), text.as_str()))
    }

    /// Writes a file unless that is what it says already.
    pub(super) fn write(&self, file: &str, text: &str) -> Result<()> {
        self.write_bytes(file, text.as_bytes())
    }

    fn write_bytes(&self, file: &str, bytes: &[u8]) -> Result<()> {
        let path = self.root.join(file);
        if fs::read(&path).is_ok_and(|there| there == bytes) {
            return Ok(());
        }
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(&path, bytes).with_context(|| format!("cannot write {}", path.display()))
    }
}

fn known_to_git(workspace: &Workspace) -> Result<Vec<String>> {
    let output = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(&workspace.root)
        .output()
        .context("cannot run git")?;
    ensure!(output.status.success(), "git ls-files: {}", String::from_utf8_lossy(&output.stderr));
    let names = String::from_utf8(output.stdout).context("a file has a name that is not UTF-8")?;
    Ok(names.split_terminator('\0').map(str::to_owned).collect())
}

fn is_source(workspace: &Workspace, packages: &[String], file: &str) -> bool {
    Path::new(file).extension().is_some_and(|end| end == "rs")
        && folders(workspace, packages).any(|folder| Path::new(file).starts_with(folder.join("src")))
}

fn is_manifest(workspace: &Workspace, packages: &[String], file: &str) -> bool {
    folders(workspace, packages).any(|folder| Path::new(file) == folder.join("Cargo.toml"))
}

fn folders(workspace: &Workspace, packages: &[String]) -> impl Iterator<Item = PathBuf> {
    packages
        .iter()
        .filter_map(|name| workspace.package(name))
        .map(|package| workspace.relative(package.folder()).to_owned())
}

/// Woven sources keep no rule of style; whether they compile is all that matters.
fn without_lints(manifest: &str) -> String {
    let mut lints = false;
    let mut kept = String::new();
    for line in manifest.lines() {
        if line.starts_with('[') {
            lints = line.starts_with("[workspace.lints");
        }
        if !lints {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept + LINTS
}

/// Versions of its own. Without them cargo takes what it built of the workspace for what it is to build of the copy: both
/// have the same names, versions and places below their roots, and share a folder for what is built.
fn with_version(manifest: &str, name: &str) -> String {
    let Some((before, rest)) = manifest.split_once("\nversion = \"") else { return manifest.to_owned() };
    let Some((version, behind)) = rest.split_once('"') else { return manifest.to_owned() };
    format!("{before}\nversion = \"{version}+{name}\"{behind}")
}

const DEPENDENCIES: &str = "\n[dependencies]\nsession-mutant-switch = { path = \"../mutant-switch\" }\n";

const LINTS: &str = "\
[workspace.lints.rust]
unsafe_code = \"forbid\"
unexpected_cfgs = \"allow\"
unused = \"allow\"
unreachable_code = \"allow\"
";

const SWITCH_MANIFEST: &str = "\
[package]
name = \"session-mutant-switch\"
version = \"0.0.0\"
edition = \"2024\"
publish = false

[lints]
workspace = true
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_has_a_version_of_its_own() {
        let manifest = "[workspace.package]\nversion = \"0.1.0\"\n[x]\na = { version = \"0.1.0\" }\n";
        let copy = "[workspace.package]\nversion = \"0.1.0+tree\"\n[x]\na = { version = \"0.1.0\" }\n";
        assert_eq!(with_version(manifest, "tree"), copy);
    }

    #[test]
    fn a_manifest_loses_its_lints_and_nothing_else() {
        let manifest = "[workspace]\nmembers = []\n[workspace.lints.rust]\na = 1\n[workspace.lints.clippy]\nb = 1\n\
                        [profile.dev]\ndebug = 1\n";
        let kept = "[workspace]\nmembers = []\n[profile.dev]\ndebug = 1\n";
        assert_eq!(without_lints(manifest), format!("{kept}{LINTS}"));
    }
}

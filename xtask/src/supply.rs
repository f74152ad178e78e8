//! `cargo xtask supply`: what others get with these crates, looked at by the tools for it.

use std::{fs, path::Path};

use anyhow::{Context, Result, ensure};
use clap::{Args, Subcommand};

use crate::{
    cargo::{self, Cargo},
    tidy::files_below,
    workspace::{Package, Workspace},
};

/// Look at what others get: features, lowest versions, changes of the interface, and a bill of materials
///
/// Licences, sources and advisories are a step of `cargo xtask test`, the lists of dependencies one of `cargo xtask tidy`.
#[derive(Args, Debug)]
pub(crate) struct Options {
    #[command(subcommand)]
    check: Check,
}

#[derive(Debug, Subcommand)]
enum Check {
    /// Every published crate builds with every combination of its features (cargo-hack)
    Features,
    /// Every published crate builds with the lowest versions that its manifest allows
    Minimal {
        /// Only see whether there are such versions, and build nothing
        #[arg(long)]
        resolve: bool,
    },
    /// Nothing that others use has changed without a new version (cargo-semver-checks)
    Semver {
        /// The commit or tag to compare with [default: the last tag; nothing to do before the first]
        baseline: Option<String>,
    },
    /// Write a bill of materials of each published crate, as CycloneDX, into target/sbom (cargo-sbom)
    Sbom,
}

/// Runs one check. Answers whether all is well.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<bool> {
    match &options.check {
        Check::Features => features(workspace),
        Check::Minimal { resolve } => minimal(workspace, *resolve),
        Check::Semver { baseline } => semver(workspace, baseline.as_deref()),
        Check::Sbom => sbom(workspace),
    }
}

fn features(workspace: &Workspace) -> Result<bool> {
    needs(workspace, "hack")?;
    let call = format!("hack check --feature-powerset --no-dev-deps{}", published(workspace));
    Cargo::new(workspace, &call).succeeds()
}

fn semver(workspace: &Workspace, baseline: Option<&str>) -> Result<bool> {
    let Some(baseline) = baseline.map(str::to_owned).or_else(|| last_tag(workspace)) else {
        println!(
            "nothing was compared: no version has been released or tagged yet. A commit to compare with can be named, as \
             in `cargo xtask supply semver HEAD~20`"
        );
        return Ok(true);
    };
    needs(workspace, "semver-checks")?;
    let libraries = |package: &&Package| package.is_library();
    let packages: String = workspace
        .published()
        .filter(libraries)
        .map(|package| format!(" --package {}", package.name))
        .collect();
    Cargo::new(workspace, &format!("semver-checks --baseline-rev {baseline}{packages}")).succeeds()
}

fn last_tag(workspace: &Workspace) -> Option<String> {
    let git = std::process::Command::new("git")
        .args(["describe", "--tags", "--abbrev=0"])
        .current_dir(&workspace.root)
        .output()
        .ok()?;
    git.status.success().then(|| String::from_utf8_lossy(&git.stdout).trim().to_owned())
}

fn sbom(workspace: &Workspace) -> Result<bool> {
    needs(workspace, "sbom")?;
    let folder = workspace.target.join("sbom");
    fs::create_dir_all(&folder).context("cannot make the folder for bills of materials")?;
    for package in workspace.published() {
        let call = format!("sbom --output-format cyclone_dx_json_1_6 --cargo-package {}", package.name);
        let bill = Cargo::new(workspace, &call).answers()?;
        let components = components(&bill).with_context(|| format!("the bill of {}", package.name))?;
        let path = folder.join(format!("{}-{}.cdx.json", package.name, package.version));
        fs::write(&path, bill).with_context(|| format!("cannot write {}", path.display()))?;
        println!("{:>4} components  {}", components, workspace.relative(&path).display());
    }
    Ok(true)
}

/// How much is listed in a bill; an empty one would be a mistake.
fn components(bill: &str) -> Result<usize> {
    let bill: serde_json::Value = serde_json::from_str(bill).context("is not JSON")?;
    let listed = bill["components"].as_array().map_or(0, Vec::len);
    ensure!(bill["bomFormat"] == "CycloneDX" && listed > 0, "lists nothing");
    Ok(listed)
}

/// In a workspace of the published crates alone, without what only tests need: that would raise the versions.
fn minimal(workspace: &Workspace, resolve: bool) -> Result<bool> {
    let folder = workspace.target.join("minimal");
    if folder.exists() {
        fs::remove_dir_all(&folder).context("cannot empty the folder for the lowest versions")?;
    }
    let mut members = Vec::new();
    for package in workspace.published() {
        let place = workspace.relative(package.folder()).to_owned();
        for file in files_below(&package.folder().join("src"), "")?
            .into_iter()
            .chain([package.folder().join("README.md")])
        {
            copy(&file, &folder.join(workspace.relative(&file)))?;
        }
        let manifest = fs::read_to_string(&package.manifest_path)?;
        fs::write(folder.join(&place).join("Cargo.toml"), without_tests(&manifest))?;
        members.push(place.display().to_string());
    }
    let root = fs::read_to_string(workspace.root.join("Cargo.toml"))?;
    let root: String = root
        .lines()
        .filter(|line| !line.starts_with("exclude = "))
        .map(|line| {
            if line.starts_with("members = ") {
                format!("members = {members:?}\n")
            } else {
                format!("{line}\n")
            }
        })
        .collect();
    fs::write(folder.join("Cargo.toml"), root)?;

    let manifest = folder.join("Cargo.toml");
    let manifest = manifest.display();
    // To choose them is not in the stable cargo yet; what they are built with is.
    let chosen = Cargo::new(
        workspace,
        &format!("-Zdirect-minimal-versions generate-lockfile --manifest-path {manifest}"),
    )
    .environment("RUSTC_BOOTSTRAP", "1")
    .succeeds()?;
    let target = folder.join("target");
    let check = format!(
        "check --locked --workspace --all-features --manifest-path {manifest} --target-dir {}",
        target.display()
    );
    Ok(chosen && (resolve || Cargo::new(workspace, &check).succeeds()?))
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::copy(from, to).with_context(|| format!("cannot copy {}", from.display()))?;
    Ok(())
}

/// The parts of a manifest that are not about tests and examples.
fn without_tests(manifest: &str) -> String {
    let mut keep = true;
    let mut kept = String::new();
    for line in manifest.lines() {
        if line.starts_with('[') {
            keep = !line.contains("dev-dependencies") && line != "[[example]]";
        }
        if keep {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

fn published(workspace: &Workspace) -> String {
    workspace.published().map(|package| format!(" --package {}", package.name)).collect()
}

/// Installs a tool that is missing. Without optimization: it runs for seconds.
fn needs(workspace: &Workspace, tool: &str) -> Result<()> {
    if !cargo::has(workspace, tool) {
        let installed =
            Cargo::new(workspace, &format!("install cargo-{tool} --locked --debug")).succeeds()?;
        ensure!(installed, "cargo-{tool} was not installed");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{components, without_tests};

    #[test]
    fn a_bill_that_lists_nothing_is_refused() {
        assert_eq!(components(r#"{"bomFormat":"CycloneDX","components":[{},{}]}"#).unwrap(), 2);
        assert!(components(r#"{"bomFormat":"CycloneDX","components":[]}"#).is_err());
        assert!(components("").is_err());
    }

    #[test]
    fn a_manifest_loses_what_tests_need_and_nothing_else() {
        let manifest = "[package]\nname = \"a\"\n[dependencies]\nb = \"1\"\n[dev-dependencies]\nc = \"1\"\n\
                        [target.'cfg(unix)'.dev-dependencies]\nd = \"1\"\n[[example]]\nname = \"e\"\n[lints]\nf = true\n";
        let kept = "[package]\nname = \"a\"\n[dependencies]\nb = \"1\"\n[lints]\nf = true\n";
        assert_eq!(without_tests(manifest), kept);
    }
}

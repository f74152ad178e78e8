//! `cargo xtask bench`: the benchmarks, in a release build.

use anyhow::{Result, ensure};
use clap::Args;

use crate::{cargo::Cargo, workspace::Workspace};

/// Measure this library beside others, in a release build
///
/// Everything that follows is handed to the program `bench`: see `cargo xtask bench --help`. It is a workspace of its
/// own, because the peers bring hundreds of crates that nothing else here needs.
#[derive(Args, Debug)]
pub(crate) struct Options {
    /// Only check that the benchmarks build, with clippy and their own tests
    #[arg(long)]
    check: bool,

    /// What the benchmarks are told
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENT")]
    arguments: Vec<String>,
}

/// Runs the benchmarks. Answers whether they ran, or with `--strict` whether every promise was kept.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<bool> {
    ensure!(workspace.root.join(MANIFEST).is_file(), "there is no {MANIFEST}");
    let cargo = |command: &str| {
        // One folder for all that is built here.
        let target = workspace.target.display().to_string();
        Cargo::new(workspace, command).argument("--target-dir").argument(&target)
    };
    if options.check {
        return Ok(cargo(&format!("clippy --quiet --manifest-path {MANIFEST} --all-targets"))
            .argument("--")
            .argument("-D")
            .argument("warnings")
            .succeeds()?
            && cargo(&format!("test --quiet --release --manifest-path {MANIFEST} --lib")).succeeds()?);
    }
    let built = cargo(&format!("build --quiet --release --manifest-path {MANIFEST} --bins")).succeeds()?;
    let bench =
        cargo(&format!("run --quiet --release --manifest-path {MANIFEST} --bin bench")).argument("--");
    Ok(built
        && options.arguments.iter().fold(bench, |bench, argument| bench.argument(argument)).succeeds()?)
}

/// Where its workspace begins.
pub(crate) const MANIFEST: &str = "bench/Cargo.toml";

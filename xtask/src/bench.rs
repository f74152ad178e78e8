//! `cargo xtask bench`: the benchmarks, in a release build.

use anyhow::{Result, ensure};
use clap::Args;

use crate::{cargo::Cargo, workspace::Workspace};

/// Measure this library beside others, in a release build
///
/// Everything that follows is handed to the member `bench`: see `cargo xtask bench -- --help`.
#[derive(Args, Debug)]
pub(crate) struct Options {
    /// What the benchmarks are told
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENT")]
    arguments: Vec<String>,
}

/// Runs the benchmarks. Answers whether they ran.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<bool> {
    ensure!(workspace.package("bench").is_some(), "this workspace has no member named `bench`");
    let bench = Cargo::new(workspace, "run --quiet --release --package bench --");
    options.arguments.iter().fold(bench, |bench, argument| bench.argument(argument)).succeeds()
}

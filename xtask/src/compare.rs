//! `cargo xtask compare`: the conformance kit against other libraries.

use anyhow::{Result, ensure};
use clap::Args;

use crate::{bench::MANIFEST, cargo::Cargo, workspace::Workspace};

/// Run the conformance kit against other session libraries, and write docs/comparison.md
///
/// Their middleware and their stores go through both suites by way of the shims in bench/src/compare. What else follows is
/// handed to that program; with anything, docs/comparison.md stays as it is.
#[derive(Args, Debug)]
pub(crate) struct Options {
    /// What the program is told: `--suite middleware`, `--only NAME`, `--cases`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENT")]
    arguments: Vec<String>,
}

/// Runs the suites. Answers whether they ran: who fails which case is no failure of the command.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<bool> {
    ensure!(workspace.root.join(MANIFEST).is_file(), "there is no {MANIFEST}");
    let target = workspace.target.display().to_string();
    let compare = Cargo::new(workspace, &format!("run --quiet --manifest-path {MANIFEST} --bin compare"))
        .argument("--target-dir")
        .argument(&target)
        .argument("--");
    if options.arguments.is_empty() {
        return compare.argument("--write").argument("docs/comparison.md").succeeds();
    }
    options.arguments.iter().fold(compare, |compare, argument| compare.argument(argument)).succeeds()
}

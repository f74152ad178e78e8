//! The commands that maintain this workspace. `cargo xtask --help` lists them; each has a file of its own here.

mod bench;
mod cargo;
mod compare;
mod conformance;
mod endurance;
mod http;
mod mutants;
mod outcome;
mod process;
mod registry;
mod serve;
mod sizing;
mod supply;
mod test;
mod tidy;
mod workspace;

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;

use crate::workspace::Workspace;

/// The commands that maintain this workspace.
#[derive(Debug, Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    disable_help_subcommand = true,
    max_term_width = 110
)]
enum Command {
    Test(test::Options),
    Conformance(conformance::Options),
    Serve(serve::Options),
    Tidy(tidy::Options),
    // Help is the benchmarks' own.
    #[command(disable_help_flag = true)]
    Bench(bench::Options),
    Compare(compare::Options),
    Endurance(endurance::Options),
    Mutants(mutants::Options),
    Sizing(sizing::Options),
    Supply(supply::Options),
}

fn main() -> ExitCode {
    match run(Command::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{} {error:#}", console::style("error:").red().bold().for_stderr());
            ExitCode::FAILURE
        }
    }
}

/// Answers whether everything was as it should be.
fn run(command: Command) -> Result<bool> {
    let workspace = Workspace::find()?;
    match command {
        Command::Test(options) => test::run(&workspace, &options),
        Command::Conformance(options) => conformance::run(&workspace, &options),
        Command::Serve(options) => serve::run(&options),
        Command::Tidy(options) => tidy::run(&workspace, &options),
        Command::Bench(options) => bench::run(&workspace, &options),
        Command::Compare(options) => compare::run(&workspace, &options),
        Command::Endurance(options) => endurance::run(&workspace, &options),
        Command::Mutants(options) => mutants::run(&workspace, &options),
        Command::Sizing(options) => sizing::run(&options),
        Command::Supply(options) => supply::run(&workspace, &options),
    }
}

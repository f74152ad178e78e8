//! The commands: a file for each.

pub(crate) mod completions;
pub(crate) mod copy;
pub(crate) mod end;
pub(crate) mod env;
pub(crate) mod keygen;
pub(crate) mod list;
pub(crate) mod show;
pub(crate) mod stats;
pub(crate) mod sweep;

use anyhow::Result;

use crate::{
    cli::{Cli, Command, Global},
    failure::Outcome,
    output::Output,
    store_url::{Missing, Opened, Wanted},
};

pub(crate) async fn run(cli: &Cli, output: &Output) -> Result<Outcome> {
    let (global, output) = (&cli.global, *output);
    match &cli.command {
        Command::Env(command) => env::run(command, global, output).await,
        Command::Sweep(options) => sweep::run(options, &open(global)?, output).await,
        Command::List(options) => list::run(options, &open(global)?, output).await,
        Command::Show(options) => show::run(options, &open(global)?, output).await,
        Command::End(options) => end::run(options, &open(global)?, output).await,
        Command::Stats => stats::run(&open(global)?, output).await,
        Command::Keygen(options) => keygen::run(options, output),
        Command::Copy(options) => copy::run(options, global, output).await,
        Command::Completions(options) => completions::run(options, output),
    }
}

fn open(global: &Global) -> Result<Opened> {
    Wanted::by(global)?.open(global, Missing::IsAnError)
}

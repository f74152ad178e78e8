#![doc = include_str!("../README.md")]

mod cli;
mod store_url;

mod commands;

mod confirm;
mod failure;
mod output;
mod pages;
mod progress;
mod text;
mod when;

use std::process::ExitCode;

use clap::Parser;

use crate::{cli::Cli, output::Output};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let output = Output::new(cli.global.json);
    match commands::run(&cli, &output).await {
        Ok(outcome) => outcome.into(),
        Err(error) => failure::report(&error, &output),
    }
}

//! `sessionctl completions SHELL`.

use std::io::{self, Write};

use anyhow::Result;
use clap::{Args, CommandFactory};
use clap_complete::Shell;
use serde::Serialize;

use crate::{cli::Cli, failure::Outcome, output::Output};

/// Print what makes a shell complete the commands and options of this program
///
///   sessionctl completions bash > /etc/bash_completion.d/sessionctl
///   sessionctl completions zsh > /usr/share/zsh/site-functions/_sessionctl
///   sessionctl completions fish > ~/.config/fish/completions/sessionctl.fish
#[derive(Args, Debug)]
#[command(verbatim_doc_comment)]
pub(crate) struct Options {
    /// The shell
    shell: Shell,
}

#[derive(Serialize)]
struct Answer {
    shell: String,
    script: String,
}

pub(crate) fn run(options: &Options, output: Output) -> Result<Outcome> {
    let mut script = Vec::new();
    clap_complete::generate(options.shell, &mut Cli::command(), "sessionctl", &mut script);
    if output.is_json() {
        let script = String::from_utf8(script)?;
        output.print(&Answer { shell: options.shell.to_string(), script }, |_| "")?;
    } else {
        io::stdout().lock().write_all(&script)?;
    }
    Ok(Outcome::Done)
}

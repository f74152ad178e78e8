//! Asking before something is gone for good.

use std::io::{self, BufRead, IsTerminal};

use anyhow::{Result, bail};
use clap::Args;

use crate::failure::Usage;

#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct Confirmation {
    /// Do it without asking; needed where nobody can be asked
    #[arg(long, short)]
    yes: bool,
}

impl Confirmation {
    /// Goes on if it was confirmed: by an option, or by an answer on the terminal.
    pub(crate) fn ask(self, question: &str) -> Result<()> {
        if self.yes {
            return Ok(());
        }
        if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
            return Err(Usage::error(format!("{question} Nobody can be asked here: say --yes.")));
        }
        eprint!("{question} Type yes: ");
        let mut answer = String::new();
        io::stdin().lock().read_line(&mut answer)?;
        if answer.trim() != "yes" {
            bail!("not confirmed, nothing was done");
        }
        Ok(())
    }
}

//! Calls of cargo, each shown as one would type it.

use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, ensure};
use console::style;

use crate::{
    outcome::Outcome,
    workspace::{Workspace, program},
};

/// Read by `session_conformance::skip` and `cargo xtask conformance`: `all` if nothing may be skipped.
pub(crate) const REQUIRE: &str = "SESSION_REQUIRE";

/// One call of cargo, to be run at the root of the workspace.
#[derive(Debug)]
pub(crate) struct Cargo {
    command: Command,
    shown: String,
}

impl Cargo {
    /// `cargo` with these arguments, separated by spaces.
    pub(crate) fn new(workspace: &Workspace, arguments: &str) -> Self {
        let mut command = Command::new(program());
        command.current_dir(&workspace.root).args(arguments.split_whitespace());
        Self { command, shown: format!("cargo {arguments}") }
    }

    pub(crate) fn argument(mut self, argument: &str) -> Self {
        self.command.arg(argument);
        self.shown = format!("{} {argument}", self.shown);
        self
    }

    pub(crate) fn environment(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        let quote = if value.contains(' ') { "'" } else { "" };
        self.shown = format!("{name}={quote}{value}{quote} {}", self.shown);
        self
    }

    /// Runs it with its output on the terminal. Answers whether it succeeded.
    pub(crate) fn succeeds(mut self) -> Result<bool> {
        self.show();
        let status = self.command.status().with_context(|| format!("cannot run {}", self.shown))?;
        Ok(status.success())
    }

    /// Runs it as one check. Its output says what is wrong; the outcome says how to see it again.
    pub(crate) fn checks(self) -> Result<Outcome> {
        let shown = self.shown.clone();
        let mut outcome = Outcome::default();
        if self.succeeds()? {
            outcome.passed = 1;
        } else {
            outcome.fail(shown);
        }
        Ok(outcome)
    }

    /// Runs it with its output on the terminal, and returns its standard output as well. Of that, only the lines that
    /// are `worth_showing` are shown.
    pub(crate) fn overheard(&mut self, worth_showing: impl Fn(&str) -> bool) -> Result<(bool, String)> {
        self.show();
        let mut child = self
            .command
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot run {}", self.shown))?;
        let mut heard = String::new();
        if let Some(stdout) = child.stdout.take() {
            for line in BufReader::new(stdout).split(b'\n') {
                let line = line?;
                let line = String::from_utf8_lossy(&line);
                if worth_showing(&line) {
                    println!("{line}");
                }
                heard.push_str(&line);
                heard.push('\n');
            }
        }
        let status = child.wait()?;
        Ok((status.success(), heard))
    }

    /// Runs it unseen and returns its standard output.
    pub(crate) fn answers(mut self) -> Result<String> {
        let output = self.command.output().with_context(|| format!("cannot run {}", self.shown))?;
        ensure!(
            output.status.success(),
            "{}: {}",
            self.shown,
            String::from_utf8_lossy(&output.stderr).trim_end()
        );
        String::from_utf8(output.stdout).with_context(|| format!("{} prints no UTF-8", self.shown))
    }

    /// The call as one would type it.
    pub(crate) fn shown(&self) -> &str {
        &self.shown
    }

    fn show(&self) {
        eprintln!("{}", style(format!("$ {}", self.shown)).dim().for_stderr());
    }
}

/// Whether `cargo NAME` exists.
pub(crate) fn has(workspace: &Workspace, name: &str) -> bool {
    Cargo::new(workspace, name).argument("--version").answers().is_ok()
}

//! The demo as a newcomer meets it: started, and then the lines it suggests typed in.

use std::{path::Path, process::Command, time::Duration};

use anyhow::{Context as _, Result, bail, ensure};

use super::Context;
use crate::{
    outcome::Outcome,
    process::{Heard, Process},
};

/// How long it may take to open, and to suggest something.
const LONGEST: Duration = Duration::from_secs(30);
/// How many lines it promises.
const SUGGESTIONS: usize = 3;

/// Starts the demo on a free port with sessions in an empty folder, and runs every curl line that it prints.
pub(super) fn run(context: &Context<'_>) -> Result<Outcome> {
    let mut outcome = context.build_programs()?;
    if !outcome.failures.is_empty() {
        return Ok(outcome);
    }
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    let sessions = format!("file:{}", folder.path().join("sessions").display());
    let mut demo = Process::start(&context.workspace.target.join("debug/demo"), |command| {
        command.current_dir(folder.path()).args(["--listen", "127.0.0.1:0", "--store", &sessions]);
    })?;
    heard(&mut demo, "listening on http://")?;
    outcome.passed += 1;

    let has_curl = Command::new("curl").arg("--version").output().is_ok();
    for _ in 0..SUGGESTIONS {
        let line = heard(&mut demo, "curl ")?;
        if has_curl {
            try_out(line.trim(), folder.path())?;
            outcome.passed += 1;
        }
    }
    if !has_curl {
        outcome.skip(
            "curl is not installed, so the lines that the demo suggests were not tried: Debian package curl",
        );
    }
    Ok(outcome)
}

fn heard(demo: &mut Process, words: &str) -> Result<String> {
    match demo.hears(words, LONGEST)? {
        Heard::Line(line) => Ok(line),
        Heard::End(status) => bail!("the demo ended ({status}) before it said {words:?}"),
    }
}

/// Types in one line, which has to show an answer that is no error.
fn try_out(line: &str, folder: &Path) -> Result<()> {
    let output = Command::new("sh").args(["-c", line]).current_dir(folder).output()?;
    let answer = String::from_utf8_lossy(&output.stdout);
    let status = answer.lines().next().unwrap_or_default();
    ensure!(output.status.success(), "{}: {line}", output.status);
    ensure!(
        status.starts_with("HTTP/1.1 2") || status.starts_with("HTTP/1.1 3"),
        "answered with {status:?}: {line}"
    );
    eprintln!("{status}: {line}");
    Ok(())
}

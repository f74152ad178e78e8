//! `sessionctl env create|check|drop`.

use anyhow::{Result, anyhow};
use clap::Subcommand;
use serde::Serialize;
use session_core::{SessionError, StoreError};

use crate::{
    cli::Global,
    confirm::Confirmation,
    failure::{Outcome, Usage, is_missing, spell_out},
    output::Output,
    store_url::{Missing, Wanted},
};

/// Create, check or drop what a store keeps its sessions in: folders, tables, indexes
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make what is missing; what is there is never changed, and a second call changes nothing
    Create,
    /// Say whether everything is there and fit for sessions; changes nothing
    ///
    /// For example a Redis that forgets sessions when its memory is full is not.
    Check,
    /// Delete every session, and everything that `create` made, and nothing else
    Drop(Confirmation),
}

#[derive(Serialize)]
struct Answer {
    store: &'static str,
    action: &'static str,
    ok: bool,
    problems: Vec<String>,
}

pub(crate) async fn run(command: &Command, global: &Global, output: Output) -> Result<Outcome> {
    let wanted = Wanted::by(global)?;
    let missing = if matches!(command, Command::Create) { Missing::IsMade } else { Missing::IsAnError };
    let opened = match wanted.open(global, missing) {
        // A folder is looked at when it is opened: the first of the problems to be told.
        Err(error) if matches!(command, Command::Check) && !error.is::<Usage>() => {
            let problems = vec![spell_out(error.as_ref())];
            return finish(Answer { store: "file", action: "check", ok: false, problems }, output);
        }
        opened => opened?,
    };
    let unsupported = || anyhow!(SessionError::Unsupported { ability: "Environment" });
    let environment = opened.store.as_environment().ok_or_else(unsupported)?;
    let (action, result) = match command {
        Command::Create => ("create", environment.create().await),
        Command::Check => ("check", environment.check().await),
        Command::Drop(confirmation) => {
            confirmation.ask("Every session in this store will be gone for good.")?;
            ("drop", environment.drop().await)
        }
    };
    let problems: Vec<String> =
        result.err().unwrap_or_default().iter().map(|problem: &StoreError| spell_out(problem)).collect();
    finish(Answer { store: opened.kind, action, ok: problems.is_empty(), problems }, output)
}

fn finish(answer: Answer, output: Output) -> Result<Outcome> {
    output.print(&answer, told)?;
    Ok(Outcome::done_if(answer.ok))
}

fn told(answer: &Answer) -> String {
    if !answer.ok {
        const MOST: usize = 10;
        let mut lines: Vec<String> = vec![format!("{} store, {}:", answer.store, answer.action)];
        lines.extend(answer.problems.iter().take(MOST).map(|problem| format!("  - {}", bare(problem))));
        if let Some(more) = answer.problems.len().checked_sub(MOST).filter(|more| *more > 0) {
            lines.push(format!("  - and {more} more; --json lists all"));
        }
        if answer.action == "check" && answer.problems.iter().any(|problem| is_missing(problem)) {
            lines.push("`sessionctl env create` makes what is missing.".to_owned());
        }
        return lines.join("\n");
    }
    match answer.action {
        "create" => format!("{} store: everything is there", answer.store),
        "check" => format!("{} store: fit for sessions", answer.store),
        _ => format!("{} store: dropped", answer.store),
    }
}

/// Without the name of the store, which stands above all of them.
fn bare(problem: &str) -> &str {
    match problem.split_once(" store: ") {
        Some((name, rest)) if !name.contains(' ') => rest,
        _ => problem,
    }
}

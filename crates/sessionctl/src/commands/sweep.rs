//! `sessionctl sweep`.

use std::time::SystemTime;

use anyhow::Result;
use clap::Args;
use serde::Serialize;
use session_core::SweepRequest;

use crate::{
    failure::{Outcome, Usage},
    output::Output,
    pages::Pages,
    progress,
    store_url::Opened,
    text, when,
};

/// Delete expired records
///
/// Only hygiene: an expired session is refused whether it was swept or not.
/// Redis deletes expired records by itself, so that there is nothing to do.
///
///   sessionctl sweep                          everything that has expired
///   sessionctl sweep --expired-before 7d      more than a week ago
///   sessionctl sweep --expired-from 2026-01-01 --expired-before 2026-02-01
///   sessionctl sweep --dry-run                only count
#[derive(Args, Debug)]
#[command(verbatim_doc_comment)]
pub(crate) struct Options {
    /// Only what expired at this time or later: 2026-01-31, 2026-01-31T12:00:00Z, or how long ago: 90m, 7d
    #[arg(long, value_name = "TIME", value_parser = when::in_the_past)]
    expired_from: Option<SystemTime>,
    /// Only what expired before this time [default: now]
    #[arg(long, value_name = "TIME", value_parser = when::in_the_past)]
    expired_before: Option<SystemTime>,
    /// Count what would be deleted, by reading every record, and delete nothing
    #[arg(long)]
    dry_run: bool,
}

#[derive(Default, Serialize)]
struct Answer {
    store: &'static str,
    dry_run: bool,
    /// Whether the store deletes expired records by itself.
    by_itself: bool,
    examined: usize,
    removed: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    would_remove: Option<usize>,
    failed: usize,
}

pub(crate) async fn run(options: &Options, opened: &Opened, output: Output) -> Result<Outcome> {
    let mut request = SweepRequest::before(options.expired_before.unwrap_or_else(SystemTime::now));
    if let Some(from) = options.expired_from {
        if from >= request.expired_before {
            return Err(Usage::error("--expired-from must be earlier than --expired-before"));
        }
        request = request.from(from);
    }
    let answer = if opened.store.as_sweep().is_none() {
        Answer { by_itself: true, would_remove: options.dry_run.then_some(0), ..Answer::default() }
    } else if options.dry_run {
        count(&request, opened).await?
    } else {
        let spinner = progress::spinner("deleted")?;
        let swept = opened.manager.sweep_with(request.budget(BUDGET), |so_far| {
            spinner.set_position(so_far.removed as u64);
        });
        let swept = swept.await?;
        spinner.finish_and_clear();
        let (examined, removed, failed) = (swept.examined, swept.removed, swept.failed);
        Answer { examined, removed, failed, ..Answer::default() }
    };
    let answer = Answer { store: opened.kind, dry_run: options.dry_run, ..answer };
    output.print(&answer, told)?;
    Ok(Outcome::done_if(answer.failed == 0))
}

/// Reads every record, and counts those that a sweep would delete.
async fn count(request: &SweepRequest, opened: &Opened) -> Result<Answer> {
    let (mut answer, mut expired) = (Answer::default(), 0);
    let spinner = progress::spinner("read")?;
    let mut pages = Pages::of(&*opened.store)?;
    while let Some(page) = pages.next().await? {
        answer.examined += page.entries.len() + page.failed;
        answer.failed += page.failed;
        expired += page.entries.iter().filter(|(_, entry)| request.covers(entry.expires_at)).count();
        spinner.set_position(answer.examined as u64);
    }
    spinner.finish_and_clear();
    Ok(Answer { would_remove: Some(expired), ..answer })
}

fn told(answer: &Answer) -> String {
    if answer.by_itself {
        return format!("{} store: it deletes expired records by itself, nothing to sweep", answer.store);
    }
    let records = |number| text::count(number, "expired record");
    let mut told = match answer.would_remove {
        Some(number) => format!("{} would be deleted, of {} read", records(number), answer.examined),
        None => format!("{} deleted", records(answer.removed)),
    };
    if answer.failed > 0 {
        told += &format!("; {} could not be read or deleted", text::count(answer.failed, "record"));
    }
    told
}

/// Records between two looks at the progress.
const BUDGET: usize = 1_000;

//! `sessionctl copy FROM TO`.

use std::{
    collections::BTreeSet,
    time::{Duration, SystemTime},
};

use anyhow::{Context, Result};
use clap::Args;
use futures_util::{StreamExt, stream};
use indicatif::ProgressBar;
use serde::Serialize;
use session_core::{Entry, Expect, Store, StoreError, StoreErrorKind, StoreKey, Written};

use crate::{
    cli::Global,
    failure::{Outcome, Usage},
    output::{self, Output},
    pages::{Pages, patiently},
    progress,
    store_url::{Missing, Opened, Wanted},
    text,
};

/// Copy the sessions of one store to another, and verify that they are there
///
/// What has expired is left out. What the other store has already stays as
/// it is: a record that differs is reported, never overwritten. So the same
/// command again goes on where it was interrupted. Nobody is signed out by a
/// move: ids stay the same, and so must the realm of the application.
///
/// Stop the application first: a session that it ends or changes meanwhile is
/// copied as it was. Make the other store first:
///
///   sessionctl --store sqlite:/var/lib/app/sessions.db env create
///   sessionctl copy file:/var/lib/app/old sqlite:/var/lib/app/sessions.db
///
/// With passwords, the URLs are in variables:
///
///   export OLD=redis://:secret@one NEW=redis://:secret@two
///   sessionctl copy env:OLD env:NEW
#[derive(Args, Debug)]
#[command(verbatim_doc_comment)]
pub(crate) struct Options {
    /// The store to read: a URL as for --store, which is not used here
    from: String,
    /// The store to write to
    to: String,
    /// The prefix in FROM, if it is not --prefix
    #[arg(long, value_name = "NAME")]
    from_prefix: Option<String>,
    /// The table in FROM, if it is not --table
    #[arg(long, value_name = "NAME")]
    from_table: Option<String>,
    /// The prefix in TO, if it is not --prefix
    #[arg(long, value_name = "NAME")]
    to_prefix: Option<String>,
    /// The table in TO, if it is not --table
    #[arg(long, value_name = "NAME")]
    to_table: Option<String>,
}

#[derive(Default, Serialize)]
struct Answer {
    from: &'static str,
    to: &'static str,
    /// Written by this run.
    copied: usize,
    /// The same was there before.
    already_there: usize,
    /// Left out.
    expired: usize,
    /// Records that FROM cannot read.
    unreadable: usize,
    /// Read again in the end from both stores, and the same.
    verified: usize,
    /// Not in TO in the end, although they had been copied: ended there, or expired.
    missing: usize,
    /// What TO has under these handles is another record, and was left alone.
    differing: BTreeSet<String>,
    /// TO refused these, for example because they are too large.
    refused: BTreeSet<String>,
}

pub(crate) async fn run(options: &Options, global: &Global, output: Output) -> Result<Outcome> {
    let (from, to) = open(options, global)?;
    is_ready(&*to.store).await?;
    let total = count(&*from.store).await.context("FROM cannot be read")?;
    let answer = Answer { from: from.kind, to: to.kind, ..Answer::default() };
    let mut job = Job { from: &*from.store, to: &*to.store, answer };
    job.copy(&progress::bar(total, "copied")?)
        .await
        .context("interrupted; the same command again goes on")?;
    job.verify(&progress::bar(total, "verified")?).await.context("copied, but not verified")?;
    output.print(&job.answer, told)?;
    Ok(Outcome::done_if(job.answer.is_complete()))
}

fn open(options: &Options, global: &Global) -> Result<(Opened, Opened)> {
    let (prefix, table) = (global.prefix.as_deref(), global.table.as_deref());
    let from = Wanted {
        role: "FROM",
        url: &options.from,
        prefix: options.from_prefix.as_deref().or(prefix),
        table: options.from_table.as_deref().or(table),
    };
    let to = Wanted {
        role: "TO",
        url: &options.to,
        prefix: options.to_prefix.as_deref().or(prefix),
        table: options.to_table.as_deref().or(table),
    };
    if (from.url, from.prefix, from.table) == (to.url, to.prefix, to.table) {
        return Err(Usage::error("FROM and TO are the same store"));
    }
    // Both command lines are looked at before anything is done with either.
    Ok((from.open(global, Missing::IsAnError)?, to.open(global, Missing::IsAnError)?))
}

/// A slip in a prefix must not make a second store beside the one that was meant.
async fn is_ready(to: &dyn Store) -> Result<()> {
    let Some(environment) = to.as_environment() else { return Ok(()) };
    let problems = environment.check().await.err().unwrap_or_default();
    match problems.into_iter().next() {
        Some(problem) => Err(problem).context("TO is not ready to keep sessions"),
        None => Ok(()),
    }
}

async fn count(store: &dyn Store) -> Result<usize> {
    let spinner = progress::spinner("counted")?;
    let mut pages = Pages::of(store)?;
    let mut total = 0;
    while let Some(page) = pages.next().await? {
        total += page.entries.len() + page.failed;
        spinner.set_position(total as u64);
    }
    spinner.finish_and_clear();
    Ok(total)
}

struct Job<'a> {
    from: &'a dyn Store,
    to: &'a dyn Store,
    answer: Answer,
}

/// What became of one record.
enum Copied {
    Written,
    AlreadyThere,
    Differs,
    Refused,
}

impl Job<'_> {
    async fn copy(&mut self, bar: &ProgressBar) -> Result<()> {
        let mut pages = Pages::of(self.from)?;
        while let Some(page) = pages.next().await? {
            self.answer.unreadable += page.failed;
            let all = page.entries.len();
            let live = live(page.entries);
            self.answer.expired += all - live.len();
            bar.inc((all - live.len() + page.failed) as u64);
            let mut copies = stream::iter(live.into_iter().map(|(key, entry)| write(self.to, key, entry)))
                .buffer_unordered(AT_ONCE);
            while let Some((key, copied)) = copies.next().await {
                bar.inc(1);
                match copied? {
                    Copied::Written => self.answer.copied += 1,
                    Copied::AlreadyThere => self.answer.already_there += 1,
                    Copied::Differs => drop(self.answer.differing.insert(key.to_hex())),
                    Copied::Refused => drop(self.answer.refused.insert(key.to_hex())),
                }
            }
        }
        bar.finish_and_clear();
        Ok(())
    }

    /// Reads both stores once more, whatever the first pass believes to have done.
    async fn verify(&mut self, bar: &ProgressBar) -> Result<()> {
        let mut pages = Pages::of(self.from)?;
        // A scan may return a record twice.
        let mut verified = BTreeSet::new();
        while let Some(page) = pages.next().await? {
            let all = page.entries.len();
            let live = live(page.entries);
            bar.inc((all - live.len() + page.failed) as u64);
            let mut looks = stream::iter(live.into_iter().map(|(key, entry)| look(self.to, key, entry)))
                .buffer_unordered(AT_ONCE);
            while let Some((key, found)) = looks.next().await {
                bar.inc(1);
                match found? {
                    Found::Same => drop(verified.insert(key)),
                    Found::Another => drop(self.answer.differing.insert(key.to_hex())),
                    Found::Nothing if self.answer.refused.contains(&key.to_hex()) => {}
                    Found::Nothing => self.answer.missing += 1,
                }
            }
        }
        bar.finish_and_clear();
        self.answer.verified = verified.len();
        Ok(())
    }
}

fn live(entries: Vec<(StoreKey, Entry)>) -> Vec<(StoreKey, Entry)> {
    let now = SystemTime::now();
    entries.into_iter().filter(|(_, entry)| entry.expires_at > now).collect()
}

async fn write(to: &dyn Store, key: StoreKey, entry: Entry) -> (StoreKey, Result<Copied, StoreError>) {
    let written = patiently(|| to.write(&key, entry.clone(), Expect::Absent)).await;
    let copied = match written {
        Ok(Written::Stored(_)) => Ok(Copied::Written),
        // Also after an answer that was lost: then what is there is what was written.
        Ok(Written::Conflict) => look(to, key, entry).await.1.map(|found| match found {
            Found::Same => Copied::AlreadyThere,
            Found::Another | Found::Nothing => Copied::Differs,
        }),
        Err(error) if error.kind() == StoreErrorKind::Full => Ok(Copied::Refused),
        Err(error) => Err(error),
    };
    (key, copied)
}

enum Found {
    Same,
    Another,
    Nothing,
}

async fn look(to: &dyn Store, key: StoreKey, entry: Entry) -> (StoreKey, Result<Found, StoreError>) {
    let found = match patiently(|| to.load(&key)).await {
        Ok(Some(stored))
            if stored.bytes == entry.bytes && is_same_time(stored.expires_at, entry.expires_at) =>
        {
            Ok(Found::Same)
        }
        Ok(Some(_)) => Ok(Found::Another),
        Ok(None) => Ok(Found::Nothing),
        // Somebody else's record, damaged: to be looked at, and in nobody's way.
        Err(error) if error.kind() == StoreErrorKind::Corrupt => Ok(Found::Another),
        Err(error) => Err(error),
    };
    (key, found)
}

/// A store may round up to a whole second.
fn is_same_time(one: SystemTime, other: SystemTime) -> bool {
    let apart = one.duration_since(other).unwrap_or_else(|error| error.duration());
    apart < Duration::from_secs(1)
}

impl Answer {
    fn is_complete(&self) -> bool {
        self.unreadable + self.missing + self.differing.len() + self.refused.len() == 0
    }
}

fn told(answer: &Answer) -> String {
    const MOST: usize = 20;
    let mut table = output::table(&[&format!("{} -> {}", answer.from, answer.to), "records"]);
    for (name, number) in [
        ("copied", answer.copied),
        ("already there", answer.already_there),
        ("expired, left out", answer.expired),
        ("unreadable in FROM", answer.unreadable),
        ("another record is there, left alone", answer.differing.len()),
        ("refused by TO, which is full or takes no record so large", answer.refused.len()),
        ("gone from TO when verified", answer.missing),
        ("verified: the same in both", answer.verified),
    ] {
        table.add_row([name.to_owned(), number.to_string()]);
    }
    output::align_right(&mut table, &[1]);
    let mut lines = vec![table.to_string()];
    for (what, handles) in [("differs", &answer.differing), ("refused", &answer.refused)] {
        lines.extend(handles.iter().take(MOST).map(|handle| format!("{what}: {handle}")));
        if let Some(more) = handles.len().checked_sub(MOST).filter(|more| *more > 0) {
            lines.push(format!("and {}; --json lists all", text::count(more, "other")));
        }
    }
    lines.join("\n")
}

/// So that a server far away is not waited for once for each record.
const AT_ONCE: usize = 32;

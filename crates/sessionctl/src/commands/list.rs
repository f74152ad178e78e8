//! `sessionctl list`.

use std::time::SystemTime;

use anyhow::Result;
use clap::Args;
use serde::Serialize;
use session_core::{Inspection, RecordState, ScanCursor, SessionHandle};

use crate::{
    failure::{Outcome, Usage},
    output::{self, Output},
    store_url::Opened,
    text, when,
};

/// List sessions, those of one principal or all, a page at a time
///
/// Without --principal the whole store is read in an order of its own,
/// whatever the realm. With it, the store's index is asked, and --realm must
/// be that of the application.
///
///   sessionctl list --principal ann
///   sessionctl list --after CURSOR        the next page, which each page names
///   sessionctl list --json | jq -r '.sessions[] | select(.signed_in).handle'
#[derive(Args, Debug)]
#[command(verbatim_doc_comment)]
pub(crate) struct Options {
    /// Only sessions that are signed in as this principal
    #[arg(long, value_name = "NAME")]
    principal: Option<String>,
    /// About how many; a page may be a little longer, because a store reads in pages of its own
    #[arg(long, value_name = "NUMBER", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    limit: u32,
    /// Go on behind the place that another page named
    #[arg(long, value_name = "CURSOR")]
    after: Option<String>,
    /// Also what is no session (any more): expired records, ids that were replaced or are not used yet
    #[arg(long)]
    all: bool,
    /// Show who is signed in: often personal data
    #[arg(long)]
    show_principals: bool,
}

#[derive(Serialize)]
struct Answer {
    store: &'static str,
    sessions: Vec<Session>,
    unreadable: usize,
    /// What `--after` takes to go on; null at the end.
    next: Option<String>,
}

/// A session in a list.
#[derive(Serialize)]
pub(crate) struct Session {
    pub(crate) handle: String,
    pub(crate) state: &'static str,
    pub(crate) signed_in: bool,
    pub(crate) created: Option<String>,
    pub(crate) last_seen: Option<String>,
    pub(crate) authenticated_at: Option<String>,
    pub(crate) expires_at: String,
    pub(crate) bytes: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) principal: Option<String>,
    #[serde(skip)]
    told: String,
    #[serde(skip)]
    expires: String,
}

pub(crate) async fn run(options: &Options, opened: &Opened, output: Output) -> Result<Outcome> {
    let limit = usize::try_from(options.limit)?;
    let now = SystemTime::now();
    let after = options.after.as_deref();
    let wanted = |record: &Inspection| options.all || state(record, now) == RecordState::Live.name();
    let (records, unreadable, next) = match &options.principal {
        Some(principal) => of_principal(principal, after, limit, opened, wanted).await?,
        None => all(after, limit, opened, wanted).await?,
    };
    let sessions = records.iter().map(|record| Session::of(record, options.show_principals, now)).collect();
    let answer = Answer { store: opened.kind, sessions, unreadable, next };
    let whose = options.principal.as_deref().map_or_else(String::new, |name| of(name, opened));
    output.print(&answer, |answer| told(answer, &whose))?;
    Ok(Outcome::Done)
}

/// Whose sessions are meant: in another realm nobody is who they are here, and an empty list looks like good news.
pub(crate) fn of(principal: &str, opened: &Opened) -> String {
    format!(" of {} in the realm `{}`", text::printable(principal), text::printable(&opened.realm))
}

type Page = (Vec<Inspection>, usize, Option<String>);

async fn of_principal(
    principal: &str,
    after: Option<&str>,
    limit: usize,
    opened: &Opened,
    wanted: impl Fn(&Inspection) -> bool,
) -> Result<Page> {
    let mut after: Option<SessionHandle> = after.map(str::parse).transpose().map_err(|_| no_cursor())?;
    let mut records = Vec::new();
    loop {
        let left = limit - records.len();
        let (page, next) = opened.manager.page_of_sessions(principal, after, left).await?;
        for info in page {
            // When it ends is known to the store only: the timeouts are the application's.
            records.extend(opened.manager.inspect(info.handle).await?.filter(&wanted));
        }
        after = next;
        if next.is_none() || records.len() >= limit {
            break;
        }
    }
    Ok((records, 0, after.map(|handle| handle.to_string())))
}

async fn all(
    after: Option<&str>,
    limit: usize,
    opened: &Opened,
    wanted: impl Fn(&Inspection) -> bool,
) -> Result<Page> {
    /// A store full of what is not wanted is not to be read one record at a time.
    const SHORTEST: usize = 20;
    let bytes = after.map(|after| data_encoding::HEXLOWER.decode(after.as_bytes()));
    let bytes = bytes.transpose().map_err(|_| no_cursor())?;
    let mut cursor = bytes.map(ScanCursor::new);
    let (mut records, mut unreadable) = (Vec::new(), 0);
    loop {
        let left = (limit - records.len()).max(SHORTEST.min(limit));
        let page = opened.manager.inspect_page(cursor.as_ref(), left).await?;
        records.extend(page.records.into_iter().filter(&wanted));
        unreadable += page.unreadable;
        cursor = page.next;
        if cursor.is_none() || records.len() >= limit {
            break;
        }
    }
    let next = cursor.map(|cursor| data_encoding::HEXLOWER.encode(cursor.as_bytes()));
    Ok((records, unreadable, next))
}

fn no_cursor() -> anyhow::Error {
    Usage::error("--after: that is no place which a list of this kind has named")
}

/// What a record is now, in a word.
pub(crate) fn state(record: &Inspection, now: SystemTime) -> &'static str {
    if record.is_expired(now) { "expired" } else { record.state().name() }
}

impl Session {
    pub(crate) fn of(record: &Inspection, show_principal: bool, now: SystemTime) -> Self {
        let principal = record.expose_principal().filter(|_| show_principal);
        let mut told = vec![state(record, now).to_owned()];
        told.extend(record.authenticated_at().map(|time| format!("signed in {}", when::distance(time, now))));
        told.extend(record.last_seen().map(|time| format!("seen {}", when::distance(time, now))));
        told.push(text::size(record.bytes() as u64));
        told.extend(principal.map(|principal| text::printable(principal).into_owned()));
        Self {
            handle: record.handle().to_string(),
            state: state(record, now),
            signed_in: record.is_signed_in(),
            created: record.created().map(when::exact),
            last_seen: record.last_seen().map(when::exact),
            authenticated_at: record.authenticated_at().map(when::exact),
            expires_at: when::exact(record.expires_at()),
            bytes: record.bytes(),
            principal: principal.map(str::to_owned),
            told: told.join(", "),
            expires: when::distance(record.expires_at(), now),
        }
    }
}

fn told(answer: &Answer, whose: &str) -> String {
    let mut told = Vec::new();
    if answer.sessions.is_empty() {
        told.push(format!("no sessions{whose}"));
    } else {
        // A handle takes 64 columns of 80, so that the rest goes below it.
        let mut table = output::table(&["session", "expires"]);
        table.load_preset(comfy_table::presets::UTF8_HORIZONTAL_ONLY);
        for session in &answer.sessions {
            table.add_row([format!("{}\n{}", session.handle, session.told), session.expires.clone()]);
        }
        told.push(table.trim_fmt());
        told.push(format!("{} listed", answer.sessions.len()));
    }
    if answer.unreadable > 0 {
        told.push(format!("{} unreadable", text::count(answer.unreadable, "record")));
    }
    if let Some(next) = &answer.next {
        told.push(format!("for more: --after {next}"));
    }
    told.join("\n")
}

//! `sessionctl stats`.

use std::time::SystemTime;

use anyhow::Result;
use serde::Serialize;
use session_core::{Inspection, RecordState, ScanCursor};

use crate::{
    failure::Outcome,
    output::{self, Output},
    progress,
    store_url::Opened,
    text, when,
};

#[derive(Default, Serialize)]
struct Answer {
    store: &'static str,
    records: usize,
    live: usize,
    signed_in: usize,
    visitors: usize,
    unclaimed: usize,
    superseded: usize,
    expired: usize,
    unreadable: usize,
    bytes: u64,
    largest_bytes: usize,
    oldest_created: Option<String>,
    newest_created: Option<String>,
    last_seen: Option<String>,
    #[serde(skip)]
    times: Times,
}

#[derive(Default)]
struct Times {
    oldest: Option<SystemTime>,
    newest: Option<SystemTime>,
    seen: Option<SystemTime>,
}

pub(crate) async fn run(opened: &Opened, output: Output) -> Result<Outcome> {
    const PAGE: usize = 1_000;
    let mut answer = Answer { store: opened.kind, ..Answer::default() };
    let spinner = progress::spinner("read")?;
    let mut cursor: Option<ScanCursor> = None;
    let now = SystemTime::now();
    loop {
        let page = opened.manager.inspect_page(cursor.as_ref(), PAGE).await?;
        answer.records += page.records.len() + page.unreadable;
        answer.unreadable += page.unreadable;
        page.records.iter().for_each(|record| answer.add(record, now));
        spinner.set_position(answer.records as u64);
        match page.next {
            Some(next) => cursor = Some(next),
            None => break,
        }
    }
    spinner.finish_and_clear();
    answer.oldest_created = answer.times.oldest.map(when::exact);
    answer.newest_created = answer.times.newest.map(when::exact);
    answer.last_seen = answer.times.seen.map(when::exact);
    output.print(&answer, |answer| told(answer, now))?;
    Ok(Outcome::Done)
}

impl Answer {
    /// Each record is counted once: what has expired is nothing else any more.
    fn add(&mut self, record: &Inspection, now: SystemTime) {
        self.bytes += record.bytes() as u64;
        self.largest_bytes = self.largest_bytes.max(record.bytes());
        if record.is_expired(now) {
            self.expired += 1;
            return;
        }
        match record.state() {
            RecordState::Superseded => self.superseded += 1,
            RecordState::Unclaimed => self.unclaimed += 1,
            _ => {
                self.live += 1;
                if record.is_signed_in() {
                    self.signed_in += 1
                } else {
                    self.visitors += 1
                }
                let times = &mut self.times;
                times.oldest = times.oldest.into_iter().chain(record.created()).min();
                times.newest = times.newest.max(record.created());
                times.seen = times.seen.max(record.last_seen());
            }
        }
    }
}

fn told(answer: &Answer, now: SystemTime) -> String {
    let mut table = output::table(&[&format!("{} store", answer.store), "records"]);
    for (name, number) in [
        ("live sessions", answer.live),
        ("  signed in", answer.signed_in),
        ("  visitors", answer.visitors),
        ("ids handed out, not used yet", answer.unclaimed),
        ("replaced ids, remembered for a short time", answer.superseded),
        ("expired, not swept yet", answer.expired),
        ("unreadable", answer.unreadable),
        ("all", answer.records),
    ] {
        table.add_row([name.to_owned(), number.to_string()]);
    }
    output::align_right(&mut table, &[1]);
    let time = |time: Option<SystemTime>| time.map_or_else(|| "-".to_owned(), |time| when::told(time, now));
    let largest = text::size(answer.largest_bytes as u64);
    let facts = output::facts([
        ("all records", format!("{}, the largest {largest}", text::size(answer.bytes))),
        ("oldest session", time(answer.times.oldest)),
        ("newest session", time(answer.times.newest)),
        ("last use", time(answer.times.seen)),
    ]);
    format!("{table}\n{facts}")
}

//! P7: half of many sessions expire and are swept while requests go on.
#![expect(clippy::expect_used, reason = "a measurement that cannot be set up ends with the reason")]

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Instant,
};

use anyhow::Result;
use session_core::{Store, Sweep, SweepRequest};
use session_store_file::Durability;
use tokio::runtime::Runtime;

use super::{Options, files};
use crate::{
    report::{Line, OURS, Table, Unit},
    rounds::{median, quantile},
    sample::{block_on, half_time, key, load, mix},
};

pub(super) fn measure(options: Options, _: &Runtime) -> Result<Vec<Table>> {
    let mut time =
        Table::new("P7", "a sweep of half of the sessions, under load", Unit::Nanoseconds, &[OURS]);
    let mut requests = Table::new(
        "P7",
        "99 of 100 loads are faster than this",
        Unit::Nanoseconds,
        &["without a sweep", OURS],
    )
    .note("Loads one after the other on one thread, of sessions that stay; the sweep runs on another.");
    let mut opened = Table::new("P7", "live sessions that a sweep opened", Unit::Count, &[OURS]);

    let sessions = options.pick(1_000_000, 100_000);
    let rounds = (0..options.pick(5, 2)).map(|_| under_load(&super::memory::ours(sessions, false), sessions));
    let rounds: Vec<_> = rounds.collect();
    add("memory", sessions, &rounds, &mut time, &mut requests);

    let sessions = options.pick(1_000_000, 20_000);
    let folder = files::folder()?;
    let store = files::open(&folder.path().join("swept"), Durability::Process);
    files::fill(&store, sessions);
    let round = under_load(&store, sessions);
    add("files", sessions, std::slice::from_ref(&round), &mut time, &mut requests);
    let expired = round.removed as u64;
    let live = store.stats().swept_opened.saturating_sub(expired);
    opened.push(Line::new("files", [live as f64]).sessions(sessions).at_most(0.0));
    Ok(vec![time, requests, opened])
}

struct Round {
    seconds: f64,
    removed: usize,
    /// Nanoseconds that 99 of 100 loads took at most.
    before: f64,
    during: f64,
}

fn under_load(store: &(impl Store + Sweep), sessions: u64) -> Round {
    // Those that expire after the sweep's instant stay. It is taken once: what decides is the sweep's, not the clock's.
    let instant = half_time();
    let staying: Vec<_> = (0..sessions)
        .map(|number| mix(number) % sessions)
        .map(key)
        .filter(|key| {
            block_on(store.load(key)).ok().flatten().is_some_and(|found| found.expires_at > instant)
        })
        .take(50_000)
        .collect();
    let before = loads(store, &staying, |samples| samples < 200_000);
    let done = AtomicBool::new(false);
    let (mut seconds, mut removed) = (0.0, 0);
    let during = thread::scope(|scope| {
        let sweeping = scope.spawn(|| {
            let begun = Instant::now();
            let mut removed = 0;
            loop {
                let swept = block_on(store.sweep(SweepRequest::before(instant))).expect("a sweep");
                removed += swept.removed;
                if swept.finished {
                    break;
                }
            }
            done.store(true, Ordering::Release);
            (begun.elapsed().as_secs_f64(), removed)
        });
        let during = loads(store, &staying, |samples| samples < 1_000 || !done.load(Ordering::Acquire));
        (seconds, removed) = sweeping.join().expect("a sweep");
        during
    });
    assert!(removed as u64 > sessions / 3, "only {removed} of {sessions} were swept");
    Round { seconds, removed, before, during }
}

/// What 99 of 100 loads took at most.
fn loads(store: &impl Store, keys: &[session_core::StoreKey], go_on: impl Fn(usize) -> bool) -> f64 {
    let mut samples = Vec::new();
    while go_on(samples.len()) {
        for key in keys.iter().cycle().skip(samples.len() % keys.len()).take(1_000) {
            let begun = Instant::now();
            load(store, key);
            samples.push(begun.elapsed().as_nanos() as f64);
        }
    }
    quantile(samples, 0.99)
}

fn add(name: &str, sessions: u64, rounds: &[Round], time: &mut Table, requests: &mut Table) {
    let middle = |of: fn(&Round) -> f64| median(rounds.iter().map(of).collect());
    let seconds = middle(|round| round.seconds);
    time.push(Line::new(name, [seconds * 1e9]).sessions(sessions).at_most(60e9));
    let (before, during) = (middle(|round| round.before), middle(|round| round.during));
    let line = Line::new(name, [before, during]).sessions(sessions);
    requests.push(line.at_most(1.1 * before).because("a tenth more than without"));
}

//! `kill -9` of the application: nothing that was acknowledged is lost.

use std::{
    collections::HashMap,
    fs,
    io::Write,
    time::{Duration, SystemTime},
};

use session_conformance::processes::{Task, task};
use session_core::{Expect, Store, Written};
use session_store_sql::SqlStore;

use crate::common::*;

async fn open(task: &Task) -> SqlStore {
    let builder = SqlStore::builder().table(task.text("table")).deadline(PATIENCE);
    builder.connect(&task.text("url")).await.unwrap()
}

/// Creates, rewrites and removes records of its own, and notes each acknowledgement, until it is killed.
async fn work(task: &Task) {
    let store = open(task).await;
    let log = fs::File::options().append(true).create(true).open(task.text("log")).unwrap();
    let start = task.number("start");
    let mut tasks = tokio::task::JoinSet::new();
    for worker in 0..8 {
        let (store, mut log) = (store.clone(), log.try_clone().unwrap());
        tasks.spawn(async move {
            for round in 0_u64.. {
                let number = start + worker * 1_000 + round % 50;
                // One write of a short line to a file opened to append is atomic.
                let mut note = |what: String| log.write_all(what.as_bytes()).unwrap();
                note(format!("begin {number} {round}\n"));
                let found = store.load(&key(number)).await.unwrap();
                let expect = found.as_ref().map_or(Expect::Absent, |found| Expect::Version(found.version));
                if round % 5 == 4 && found.is_some() {
                    assert_eq!(store.remove(&key(number), None).await.unwrap(), session_core::Removed::Gone);
                    note(format!("gone {number} {round}\n"));
                } else {
                    let written =
                        store.write(&key(number), entry(round.to_le_bytes()), expect).await.unwrap();
                    assert_ne!(written, Written::Conflict);
                    note(format!("stored {number} {round}\n"));
                }
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
}

/// What may be found after the kill: what was acknowledged last, or what was begun after it.
#[derive(Default)]
struct Expected {
    acknowledged: Option<u64>,
    begun: Option<u64>,
}

on_each! {
    async fn what_was_acknowledged_outlives_a_kill(lab) {
        if let Some(task) = task() {
            return work(&task).await;
        }
        let store = lab.open().await;
        let mut acknowledgements = 0;
        for cycle in 0..scale(5) {
            let log = lab.file().with_extension("log");
            let _ = fs::remove_file(&log);
            let start = cycle * 100_000;
            let child = lab.child().with("log", log.display()).with("start", start);
            let mut child = child.start();
            // Some way into the work, wherever that is.
            let deadline = SystemTime::now() + PATIENCE;
            let enough = 3_000 + cycle * 137;
            while fs::metadata(&log).map_or(0, |found| found.len()) < enough && SystemTime::now() < deadline {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            child.kill();

            let text = fs::read_to_string(&log).unwrap();
            let mut all: HashMap<u64, Expected> = HashMap::new();
            for line in text.lines() {
                let mut words = line.split(' ');
                let what = words.next().unwrap();
                let mut number = || words.next().unwrap().parse::<u64>().unwrap();
                let (record, round) = (number(), number());
                let expected = all.entry(record).or_default();
                match what {
                    "begin" => expected.begun = Some(round),
                    "stored" => *expected = Expected { acknowledged: Some(round), begun: None },
                    _ => *expected = Expected::default(),
                }
                acknowledgements += u64::from(what != "begin");
            }
            for (record, expected) in all {
                let found = load(&store, &key(record)).await.map(|bytes| u64::from_le_bytes(bytes.try_into().unwrap()));
                let as_begun = expected.begun.is_some_and(|round| {
                    found == if round % 5 == 4 && expected.acknowledged.is_some() { None } else { Some(round) }
                });
                assert!(found == expected.acknowledged || as_begun, "{record}: {found:?}");
            }
        }
        assert!(acknowledgements > 100, "{acknowledgements}");
    }
}

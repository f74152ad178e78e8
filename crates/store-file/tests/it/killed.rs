//! Processes that are killed at any moment: what they acknowledged is there, and nothing else is.
//!
//! `SESSION_CONFORMANCE_SCALE=50` makes the loop fifty times as long: 1,000 cycles.

use std::{
    collections::HashMap,
    fs::{self, File},
    io::Write,
    path::Path,
    thread,
    time::Duration,
};

use session_conformance::processes::{Running, Task, task};
use session_core::{Entry, Expect, PrincipalKey, Removed, Store, StoreKey, Written};
use session_store_file::{Durability, FileStore};

use crate::common::*;

const PROCESSES: u64 = 2;
const WRITERS: u64 = 4;
const PRINCIPAL: PrincipalKey = PrincipalKey::from_bytes([5; 32]);

/// Four writers, each with a record of its own that it counts up, and now and then removes and creates again. What is
/// acknowledged goes into a file of the writer: the kernel has it, so it survives the writer.
fn write_for_ever(task: &Task) {
    let store = open(&task.path("root"), task.number("portable") == 1);
    let process = task.number("process");
    thread::scope(|scope| {
        for writer in 0..WRITERS {
            let store = &store;
            scope.spawn(move || {
                let number = process * WRITERS + writer;
                let mut acks = File::options()
                    .append(true)
                    .create(true)
                    .open(task.path("acks").join(number.to_string()))
                    .unwrap();
                let record = key(number);
                let found = block_on(store.load(&record)).unwrap();
                let mut version = found.as_ref().map(|stored| stored.version);
                // What a load has shown counts as acknowledged.
                let seen = found.map(|stored| counted(&stored.bytes).unwrap());
                // In one piece, or a kill could leave half a line.
                let mut log =
                    |word: &str, count: u64| acks.write_all(format!("{word} {count}\n").as_bytes()).unwrap();
                log("ack", seen.unwrap_or(0));
                let mut count = seen.unwrap_or(task.number("from"));
                loop {
                    count += 1;
                    log("try", count);
                    if count.is_multiple_of(7) {
                        assert_eq!(block_on(store.remove(&record, version)).unwrap(), Removed::Gone);
                        version = None;
                    } else {
                        let expect = version.map_or(Expect::Absent, Expect::Version);
                        match block_on(store.write(&record, counter(count), expect)).unwrap() {
                            Written::Stored(stored) => version = Some(stored),
                            Written::Conflict => panic!("nobody else writes this record"),
                        }
                    }
                    log("ack", count);
                }
            });
        }
    });
}

fn open(root: &Path, portable: bool) -> FileStore {
    // What a kill can undo does not depend on the durability, and without waiting for the disk there are more kills in
    // the middle of something.
    let builder = FileStore::builder(root).durability(Durability::Process).portable(portable);
    builder.deadline(Duration::from_secs(60)).open().unwrap()
}

/// A record that shows whether it is whole: its number, many times.
fn counter(count: u64) -> Entry {
    let words = 20 + count as usize % 500;
    Entry::new(count.to_le_bytes().repeat(words), at(4_000_000_000)).with_principal(PRINCIPAL)
}

fn counted(bytes: &[u8]) -> Option<u64> {
    let count = u64::from_le_bytes(*bytes.first_chunk()?);
    (counter(count).bytes == bytes).then_some(count)
}

/// The last number that was acknowledged to a writer, what it has tried after that, and how often it was acknowledged
/// anything.
fn read(acks: &Path) -> (u64, Option<u64>, usize) {
    let log = fs::read_to_string(acks).unwrap_or_default();
    let (mut last, mut tried, mut times) = (0, None, 0);
    // A line that is not complete was never acknowledged to anybody.
    for line in log.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n')) {
        match line.split_at(4) {
            ("ack ", count) => {
                (last, tried) = (count.parse().unwrap(), None);
                times += 1;
            }
            (_, count) => tried = Some(count.parse().unwrap()),
        }
    }
    (last, tried, times)
}

fn temporaries(fixture: &Fixture) -> usize {
    fixture.files().iter().filter(|path| path.extension().is_some_and(|end| end == "tmp")).count()
}

on_both_paths! {
    fn nothing_acknowledged_is_lost_by_killing(fixture) {
        if let Some(task) = task() {
            return write_for_ever(&task);
        }
        let store = open(&fixture.root(), fixture.portable);
        let folder = fixture.root().with_extension("acks");
        fs::create_dir(&folder).unwrap();
        let acks = |number: u64| folder.join(number.to_string());
        let (mut orphans, mut times, mut highest) = (0, HashMap::new(), 0);
        for cycle in 0..scale(20) {
            let mut children: Vec<_> = (0..PROCESSES)
                .map(|process| {
                    let run = fixture.child().with("acks", folder.display());
                    run.with("process", process).with("from", highest).start()
                })
                .collect();
            let began = |number| read(&acks(number)).2 > times.get(&number).copied().unwrap_or(0) + 1;
            while !(0..PROCESSES * WRITERS).all(began) {
                thread::sleep(Duration::from_millis(1));
            }
            thread::sleep(Duration::from_micros(cycle * 7_919 % 12_000));
            children.iter_mut().for_each(Running::kill);

            orphans += temporaries(&fixture);
            for number in 0..PROCESSES * WRITERS {
                let (last, tried, acknowledged) = read(&acks(number));
                check(&store, &key(number), last, tried);
                times.insert(number, acknowledged);
                highest = highest.max(last).max(tried.unwrap_or(0));
            }
            sweep_all(&store, START);
            assert_eq!(temporaries(&fixture), 0, "a sweep left a temporary file");
        }
        let acknowledged: usize = times.values().sum();
        println!("{acknowledged} acknowledged, {orphans} temporary files left by kills and swept");
    }
}

/// The record is as the last acknowledged operation left it, or as the one after that, which was under way.
fn check(store: &FileStore, record: &StoreKey, last: u64, tried: Option<u64>) {
    let found =
        block_on(store.load(record)).unwrap().map(|stored| counted(&stored.bytes).expect("a torn record"));
    let after = |count: u64| if count.is_multiple_of(7) { None } else { Some(count) };
    let expected = found == after(last) || tried.is_some_and(|tried| found == after(tried));
    assert!(expected, "{found:?} after {last} was acknowledged and {tried:?} tried");
    let listed = block_on(store.as_principal_index().unwrap().keys_of(&PRINCIPAL, None, 100)).unwrap();
    assert!(found.is_none() || listed.contains(record), "a live record is not listed");
}

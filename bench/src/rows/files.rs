//! P3 and P4: the file store beside the bare system calls that it cannot do without, and the peer's.
#![expect(clippy::expect_used, reason = "a measurement that cannot be set up ends with the reason")]

use std::{
    borrow::Cow,
    fs::{self, File, OpenOptions},
    io::{Read, Write},
    path::{Path, PathBuf},
    sync::Mutex,
    time::Duration,
};

use anyhow::Result;
use session_core::{StoreKey, Version};
use session_store_file::{Durability, FileStore};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tower_sessions::{
    SessionStore,
    session::{Id, Record},
};
use tower_sessions_file_store::FileSessionStorage;

use super::Options;
use crate::{
    report::{Line, OURS, Table, Unit},
    rounds::{interleaved, nanoseconds},
    sample::{self, create, in_parallel, key, load, mix, replace},
};

const BARE: &str = "bare calls";
const PEER: &str = "tower-sessions-file-store 0.3";
const PAYLOAD: usize = 600;

/// P3.
pub(super) fn loads(options: Options, runtime: &Runtime) -> Result<Vec<Table>> {
    let mut table =
        Table::new("P3", "a load from a file in the page cache", Unit::Nanoseconds, &[BARE, OURS, PEER])
            .note(&format!(
                "Sessions of {PAYLOAD} bytes at random. Bare: open, read, close of the library's own files. \
             The peer's folder has 10,000 sessions at most."
            ));
    for sessions in options.pick(vec![1_000, 100_000, 1_000_000], vec![1_000, 10_000]) {
        let folder = folder()?;
        let root = folder.path().join("ours");
        let store = open(&root, Durability::Process);
        fill(&store, sessions);
        let theirs = Peer::new(folder.path().join("theirs"), sessions.min(10_000), runtime);
        let calls = options.pick(2_000, 1_000);
        let mut call = 0_u64;
        let figures = interleaved(3, options.pick(25, 9), |at| {
            let mut some = |calls: usize| {
                // Not the same sessions for all: what one has just read is in the processor's caches.
                call += calls as u64;
                for number in (call - calls as u64..call).map(|call| mix(call) % sessions) {
                    match at {
                        0 => bare_load(&root, &key(number)),
                        1 => load(&store, &key(number)),
                        _ => theirs.load(number, runtime),
                    }
                }
            };
            // Who comes after the peer would find the caches full of the peer's.
            some(calls / 4);
            nanoseconds(calls, || some(calls))
        });
        let bare = figures[0];
        table.push(
            Line::new("load", figures).sessions(sessions).at_most(2.0 * bare).because("twice the bare calls"),
        );
        anyhow::ensure!(
            store.stats().waiting_loads * 100 <= store.stats().cached_loads,
            "the page cache did not answer: {:?}",
            store.stats()
        );
    }
    Ok(vec![table])
}

/// P4.
pub(super) fn writes(options: Options, runtime: &Runtime) -> Result<Vec<Table>> {
    let mut table = Table::new("P4", "a write to a file, by durability", Unit::Nanoseconds, &[BARE, OURS, PEER]).note(
        "Bare: a temporary file, renamed (Process); with fsync before (Data); with fsync of the folder after (Full). \
         The peer writes in place, neither atomic nor durable, and has no levels: it stands beside Process.",
    );
    let levels = [
        (Durability::Process, "Process", Some((1.3, "1.3 x the bare calls")), options.pick(200, 100)),
        (Durability::Data, "Data", None, options.pick(24, 8)),
        (Durability::Full, "Full", Some((1.2, "1.2 x the bare calls")), options.pick(24, 8)),
    ];
    for (durability, name, limit, calls) in levels {
        let folder = folder()?;
        let bench = Writes::new(folder.path(), durability, runtime);
        for (callers, words) in [(1, "one caller"), (8, "eight callers")] {
            let each = (calls / callers).max(1);
            let subjects = if durability == Durability::Process && callers == 1 { 3 } else { 2 };
            let figures = interleaved(subjects, options.pick(25, 7), |at| {
                nanoseconds(callers * each, || match at {
                    0 => in_parallel(callers, |caller| (0..each).for_each(|_| bench.bare(caller))),
                    1 => in_parallel(callers, |caller| (0..each).for_each(|_| bench.ours(caller))),
                    _ => (0..each).for_each(|_| bench.theirs.save(0, runtime)),
                })
            });
            let bare = figures[0];
            let padded = figures.into_iter().chain([f64::NAN]).take(3);
            let line = Line::new(format!("{name}, {words}"), padded);
            table.push(match limit {
                Some((limit, words)) => line.at_most(limit * bare).because(words),
                None => line,
            });
        }
    }
    Ok(vec![table, writers(options, runtime)?])
}

/// Durable writes of 64 callers over those of one.
fn writers(options: Options, runtime: &Runtime) -> Result<Table> {
    let folder = folder()?;
    let bench = Writes::new(folder.path(), Durability::Full, runtime);
    let each = options.pick(16, 4);
    let figures = interleaved(2, options.pick(9, 3), |at| {
        let write = |caller: usize| if at == 0 { bench.bare(caller) } else { bench.ours(caller) };
        let one = nanoseconds(each, || in_parallel(1, |_| (0..each).for_each(|_| write(0))));
        let all = nanoseconds(64 * each, || in_parallel(64, |caller| (0..each).for_each(|_| write(caller))));
        one / all
    });
    let mut table =
        Table::new("P4", "durable writes of 64 callers, over those of one", Unit::Times, &[BARE, OURS]);
    table.push(Line::new("Full", figures).at_least(3.5));
    Ok(table)
}

/// 64 files, for the store, for bare system calls, and for the peer.
struct Writes {
    durability: Durability,
    bare: PathBuf,
    store: FileStore,
    sessions: Vec<(StoreKey, Mutex<Version>)>,
    theirs: Peer,
}

impl Writes {
    fn new(folder: &Path, durability: Durability, runtime: &Runtime) -> Self {
        let store = open(&folder.join("ours"), durability);
        let create = |key| (key, Mutex::new(create(&store, &key, sample::entry(0, PAYLOAD))));
        let sessions: Vec<_> = (0..64).map(key).map(create).collect();
        let bare = folder.join("bare");
        // With as many folders as the store has, because files of one folder wait for each other.
        for caller in 0..sessions.len() {
            fs::create_dir_all(bare.join(format!("{caller:02x}"))).expect("a folder");
        }
        Self { durability, bare, store, sessions, theirs: Peer::new(folder.join("theirs"), 1, runtime) }
    }

    fn ours(&self, caller: usize) {
        let (key, version) = &self.sessions[caller];
        let mut version = version.lock().expect("a lock");
        *version = replace(&self.store, key, sample::entry(0, PAYLOAD), *version);
    }

    fn bare(&self, caller: usize) {
        let folder = self.bare.join(format!("{caller:02x}"));
        let (temporary, target) = (folder.join("record.tmp"), folder.join("record"));
        let mut file = OpenOptions::new().write(true).create_new(true).open(&temporary).expect("a file");
        file.write_all(&[7; PAYLOAD + 112]).expect("room");
        if self.durability != Durability::Process {
            file.sync_all().expect("a disk");
        }
        drop(file);
        fs::rename(temporary, target).expect("a file");
        if self.durability == Durability::Full {
            File::open(folder).and_then(|folder| folder.sync_all()).expect("a folder");
        }
    }
}

/// The peer's store with so many sessions.
struct Peer {
    store: FileSessionStorage,
    records: Vec<Record>,
}

impl Peer {
    fn new(folder: PathBuf, sessions: u64, runtime: &Runtime) -> Self {
        let store = FileSessionStorage::new_in_folder(Cow::Owned(folder));
        let records = (0..sessions).map(|number| {
            let expiry_date = time::OffsetDateTime::now_utc() + time::Duration::minutes(45);
            let data = [("value".to_owned(), serde_json::Value::from(".".repeat(PAYLOAD - 15)))].into();
            Record { id: Id(i128::from(mix(number))), data, expiry_date }
        });
        let mut records: Vec<_> = records.collect();
        for record in &mut records {
            runtime.block_on(store.create(record)).expect("a file");
        }
        Self { store, records }
    }

    fn load(&self, number: u64, runtime: &Runtime) {
        let record = &self.records[number as usize % self.records.len()];
        assert!(runtime.block_on(self.store.load(&record.id)).is_ok_and(|found| found.is_some()));
    }

    fn save(&self, number: usize, runtime: &Runtime) {
        runtime.block_on(self.store.save(&self.records[number])).expect("a file");
    }
}

fn bare_load(root: &Path, key: &StoreKey) {
    let hex = key.to_hex();
    let mut buffer = [0; 4096];
    let read = File::open(root.join(&hex[..2]).join(&hex[2..])).and_then(|mut file| file.read(&mut buffer));
    assert!(read.is_ok_and(|length| length > PAYLOAD));
}

pub(super) fn fill(store: &FileStore, sessions: u64) {
    in_parallel(2, |half| {
        for number in (half as u64..sessions).step_by(2) {
            let _ = create(store, &key(number), sample::entry(number, PAYLOAD));
        }
    });
}

pub(super) fn open(root: &Path, durability: Durability) -> FileStore {
    let builder = FileStore::builder(root).durability(durability).deadline(Duration::from_secs(60));
    builder.open().expect("a folder")
}

/// A folder in `SESSION_BENCH_FOLDER`, or where temporary files are.
pub(super) fn folder() -> Result<TempDir> {
    let parent = std::env::var_os("SESSION_BENCH_FOLDER").map_or_else(std::env::temp_dir, PathBuf::from);
    Ok(tempfile::tempdir_in(parent)?)
}

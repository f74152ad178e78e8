//! What the store costs beyond the bare system calls, side by side in one run.
//!
//! `cargo run --release -p session-store-file --example measure -- [folder] [records]`
//!
//! Medians of interleaved rounds. `records` (default 20,000) is how many sessions lie in the folder for the last rows.

#![allow(clippy::unwrap_used, reason = "a measurement that fails has no result")]

use std::{
    fs::{self, File, OpenOptions},
    future::Future,
    io::{Read, Write},
    path::{Path, PathBuf},
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
    thread::{self, Thread},
    time::{Duration, Instant, SystemTime},
};

use session_conformance::store::sample::key;
use session_core::{Entry, Expect, Store, StoreKey, Version, Written};
use session_store_file::{Durability, FileStore};

const PAYLOAD: usize = 600;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let parent = arguments.next().map_or_else(std::env::temp_dir, PathBuf::from);
    let records = arguments.next().map_or(20_000, |count| count.parse().unwrap());
    let folder = tempfile::tempdir_in(parent).unwrap();

    println!("{:<44} {:>10} {:>10} {:>7}", "", "bare", "store", "ratio");
    load(folder.path());
    for (name, durability, per_round) in [
        ("Process", Durability::Process, 200),
        ("Data", Durability::Data, 30),
        ("Full", Durability::Full, 30),
    ] {
        write(folder.path(), name, durability, per_round);
    }
    writers(folder.path());
    growth(folder.path(), records);
}

/// A load that the page cache answers, and open + read + close of the same file.
fn load(folder: &Path) {
    let store = open(&folder.join("load"), Durability::Process);
    let key = key(0);
    create(&store, &key);
    let hex = key.to_hex();
    let file = folder.join("load").join(&hex[..2]).join(&hex[2..]);
    let mut buffer = [0; 4096];
    let row = compare(
        2_000,
        |_| assert!(File::open(&file).unwrap().read(&mut buffer).unwrap() > PAYLOAD),
        |_| assert!(block_on(store.load(&key)).unwrap().is_some()),
    );
    row.print("load, in the page cache");
    assert_eq!(store.stats().waiting_loads, 0, "the page cache did not answer");
}

/// A replaced record, and the same steps on bare files: once as one caller sees it, who waits for each write before the
/// next, and once for eight at a time, where the way to another thread and back overlaps with work.
fn write(folder: &Path, name: &str, durability: Durability, per_round: usize) {
    let bare = folder.join(format!("bare-{name}"));
    let store = open(&folder.join(name), durability);
    let keys: Vec<_> = (0..64).map(key).collect();
    let mut versions: Vec<_> = keys.iter().map(|key| create(&store, key)).collect();
    for i in 0..keys.len() {
        fs::create_dir_all(bare.join(format!("{i:02x}"))).unwrap();
        bare_write(&bare, i, durability);
    }
    let row = compare(
        per_round,
        |i| bare_write(&bare, i % 64, durability),
        |i| versions[i % 64] = replace(&store, &keys[i % 64], versions[i % 64]),
    );
    row.print(&format!("write {name}, one caller"));

    let row = compare(
        1,
        |_| in_parallel(8, |caller| (0..per_round / 8).for_each(|_| bare_write(&bare, caller, durability))),
        |_| {
            in_parallel(8, |caller| {
                let mut version = block_on(store.load(&keys[caller])).unwrap().unwrap().version;
                (0..per_round / 8).for_each(|_| version = replace(&store, &keys[caller], version));
            });
        },
    );
    row.per(per_round / 8 * 8).print(&format!("write {name}, eight callers"));
}

/// Durable writes a second of one caller and of 64.
fn writers(folder: &Path) {
    let store = open(&folder.join("writers"), Durability::Full);
    let keys: Vec<_> = (0..64).map(key).collect();
    keys.iter().for_each(|key| _ = create(&store, key));
    let write = |caller: usize, count: usize| {
        let mut version = block_on(store.load(&keys[caller])).unwrap().unwrap().version;
        (0..count).for_each(|_| version = replace(&store, &keys[caller], version));
    };
    let row = compare(1, |_| write(0, 64), |_| in_parallel(64, |caller| write(caller, 16)));
    let (one, all) = (64.0 / row.bare.as_secs_f64(), 1_024.0 / row.store.as_secs_f64());
    println!("{:<44} {:>8.0}/s {:>8.0}/s {:>7.2}", "write Full: one caller, 64 callers", one, all, all / one);
}

/// Loads among few and among many sessions.
fn growth(folder: &Path, records: u64) {
    let store = open(&folder.join("growth"), Durability::Process);
    let began = Instant::now();
    in_parallel(2, |half| (0..records / 2).for_each(|i| _ = create(&store, &key(2 * i + half as u64))));
    println!(
        "{:<44} {:>10} {:>10.2?}",
        format!("create Process, each of {records}"),
        "",
        began.elapsed() / records as u32
    );
    let load = |number: u64| assert!(block_on(store.load(&key(number))).unwrap().is_some());
    let row = compare(2_000, |i| load(i as u64 % 1_000), |i| load((i as u64 * 7_919) % records));
    row.print(&format!("load: of the first 1,000, of all {records}"));
}

struct Row {
    bare: Duration,
    store: Duration,
}

impl Row {
    fn per(self, operations: usize) -> Self {
        Self { bare: self.bare / operations as u32, store: self.store / operations as u32 }
    }

    fn print(&self, name: &str) {
        let ratio = self.store.as_secs_f64() / self.bare.as_secs_f64();
        println!("{name:<44} {:>10.2?} {:>10.2?} {ratio:>7.2}", self.bare, self.store);
    }
}

fn compare(per_round: usize, mut bare: impl FnMut(usize), mut store: impl FnMut(usize)) -> Row {
    let (mut bares, mut stores) = (Vec::new(), Vec::new());
    for round in 0..25 {
        bares.push(time(per_round, |i| bare(round * per_round + i)));
        stores.push(time(per_round, |i| store(round * per_round + i)));
    }
    Row { bare: median(bares), store: median(stores) }
}

fn time(per_round: usize, work: impl FnMut(usize)) -> Duration {
    let began = Instant::now();
    (0..per_round).for_each(work);
    began.elapsed() / per_round as u32
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn in_parallel(callers: usize, work: impl Fn(usize) + Sync) {
    thread::scope(|scope| {
        for caller in 0..callers {
            let work = &work;
            scope.spawn(move || work(caller));
        }
    });
}

/// With as many folders as the store has, because files of one folder wait for each other.
fn bare_write(parent: &Path, file: usize, durability: Durability) {
    let folder = parent.join(format!("{file:02x}"));
    let (temporary, target) = (folder.join("record.tmp"), folder.join("record"));
    let mut file = OpenOptions::new().write(true).create_new(true).open(&temporary).unwrap();
    file.write_all(&[7; PAYLOAD + 112]).unwrap();
    if durability != Durability::Process {
        file.sync_all().unwrap();
    }
    drop(file);
    fs::rename(temporary, target).unwrap();
    if durability == Durability::Full {
        File::open(folder).unwrap().sync_all().unwrap();
    }
}

fn open(root: &Path, durability: Durability) -> FileStore {
    FileStore::builder(root).durability(durability).deadline(Duration::from_secs(60)).open().unwrap()
}

fn entry() -> Entry {
    Entry::new(vec![7; PAYLOAD], SystemTime::now() + Duration::from_secs(3_600))
}

fn create(store: &FileStore, key: &StoreKey) -> Version {
    stored(block_on(store.write(key, entry(), Expect::Absent)).unwrap())
}

fn replace(store: &FileStore, key: &StoreKey, version: Version) -> Version {
    stored(block_on(store.write(key, entry(), Expect::Version(version))).unwrap())
}

fn stored(written: Written) -> Version {
    match written {
        Written::Stored(version) => version,
        Written::Conflict => panic!("conflict"),
    }
}

fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);

    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

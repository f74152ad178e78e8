//! Prints what a session costs in this store: memory, time, and what a second thread adds.
//!
//! `cargo run --release -p session-store-memory --example measure`. A debug build does a hundredth of it and shows only
//! that it runs.

use std::{
    fmt::Display,
    future::Future,
    hint::black_box,
    pin::pin,
    task::{Context, Poll, Waker},
    thread,
    time::{Duration, Instant, SystemTime},
};

use session_conformance::store::sample::{key, mix, principal};
use session_core::{Entry, Expect, Store, Version, Written};
use session_store_memory::MemoryStore;

fn main() {
    row("sessions of 100 bytes", SIZES);
    row("heap bytes each, anonymous", SIZES.map(|count| heap_bytes(count, false)));
    row("heap bytes each, signed in", SIZES.map(|count| heap_bytes(count, true)));
    row("bytes() each", SIZES.map(|count| filled(count, false).bytes() as u64 / count));
    row("ns per create", SIZES.map(|count| nanos(count, || drop(filled(count, false)))));

    let stores = SIZES.map(|count| filled(count, false));
    row("ns per load", stores.each_ref().map(|store| nanos(LOADS, || load(store, 1))));
    row("ns per load and replace", stores.each_ref().map(|store| nanos(WRITES, || replace(store))));
    row("ns per create and remove", stores.each_ref().map(|store| nanos(WRITES, || come_and_go(store))));
    row("loads of two threads / one", stores.each_ref().map(|store| format!("{:.2}", speedup(store))));
    drop(stores);

    let (from, to) = (500_000 / SCALE, 1_500_000 / SCALE);
    for (signed_in, name) in [(false, "anonymous"), (true, "signed in")] {
        let sizes = (from..=to).step_by(50_000 / SCALE as usize);
        let most = sizes.map(|count| heap_bytes(count, signed_in)).max().unwrap_or_default();
        println!("heap bytes each, {name}, at most, from {from} to {to} sessions: {most}");
    }
    flood();
}

const SCALE: u64 = if cfg!(debug_assertions) { 100 } else { 1 };
const SIZES: [u64; 3] = [1_000, 100_000 / SCALE, 1_000_000 / SCALE];
const LOADS: u64 = 2_000_000 / SCALE;
const WRITES: u64 = 200_000 / SCALE;
const ROUNDS: usize = 5;

fn row<T: Display>(name: &str, cells: [T; 3]) {
    let cells = cells.map(|cell| format!("{cell:>12}")).concat();
    println!("{name:<30}{cells}");
}

fn heap_bytes(count: u64, signed_in: bool) -> u64 {
    let mut store = None;
    let heap = allocation_counter::measure(|| store = Some(filled(count, signed_in)));
    heap.bytes_current.unsigned_abs() / count
}

fn nanos(count: u64, mut work: impl FnMut()) -> u64 {
    (median(|| seconds(&mut work)) * 1e9 / count as f64).round() as u64
}

/// Compares rounds next to each other, so that what else the machine does hits both.
fn speedup(store: &MemoryStore) -> f64 {
    median(|| 2.0 * seconds(|| load(store, 1)) / seconds(|| load(store, 2)))
}

fn median(mut measure: impl FnMut() -> f64) -> f64 {
    let mut rounds = [0.0; ROUNDS].map(|_: f64| measure());
    rounds.sort_unstable_by(f64::total_cmp);
    rounds[ROUNDS / 2]
}

fn seconds(work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_secs_f64()
}

/// `threads` times [`LOADS`] loads of sessions at random.
fn load(store: &MemoryStore, threads: u64) {
    let count = store.len() as u64;
    thread::scope(|scope| {
        for thread in 0..threads {
            scope.spawn(move || {
                for number in 0..LOADS {
                    let key = key(mix(number ^ thread << 32) % count);
                    assert!(black_box(ready(store.load(&key))).is_ok_and(|found| found.is_some()));
                }
            });
        }
    });
}

fn replace(store: &MemoryStore) {
    let count = store.len() as u64;
    for number in 0..WRITES {
        let key = key(mix(number) % count);
        let found = ready(store.load(&key)).ok().flatten();
        let version = found.map_or(Version::new(0), |found| found.version);
        assert!(is_stored(ready(store.write(&key, entry(number), Expect::Version(version)))));
    }
}

fn come_and_go(store: &MemoryStore) {
    let count = store.len() as u64;
    for number in count..count + WRITES {
        assert!(is_stored(ready(store.write(&key(number), entry(number), Expect::Absent))));
        let _ = black_box(ready(store.remove(&key(number), None)));
    }
}

/// Ten million visitors, none of whom ever comes back, in a store with room for a fraction of them.
fn flood() {
    let (visitors, bound) = (10_000_000 / SCALE, (64 << 20) / SCALE);
    let store = MemoryStore::builder().max_bytes(bound as usize).build();
    let mut most = 0;
    let start = Instant::now();
    let heap = allocation_counter::measure(|| {
        for number in 0..visitors {
            assert!(is_stored(ready(store.write(&key(number), entry(number), Expect::Absent))));
            most = most.max(store.bytes());
        }
    });
    let nanos = start.elapsed().as_nanos() / u128::from(visitors);
    println!("flood of {visitors} creates, bound {bound} bytes: {nanos} ns each, {} kept", store.len());
    println!("  most by bytes(): {:.1} % of the bound", most as f64 * 100.0 / bound as f64);
    println!("  most on the heap: {:.1} % of the bound", heap.bytes_max as f64 * 100.0 / bound as f64);
}

fn filled(count: u64, signed_in: bool) -> MemoryStore {
    let store = MemoryStore::builder().max_records(usize::MAX).max_bytes(usize::MAX).build();
    for number in 0..count {
        let principal = signed_in.then(|| principal(number));
        let entry = entry(number).with_principal(principal);
        assert!(is_stored(ready(store.write(&key(number), entry, Expect::Absent))));
    }
    store
}

fn is_stored<E>(written: Result<Written, E>) -> bool {
    matches!(written, Ok(Written::Stored(_)))
}

/// A hundred bytes that expire within half an hour to an hour.
fn entry(number: u64) -> Entry {
    let life = Duration::from_millis(1_800_000 + mix(number) % 1_800_000);
    Entry::new(vec![b'.'; 100], SystemTime::now() + life)
}

/// What a future gives that never waits.
fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => unreachable!("the memory store does not wait"),
    }
}

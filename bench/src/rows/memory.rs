//! P2: the memory store beside those of the peers, a cache, and a bare hash map.
#![expect(clippy::expect_used, reason = "a measurement that cannot be set up ends with the reason")]

use std::{collections::HashMap, hint::black_box, sync::Mutex};

use anyhow::Result;
use bytes::Bytes;
use session_core::{Expect, Store};
use session_store_memory::MemoryStore;
use tokio::runtime::Runtime;
use tower_sessions::{
    SessionStore as _,
    session::{Id, Record},
};

use super::Options;
use crate::{
    counts::Counts,
    report::{Line, OURS, Table, Unit},
    rounds::{interleaved, nanoseconds},
    sample::{block_on, create, digest, entry, half_time, in_parallel, key, load, mix, replace},
};

const PEERS: [&str; 3] = [OURS, "tower-sessions 0.15", "moka 0.12"];

pub(super) fn measure(options: Options, _: &Runtime) -> Result<Vec<Table>> {
    let (loads, threads) = loads(options);
    Ok(vec![bytes(&Counts::take(options.quick)?), loads, threads, changes(options)])
}

fn bytes(counts: &Counts) -> Table {
    let mut table = Table::new("P2", "heap bytes of a session of 100 bytes, in memory", Unit::Bytes, &PEERS);
    for counted in &counts.memory {
        let line = Line::new(counted.what.clone(), counted.bytes.clone()).sessions(counted.sessions);
        table.push(line.at_most(400.0));
    }
    table
}

fn loads(options: Options) -> (Table, Table) {
    let columns = [&PEERS[..], &["HashMap"]].concat();
    let mut one = Table::new("P2", "a load from memory, sessions at random", Unit::Nanoseconds, &columns)
        .note("HashMap: the same records in a bare table behind a lock, which is what the caches of the machine take.");
    let mut two = Table::new("P2", "loads of two threads, over those of one", Unit::Times, &columns);
    let mut smallest = None;
    for sessions in options.sizes() {
        let subjects = subjects(sessions);
        let calls = options.pick(500_000, 100_000);
        let rounds = options.pick(9, 5);
        let alone =
            interleaved(4, rounds, |at| nanoseconds(calls, || subjects[at].loads(sessions, calls, 0)));
        let (ours, floor) = (alone[0], alone[3]);
        let line = Line::new("load", alone.iter().copied()).sessions(sessions);
        one.push(match smallest {
            None => {
                smallest = Some((ours, floor));
                line.at_most(alone[1].min(alone[2])).because("the faster peer")
            }
            Some((ours_before, floor_before)) => {
                let flat = ours_before + 1.25 * (floor - floor_before).max(0.0);
                line.at_most(flat.min(alone[1].min(alone[2])))
                    .because("grows as a bare HashMap does and a quarter, and is below both peers")
            }
        });
        let ratios = interleaved(4, rounds, |at| {
            let together = nanoseconds(2 * calls, || {
                in_parallel(2, |thread| subjects[at].loads(sessions, calls, thread as u64));
            });
            let one = nanoseconds(calls, || in_parallel(1, |_| subjects[at].loads(sessions, calls, 0)));
            one / together
        });
        two.push(Line::new("two threads", ratios).sessions(sessions).at_least(1.8));
    }
    (one, two)
}

/// Something that holds sessions.
enum Subject {
    Ours(MemoryStore),
    TowerSessions(tower_sessions::MemoryStore),
    Moka(moka::sync::Cache<[u8; 32], Bytes>),
    Table(Mutex<HashMap<[u8; 32], Bytes>>),
}

impl Subject {
    /// So many loads of sessions at random.
    fn loads(&self, sessions: u64, calls: usize, seed: u64) {
        for number in (0..calls as u64).map(|call| mix(call ^ seed << 32) % sessions) {
            match self {
                Self::Ours(store) => load(store, &key(number)),
                Self::TowerSessions(store) => {
                    let found = block_on(store.load(&Id(id(number))));
                    assert!(black_box(found).is_ok_and(|found| found.is_some()));
                }
                Self::Moka(cache) => assert!(black_box(cache.get(&digest(number))).is_some()),
                Self::Table(table) => {
                    let found = table.lock().expect("a lock").get(&digest(number)).cloned();
                    assert!(black_box(found).is_some());
                }
            }
        }
    }
}

fn subjects(sessions: u64) -> [Subject; 4] {
    let table = (0..sessions).map(|number| (digest(number), payload())).collect();
    [
        Subject::Ours(ours(sessions, false)),
        Subject::TowerSessions(tower_sessions(sessions)),
        Subject::Moka(moka(sessions)),
        Subject::Table(Mutex::new(table)),
    ]
}

/// The library's store with so many sessions of 100 bytes.
///
/// # Panics
/// If they cannot be stored.
#[must_use]
pub fn ours(sessions: u64, signed_in: bool) -> MemoryStore {
    let store = MemoryStore::builder().max_records(usize::MAX).max_bytes(usize::MAX).build();
    for number in 0..sessions {
        let principal = signed_in.then(|| crate::sample::principal(number));
        let _ = create(&store, &key(number), entry(number, 100).with_principal(principal));
    }
    store
}

/// The peer's store, with values that take as much as the library's records.
///
/// # Panics
/// If they cannot be stored.
#[must_use]
pub fn tower_sessions(sessions: u64) -> tower_sessions::MemoryStore {
    let store = tower_sessions::MemoryStore::default();
    for number in 0..sessions {
        let expiry_date = time::OffsetDateTime::now_utc() + time::Duration::minutes(45);
        let data = [("value".to_owned(), serde_json::Value::from(".".repeat(85)))].into();
        block_on(store.save(&Record { id: Id(id(number)), data, expiry_date })).expect("a store");
    }
    store
}

/// A cache with room for all, each to be kept for a time.
#[must_use]
pub fn moka(sessions: u64) -> moka::sync::Cache<[u8; 32], Bytes> {
    let cache = moka::sync::Cache::builder()
        .max_capacity(2 * sessions)
        .time_to_live(std::time::Duration::from_secs(3_600))
        .build();
    for number in 0..sessions {
        cache.insert(digest(number), payload());
    }
    cache.run_pending_tasks();
    cache
}

fn payload() -> Bytes {
    vec![b'.'; 100].into()
}

fn id(number: u64) -> i128 {
    i128::from(mix(number)) << 64 | i128::from(mix(!number))
}

/// What else the store does, and what it does when ten million visitors come who never come back.
fn changes(options: Options) -> Table {
    let mut table = Table::new("P2", "changes in memory", Unit::Nanoseconds, &[OURS]);
    let calls = options.pick(200_000, 20_000);
    for sessions in options.sizes() {
        let store = ours(sessions, false);
        let replaced =
            interleaved(1, 5, |_| nanoseconds(calls as usize, || replace_at_random(&store, sessions, calls)));
        table.push(Line::new("load and replace", replaced).sessions(sessions));
        let come_and_go = interleaved(1, 5, |_| {
            nanoseconds(calls as usize, || {
                for number in sessions..sessions + calls {
                    let _ = create(&store, &key(number), entry(number, 100));
                    drop(black_box(block_on(store.remove(&key(number), None))));
                }
            })
        });
        table.push(Line::new("create and remove", come_and_go).sessions(sessions));
        let sweep = nanoseconds(sessions as usize / 2, || {
            let request = session_core::SweepRequest::before(half_time());
            let swept = block_on(session_core::Sweep::sweep(&store, request.budget(usize::MAX)));
            assert!(swept.is_ok_and(|swept| swept.removed > 0));
        });
        table.push(Line::new("sweep of half, each", [sweep]).sessions(sessions));
    }
    let (visitors, bound) = options.pick((10_000_000, 64 << 20), (500_000, 4 << 20));
    let store = MemoryStore::builder().max_bytes(bound).build();
    let flood = nanoseconds(visitors as usize, || {
        for number in 0..visitors {
            drop(black_box(block_on(store.write(&key(number), entry(number, 100), Expect::Absent))));
        }
    });
    table.push(Line::new("create in a full store, visitors", [flood]).sessions(visitors));
    table
}

fn replace_at_random(store: &MemoryStore, sessions: u64, calls: u64) {
    for number in (0..calls).map(|call| mix(call) % sessions) {
        let key = key(number);
        let found = block_on(store.load(&key)).ok().flatten().expect("a session");
        let _ = replace(store, &key, entry(number, 100), found.version);
    }
}

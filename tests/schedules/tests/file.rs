//! The file store: its pool, its tickets and the locks of its shards, on a real folder.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, UNIX_EPOCH},
};

use session_core::{Entry, Expect, Removed, Store, StoreErrorKind, StoreKey, Stored, Written};
use session_schedules::explore;
use session_store_file::{Durability, FileStore, FileStoreBuilder};
use shuttle::{
    future::{block_on, spawn, yield_now},
    rand::{Rng, thread_rng},
};

/// Each opens a store and makes some dozen system calls.
const SCHEDULES: u64 = 150;

static NEXT_KEY: AtomicU64 = AtomicU64::new(0);

/// A key that no other schedule has.
fn fresh_key() -> StoreKey {
    let mut bytes = [7; 32];
    bytes[8..16].copy_from_slice(&NEXT_KEY.fetch_add(1, Ordering::Relaxed).to_le_bytes());
    StoreKey::from_bytes(bytes)
}

fn entry(number: u64) -> Entry {
    Entry::new(number.to_le_bytes(), UNIX_EPOCH + Duration::from_secs(9_000_000_000))
}

fn number(stored: &Stored) -> u64 {
    u64::from_le_bytes(stored.bytes[..].try_into().unwrap())
}

/// Reads, adds one and writes until that is stored. Answers whether the record was there.
async fn count(store: &FileStore, key: &StoreKey) -> bool {
    while let Some(stored) = store.load(key).await.unwrap() {
        let next = entry(number(&stored) + 1);
        if store.write(key, next, Expect::Version(stored.version)).await.unwrap() != Written::Conflict {
            return true;
        }
    }
    false
}

/// Opens a store for every schedule, all in one folder: making those of a store takes longer than what happens in it.
fn explore_store<F: Future<Output = ()>>(
    configure: fn(FileStoreBuilder) -> FileStoreBuilder,
    test: impl Fn(FileStore, StoreKey) -> F + Send + Sync + Clone + 'static,
) {
    let memory = Path::new("/dev/shm");
    let parent = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
    let folder = tempfile::Builder::new().prefix("session-schedules-").tempdir_in(parent).unwrap();
    let root = folder.path().join("sessions");
    let made = AtomicBool::new(false);
    explore(SCHEDULES, {
        let (root, made) = (root, Arc::new(made));
        move || {
            let builder = FileStore::builder(&root).durability(Durability::Process).io_threads(3);
            let builder = builder.create(!made.swap(true, Ordering::Relaxed));
            let (store, key) = (configure(builder).open().unwrap(), fresh_key());
            block_on(async {
                test(store.clone(), key).await;
                assert_eq!(store.remove(&key, None).await.unwrap(), Removed::Gone);
            });
        }
    });
}

/// Promise C1.
#[test]
fn no_increment_is_lost() {
    explore_store(
        |builder| builder,
        |store, key| async move {
            assert_ne!(store.write(&key, entry(0), Expect::Absent).await.unwrap(), Written::Conflict);
            let task = || {
                let store = store.clone();
                spawn(async move { assert!(count(&store, &key).await) })
            };
            for task in [task(), task(), task()] {
                task.await.unwrap();
            }
            assert_eq!(number(&store.load(&key).await.unwrap().unwrap()), 3);
        },
    );
}

#[test]
fn of_creates_at_once_one_is_stored() {
    explore_store(
        |builder| builder,
        |store, key| async move {
            let task = |value| {
                let store = store.clone();
                spawn(async move { (value, store.write(&key, entry(value), Expect::Absent).await.unwrap()) })
            };
            let mut stored = Vec::new();
            for task in [task(1), task(2), task(3)] {
                let (value, written) = task.await.unwrap();
                stored.extend((written != Written::Conflict).then_some(value));
            }
            assert_eq!(stored, [number(&store.load(&key).await.unwrap().unwrap())]);
        },
    );
}

/// Promise C3.
#[test]
fn a_removal_is_final() {
    explore_store(
        |builder| builder,
        |store, key| async move {
            assert_ne!(store.write(&key, entry(0), Expect::Absent).await.unwrap(), Written::Conflict);
            let writers: Vec<_> = (0..2)
                .map(|_| {
                    let store = store.clone();
                    spawn(async move { count(&store, &key).await })
                })
                .collect();
            let removed = store.remove(&key, None).await.unwrap();
            for writer in writers {
                writer.await.unwrap();
            }
            assert_eq!((removed, store.load(&key).await.unwrap()), (Removed::Gone, None));
        },
    );
}

/// Promise C6: a write that was given up is done or not, and never lands on a later one.
#[test]
fn a_dropped_write_spares_a_later_one() {
    explore_store(
        |builder| builder,
        |store, key| async move {
            let Written::Stored(version) = store.write(&key, entry(1), Expect::Absent).await.unwrap() else {
                panic!("a create conflicts")
            };
            let given_up = {
                let store = store.clone();
                let waits = thread_rng().gen_range(0..6);
                spawn(async move {
                    let write = spawn({
                        let store = store.clone();
                        async move { store.write(&key, entry(2), Expect::Version(version)).await }
                    });
                    for _ in 0..waits {
                        yield_now().await;
                    }
                    write.abort();
                })
            };
            let mut last = None;
            for value in [10, 20] {
                let stored = store.load(&key).await.unwrap().unwrap();
                if store.write(&key, entry(value), Expect::Version(stored.version)).await.unwrap()
                    != Written::Conflict
                {
                    last = Some(value);
                }
            }
            given_up.await.unwrap();
            let found = number(&store.load(&key).await.unwrap().unwrap());
            let expected = last.map_or([1, 2], |last| [last, last]);
            assert!(
                expected.contains(&found) || found == 2 && last == Some(10),
                "{found} is there after {last:?}"
            );
        },
    );
}

/// More than the queue may hold is refused at once, and nothing that was taken is forgotten.
#[test]
fn every_call_is_answered() {
    explore_store(
        |builder| builder.io_threads(1).queue_limit(2),
        |store, key| async move {
            let task = || {
                let store = store.clone();
                spawn(async move { store.write(&key, entry(1), Expect::Absent).await })
            };
            let mut stored = 0;
            for task in [task(), task(), task(), task()] {
                match task.await.unwrap() {
                    Ok(Written::Stored(_)) => stored += 1,
                    Ok(Written::Conflict) => {}
                    Err(error) => assert_eq!(error.kind(), StoreErrorKind::Overloaded),
                }
            }
            assert_eq!(stored, 1);
        },
    );
}

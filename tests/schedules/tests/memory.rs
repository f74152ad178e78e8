//! The memory store: what several threads see can be put into one order, and what it counts is what it holds.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{
    sync::Arc as StdArc,
    time::{Duration, UNIX_EPOCH},
};

use session_core::{
    Entry, Expect, ManualClock, PrincipalIndex, PrincipalKey, Removed, Store, StoreErrorKind, StoreKey,
    Sweep, SweepRequest, Written,
};
use session_schedules::explore;
use session_store_memory::MemoryStore;
use shuttle::{
    future::block_on,
    rand::{Rng, thread_rng},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

/// What the linearizability of a history is, from the kit.
#[path = "../../src/store/history.rs"]
mod history;
use history::{Call, What, is_linearizable};

const SCHEDULES: u64 = 600;

fn key(number: u8) -> StoreKey {
    StoreKey::from_bytes([number; 32])
}

fn entry(bytes: &str, seconds: u64) -> Entry {
    Entry::new(bytes, UNIX_EPOCH + Duration::from_secs(seconds))
}

/// Runs `work` on three threads at once.
fn together<T: Send + 'static>(work: impl Fn(u64) -> T + Send + Sync + 'static) -> Vec<T> {
    let work = Arc::new(work);
    let spawn = |number| {
        let work = Arc::clone(&work);
        thread::spawn(move || work(number))
    };
    let threads: Vec<_> = (0..3).map(spawn).collect();
    threads.into_iter().map(|thread| thread.join().unwrap()).collect()
}

/// Promise C5.
#[test]
fn what_threads_see_is_linearizable() {
    explore(SCHEDULES, || {
        let (store, time) = (MemoryStore::builder().shards(1).build(), Arc::new(AtomicU64::new(0)));
        let calls = together(move |_| {
            let (mut known, mut calls) = (None, Vec::new());
            for _ in 0..4 {
                let choice = thread_rng().gen_range(0..6_u8);
                let expect = known.filter(|_| choice % 2 == 0);
                let asked = time.fetch_add(1, Ordering::SeqCst);
                let what = match choice {
                    0..2 => {
                        let found = block_on(store.load(&key(1))).unwrap().map(|stored| stored.version);
                        known = found.or(known);
                        What::Load(found)
                    }
                    2..4 => {
                        let expect = expect.map_or(Expect::Absent, Expect::Version);
                        let written =
                            block_on(store.write(&key(1), entry("x", 9_000_000_000), expect)).unwrap();
                        if let Written::Stored(version) = written {
                            known = Some(version);
                        }
                        What::Write(expect, written)
                    }
                    _ => What::Remove(expect, block_on(store.remove(&key(1), expect)).unwrap()),
                };
                calls.push(Call { asked, answered: time.fetch_add(1, Ordering::SeqCst), what });
            }
            calls
        });
        let calls: Vec<Call> = calls.into_iter().flatten().collect();
        assert!(is_linearizable(&calls), "no order explains {calls:?}");
    });
}

/// Promise S7: a store that is full stays within its bounds, finds room where there is some, and counts what it holds.
#[test]
fn a_full_store_keeps_to_its_bounds() {
    explore(SCHEDULES, || {
        // As much room as there are writers: room that one is about to use is nobody else's to free.
        let store = MemoryStore::builder().shards(2).max_records(3).build();
        let filled = store.clone();
        let stored = together(move |number| {
            let number = u8::try_from(number).unwrap();
            let (low, high) = (key(number), key(0x80 | number));
            for at in [low, high] {
                let written = block_on(filled.write(&at, entry("x", 9_000_000_000), Expect::Absent));
                // Visitors make room for each other, so there always is some.
                assert!(matches!(written.unwrap(), Written::Stored(_)));
                assert!(filled.len() <= 3, "{} records in a store for three", filled.len());
            }
            assert_eq!(block_on(filled.remove(&low, None)).unwrap(), Removed::Gone);
            [low, high]
        });
        let mut left = 0;
        for key in stored.into_iter().flatten() {
            left += usize::from(block_on(store.load(&key)).unwrap().is_some());
            assert_eq!(block_on(store.remove(&key, None)).unwrap(), Removed::Gone);
        }
        assert!(left <= 3);
        assert_eq!((store.len(), store.bytes()), (0, 0), "what was freed is not what was taken");
    });
}

/// In a store full of members a visitor is refused, and no member is put out.
#[test]
fn a_full_store_never_puts_a_member_out() {
    explore(SCHEDULES, || {
        let store = MemoryStore::builder().shards(2).max_records(2).build();
        let principal = PrincipalKey::from_bytes([9; 32]);
        let filled = store.clone();
        let answers = together(move |number| {
            let key = key(u8::try_from(number).unwrap() << 6);
            let member = entry("member", 9_000_000_000).with_principal(principal);
            (key, block_on(filled.write(&key, member, Expect::Absent)))
        });
        let refused = |answer: &&Result<Written, _>| answer.is_err();
        assert_eq!(answers.iter().map(|(_, answer)| answer).filter(refused).count(), 1);
        let mut listed = 0;
        for (key, answer) in answers {
            let found = block_on(store.load(&key)).unwrap().is_some();
            match answer {
                Ok(written) => assert!(found && written != Written::Conflict),
                Err(error) => assert!(!found && error.kind() == StoreErrorKind::Full),
            }
            listed += usize::from(found);
        }
        assert_eq!(block_on(store.keys_of(&principal, None, 10)).unwrap().len(), listed);
    });
}

/// Promise C7: a sweep beside a renewal deletes what was not renewed, and nothing else.
#[test]
fn a_sweep_spares_what_is_renewed_meanwhile() {
    explore(SCHEDULES, || {
        let clock = StdArc::new(ManualClock::at_unix(1_000));
        let store = MemoryStore::builder().shards(1).clock(clock).build();
        let Written::Stored(version) =
            block_on(store.write(&key(1), entry("old", 900), Expect::Absent)).unwrap()
        else {
            panic!("a create conflicts")
        };
        let shared = store.clone();
        let renewed = together(move |number| match number {
            0 => {
                let swept = shared.sweep(SweepRequest::before(UNIX_EPOCH + Duration::from_secs(1_000)));
                block_on(swept).unwrap();
                None
            }
            1 => {
                Some(block_on(shared.write(&key(1), entry("new", 9_000), Expect::Version(version))).unwrap())
            }
            _ => {
                // Another record of the shard, which frees expired ones on its way.
                let written = block_on(shared.write(&key(2), entry("x", 9_000), Expect::Absent)).unwrap();
                assert_ne!(written, Written::Conflict);
                None
            }
        });
        let found = block_on(store.load(&key(1))).unwrap().map(|stored| stored.version);
        match renewed[1] {
            Some(Written::Stored(version)) => assert_eq!(found, Some(version), "a renewal is lost"),
            _ => assert_eq!(found, None),
        }
        assert_eq!(store.len(), 1 + usize::from(found.is_some()));
    });
}

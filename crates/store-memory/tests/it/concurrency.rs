//! Several threads at once.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use session_core::{Sweep, SweepRequest};

use super::*;

/// Promise C1.
#[test]
fn every_increment_counts_exactly_once() {
    let store = MemoryStore::new();
    create(&store, &key(1), entry(0_u64.to_le_bytes()));
    thread::scope(|scope| {
        for _ in 0..64 {
            scope.spawn(|| (0..500).for_each(|_| increment(&store, &key(1))));
        }
    });
    assert_eq!(*load(&store, &key(1)).unwrap().bytes, 32_000_u64.to_le_bytes());
}

#[test]
fn of_concurrent_creates_one_is_stored() {
    let store = MemoryStore::new();
    assert_eq!((created_by_four_threads(&store, 5_000), store.len()), (5_000, 5_000));
}

/// Every create finds the store full, releases its lock to make room, and must look again. Who then finds the record
/// there has evicted another in vain, so the store may end up less than full.
#[test]
fn of_concurrent_creates_in_a_full_store_one_is_stored() {
    for _ in 0..10 {
        let store = MemoryStore::builder().max_records(2_000).build();
        for number in 10_000..12_000 {
            create(&store, &key(number), entry(""));
        }
        assert_eq!(created_by_four_threads(&store, 1_500), 1_500);
        assert_eq!(keys_of(&store, &principal(1), None, usize::MAX).len(), 1_500);
        let left = (10_000..12_000).filter(|number| load(&store, &key(*number)).is_some()).count();
        assert_eq!((store.len(), store.bytes()), (1_500 + left, (1_500 + left) * OVERHEAD));
    }
}

/// How many records four threads created that all tried to create the same ones.
fn created_by_four_threads(store: &MemoryStore, records: u64) -> usize {
    let create_all = || {
        let entry = || entry("").with_principal(principal(1));
        let create = |number: &u64| write(store, &key(*number), entry(), Expect::Absent).unwrap();
        (0..records).filter(|number| create(number) != Written::Conflict).count()
    };
    thread::scope(|scope| {
        let threads = [(); 4].map(|()| scope.spawn(create_all));
        threads.map(|thread| thread.join().unwrap()).iter().sum()
    })
}

#[test]
fn threads_together_keep_to_the_bounds_and_always_find_room() {
    // Shows: A20
    let store = MemoryStore::builder().max_records(100).max_bytes(100 * (50 + OVERHEAD)).build();
    thread::scope(|scope| {
        for thread in 0..8_u64 {
            let store = &store;
            scope.spawn(move || {
                for number in 0..5_000 {
                    create(store, &key(thread << 32 | number), entry(vec![0; (number % 100) as usize]));
                    assert!(store.len() <= 100 && store.bytes() <= 100 * (50 + OVERHEAD));
                }
            });
        }
    });
    let keys = (0..8).flat_map(|thread| (0..5_000).map(move |number| key(thread << 32 | number)));
    let found: Vec<_> = keys.filter(|key| load(&store, key).is_some()).collect();
    assert_eq!(found.len(), store.len());
    for key in found {
        assert_eq!(remove(&store, &key, None), Removed::Gone);
    }
    assert_eq!((store.len(), store.bytes()), (0, 0));
}

/// Promise C7.
#[test]
fn an_acknowledged_renewal_survives_sweeps_and_expiry() {
    // Shows: A46
    let (clock, builder) = with_clock();
    let store = builder.shards(2).build();
    let done = AtomicBool::new(false);
    let (past, now, later) = (clock.now() - Duration::from_secs(9), clock.now(), in_seconds(&clock, 60));
    let renewed = thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    block_on(store.sweep(SweepRequest::before(now))).unwrap();
                }
            });
        }
        let renewed = (0..20_000).filter(|number| {
            let version = create(&store, &key(*number), Entry::new("old", past));
            let expect = Expect::Version(version);
            write(&store, &key(*number), Entry::new("new", later), expect) != Ok(Written::Conflict)
        });
        let renewed: Vec<_> = renewed.collect();
        done.store(true, Ordering::Relaxed);
        renewed
    });
    assert!(renewed.iter().all(|number| load(&store, &key(*number)).is_some()));
    assert_eq!(store.len(), renewed.len());
}

#[test]
fn a_removed_record_stays_removed_whatever_is_being_written() {
    let store = MemoryStore::new();
    for number in 0..500 {
        create(&store, &key(number), entry(0_u64.to_le_bytes()));
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    while let Some(found) = load(&store, &key(number)) {
                        let _ = write(&store, &key(number), entry("again"), Expect::Version(found.version));
                    }
                });
            }
            assert_eq!(remove(&store, &key(number), None), Removed::Gone);
            assert!(load(&store, &key(number)).is_none());
        });
        assert!(load(&store, &key(number)).is_none());
    }
    assert!(store.is_empty());
}

#[test]
fn a_list_misses_no_record_while_others_come_and_go() {
    let store = MemoryStore::builder().shards(2).build();
    let mut steady: Vec<_> = (0..20).map(key).collect();
    steady.sort_unstable();
    for key in &steady {
        create(&store, key, entry("").with_principal(principal(1)));
    }
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            for number in (100..200).cycle().take(20_000) {
                match load(&store, &key(number)) {
                    None => _ = create(&store, &key(number), entry("").with_principal(principal(1))),
                    Some(found) if number % 2 == 0 => {
                        replace(&store, &key(number), entry("").with_principal(principal(2)), found.version);
                        assert_eq!(remove(&store, &key(number), None), Removed::Gone);
                    }
                    Some(_) => assert_eq!(remove(&store, &key(number), None), Removed::Gone),
                }
            }
            done.store(true, Ordering::Relaxed);
        });
        while !done.load(Ordering::Relaxed) {
            let listed = keys_of(&store, &principal(1), None, 1_000);
            assert!(listed.is_sorted() && steady.iter().all(|key| listed.contains(key)));
        }
    });
}

fn increment(store: &MemoryStore, key: &StoreKey) {
    loop {
        let found = load(store, key).unwrap();
        let count = u64::from_le_bytes(found.bytes[..].try_into().unwrap());
        let next = entry((count + 1).to_le_bytes());
        if write(store, key, next, Expect::Version(found.version)) != Ok(Written::Conflict) {
            return;
        }
    }
}

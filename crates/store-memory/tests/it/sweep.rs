//! Sweeping on demand.

use session_core::{Sweep, SweepRequest, Swept};

use super::*;

#[test]
fn deletes_what_expired_before_the_instant_and_nothing_else() {
    let (clock, store) = filled(100);
    let swept = sweep(&store, SweepRequest::before(in_seconds(&clock, 40)));
    assert_eq!((swept.examined, swept.removed, swept.failed, swept.finished), (40, 40, 0, true));
    assert!((0..100).all(|number| load(&store, &key(number)).is_some() == (number >= 40)));
    assert!(keys_of(&store, &principal(0), None, 100).len() == 60);
    assert_eq!((store.len(), store.bytes()), (60, 60 * OVERHEAD));
}

#[test]
fn keeps_to_the_range() {
    let (clock, store) = filled(100);
    let swept = sweep(&store, SweepRequest::before(in_seconds(&clock, 60)).from(in_seconds(&clock, 20)));
    assert_eq!((swept.removed, swept.finished), (40, true));
    assert!((0..100).all(|number| load(&store, &key(number)).is_none() == (20..60).contains(&number)));
    let backwards = SweepRequest::before(in_seconds(&clock, 10)).from(in_seconds(&clock, 20));
    assert_eq!(sweep(&store, backwards), Swept::new(0, 0, 0, true));
}

/// The manager sweeps until the store says that it has finished, which it never would.
#[test]
fn a_sweep_of_the_manager_ends_also_with_a_budget_of_nothing() {
    let (clock, store) = filled(10);
    let manager = session_core::SessionManager::builder(store.clone()).build().unwrap();
    let request = SweepRequest::before(in_seconds(&clock, 5)).budget(0);
    let swept = block_on(manager.sweep(request)).unwrap();
    assert_eq!((swept.removed, swept.finished, store.len()), (5, true, 5));
}

#[test]
fn keeps_to_the_budget_and_goes_on_where_it_stopped() {
    let (clock, store) = filled(1_000);
    let request = SweepRequest::before(in_seconds(&clock, 900)).budget(70);
    let mut calls = 0;
    loop {
        let swept = sweep(&store, request);
        calls += 1;
        assert!(swept.examined <= 70 && swept.removed == swept.examined);
        if swept.finished {
            break;
        }
        assert_eq!(swept.removed, 70);
    }
    assert_eq!((calls, store.len()), (13, 100));
}

#[test]
fn says_that_it_finished_when_the_budget_is_just_enough() {
    let (clock, store) = filled(100);
    let request = SweepRequest::before(in_seconds(&clock, 1_000));
    assert_eq!(sweep(&store, request.budget(0)), Swept::new(0, 0, 0, false));
    assert_eq!(sweep(&store, request.budget(99)), Swept::new(99, 99, 0, false));
    assert_eq!(sweep(&store, request.budget(1)), Swept::new(1, 1, 0, true));
    assert_eq!(sweep(&store, request.budget(0)), Swept::new(0, 0, 0, true));
}

#[test]
fn a_moved_expiry_counts_as_it_is_now() {
    let (clock, store) = filled(2);
    let version = load(&store, &key(0)).unwrap().version;
    replace(&store, &key(0), Entry::new("", in_seconds(&clock, 5_000)), version);
    assert_eq!(sweep(&store, SweepRequest::before(in_seconds(&clock, 4_000))).removed, 1);
    assert!(load(&store, &key(0)).is_some());
}

#[test]
fn a_sweep_that_is_dropped_half_way_leaves_the_store_whole() {
    let (clock, store) = filled(1_000);
    let request = SweepRequest::before(in_seconds(&clock, 2_000));
    let mut dropped = Box::pin(store.sweep(request));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(dropped.as_mut().poll(&mut context).is_pending());
    drop(dropped);
    let left = store.len();
    assert!(0 < left && left < 1_000);
    assert_eq!(sweep(&store, request), Swept::new(left, left, 0, true));
    assert_eq!((store.len(), store.bytes()), (0, 0));
}

/// Records that expire a second apart.
fn filled(records: u64) -> (Arc<ManualClock>, MemoryStore) {
    let (clock, builder) = with_clock();
    let store = builder.build();
    for number in 0..records {
        let entry = Entry::new("", in_seconds(&clock, number));
        create(&store, &key(number), entry.with_principal(principal(0)));
    }
    (clock, store)
}

fn sweep(store: &MemoryStore, request: SweepRequest) -> Swept {
    block_on(store.sweep(request)).unwrap()
}

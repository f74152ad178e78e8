//! A store never exceeds its bounds, and what goes first when it is full.

use super::*;

#[test]
fn the_anonymous_record_that_was_not_written_for_the_longest_time_goes_first() {
    let store = MemoryStore::builder().max_records(3).build();
    let first = create(&store, &key(1), entry("1"));
    create(&store, &key(2), entry("2"));
    create(&store, &key(3), entry("3"));
    replace(&store, &key(1), entry("1"), first);
    for (new, gone) in [(4, 2), (5, 3), (6, 1), (7, 4)] {
        create(&store, &key(new), entry("new"));
        assert!(load(&store, &key(gone)).is_none());
        assert_eq!(store.len(), 3);
    }
}

#[test]
fn expired_records_go_before_anonymous_ones_whoever_they_belong_to() {
    let (clock, builder) = with_clock();
    let store = builder.max_records(2).build();
    create(&store, &key(1), entry("anonymous"));
    create(&store, &key(2), Entry::new("", in_seconds(&clock, 1)).with_principal(principal(1)));
    clock.advance(Duration::from_secs(2));
    create(&store, &key(3), entry("new"));
    assert!(load(&store, &key(1)).is_some() && load(&store, &key(2)).is_none());
}

#[test]
fn a_record_with_a_principal_is_never_evicted() {
    // Shows: A20
    let store = MemoryStore::builder().max_records(2).build();
    create(&store, &key(1), entry("").with_principal(principal(1)));
    create(&store, &key(2), entry(""));
    create(&store, &key(3), entry("").with_principal(principal(2)));
    assert!(load(&store, &key(2)).is_none());
    assert_eq!(write(&store, &key(4), entry(""), Expect::Absent), Err(StoreErrorKind::Full));
    assert!(load(&store, &key(1)).is_some() && load(&store, &key(3)).is_some());
}

#[test]
fn signing_in_protects_and_signing_out_exposes() {
    let store = MemoryStore::builder().max_records(1).build();
    let version = create(&store, &key(1), entry(""));
    let version = replace(&store, &key(1), entry("").with_principal(principal(1)), version);
    assert_eq!(write(&store, &key(2), entry(""), Expect::Absent), Err(StoreErrorKind::Full));
    replace(&store, &key(1), entry(""), version);
    create(&store, &key(2), entry(""));
    assert!(load(&store, &key(1)).is_none());
}

#[test]
fn a_full_store_loads_removes_and_writes_what_needs_no_room() {
    let store = MemoryStore::builder().max_records(1).build();
    let version = create(&store, &key(1), entry("old").with_principal(principal(1)));
    let version = replace(&store, &key(1), entry("new").with_principal(principal(1)), version);
    assert_eq!(load(&store, &key(1)).unwrap().version, version);
    assert_eq!(remove(&store, &key(1), None), Removed::Gone);
    create(&store, &key(2), entry(""));
}

#[test]
fn bytes_are_bound_for_the_whole_store() {
    let store = MemoryStore::builder().max_bytes(10 * (100 + OVERHEAD)).build();
    for number in 0..1_000 {
        create(&store, &key(number), entry([0; 100]));
        assert!(store.bytes() <= 10 * (100 + OVERHEAD));
    }
    assert_eq!(store.len(), 10);
    assert!((990..1_000).all(|number| load(&store, &key(number)).is_some()));
}

#[test]
fn a_bigger_record_makes_room_but_not_of_itself() {
    let store = MemoryStore::builder().max_bytes(3 * (100 + OVERHEAD)).build();
    let oldest = create(&store, &key(1), entry([1; 100]));
    create(&store, &key(2), entry([2; 100]));
    create(&store, &key(3), entry([3; 100]));
    replace(&store, &key(1), entry([1; 101]), oldest);
    assert!(load(&store, &key(2)).is_none());
    assert_eq!(load(&store, &key(1)).unwrap().bytes.len(), 101);
    assert!(load(&store, &key(3)).is_some());
}

#[test]
fn a_bigger_record_does_not_evict_itself_when_it_is_the_only_one() {
    let store = MemoryStore::builder().max_bytes(300 + 2 * OVERHEAD).build();
    create(&store, &key(1), entry([1; 150]).with_principal(principal(1)));
    let version = create(&store, &key(2), entry([2; 100]));
    assert_eq!(write(&store, &key(2), entry([2; 151]), Expect::Version(version)), Err(StoreErrorKind::Full));
    assert_eq!(load(&store, &key(2)).unwrap().version, version);
    replace(&store, &key(2), entry([2; 150]), version);
}

#[test]
fn a_smaller_record_frees_room() {
    let store = MemoryStore::builder().max_bytes(200 + 2 * OVERHEAD).build();
    let version = create(&store, &key(1), entry([1; 200 + OVERHEAD]).with_principal(principal(1)));
    assert_eq!(write(&store, &key(2), entry(""), Expect::Absent), Err(StoreErrorKind::Full));
    replace(&store, &key(1), entry([1; 200]).with_principal(principal(1)), version);
    create(&store, &key(2), entry(""));
}

#[test]
fn nothing_is_evicted_in_vain() {
    let store = MemoryStore::builder().max_bytes(4 * (100 + OVERHEAD)).build();
    create(&store, &key(1), entry([1; 100]).with_principal(principal(1)));
    create(&store, &key(2), entry([2; 100]).with_principal(principal(2)));
    create(&store, &key(3), entry([3; 100]));
    let version = create(&store, &key(4), entry([4; 100]));
    let (too_big, far_too_big) = (3 * (100 + OVERHEAD) - OVERHEAD, 1 << 20);
    for bytes in [too_big, far_too_big] {
        assert_eq!(write(&store, &key(5), entry(vec![5; bytes]), Expect::Absent), Err(StoreErrorKind::Full));
        let expect = Expect::Version(version);
        assert_eq!(write(&store, &key(4), entry(vec![4; bytes]), expect), Err(StoreErrorKind::Full));
    }
    assert!((1..=4).all(|number| load(&store, &key(number)).is_some()));
}

#[test]
fn a_conflict_evicts_nothing() {
    let store = MemoryStore::builder().max_records(2).build();
    create(&store, &key(1), entry(""));
    create(&store, &key(2), entry(""));
    assert_eq!(write(&store, &key(2), entry([0; 1_000]), Expect::Absent), Ok(Written::Conflict));
    assert_eq!(write(&store, &key(3), entry(""), Expect::Version(Version::new(1))), Ok(Written::Conflict));
    assert_eq!(store.len(), 2);
}

#[test]
fn a_store_without_room_is_always_full() {
    let store = MemoryStore::builder().max_records(0).build();
    assert_eq!(write(&store, &key(1), entry(""), Expect::Absent), Err(StoreErrorKind::Full));
    let store = MemoryStore::builder().max_bytes(OVERHEAD).build();
    create(&store, &key(1), entry(""));
    assert_eq!(write(&store, &key(2), entry("x"), Expect::Absent), Err(StoreErrorKind::Full));
}

/// The long form with ten million is `examples/measure.rs`.
#[test]
fn a_flood_of_visitors_logs_nobody_out_and_stays_within_the_bounds() {
    // Shows: A20
    let store = MemoryStore::builder().max_records(2_000).max_bytes(1_000 * (100 + OVERHEAD)).build();
    for number in 0..500 {
        create(&store, &key(number), entry([1; 100]).with_principal(principal(number)));
    }
    for number in 500..50_000 {
        create(&store, &key(number), entry(vec![2; (number % 200) as usize]));
        assert!(store.len() <= 2_000 && store.bytes() <= 1_000 * (100 + OVERHEAD));
    }
    assert!((0..500).all(|number| load(&store, &key(number)).is_some()));
    assert!(store.len() > 900);
}

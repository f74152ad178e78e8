//! Expired records leave without being asked.

use super::*;

#[test]
fn a_store_that_nobody_sweeps_does_not_grow() {
    let (clock, builder) = with_clock();
    let store = builder.shards(4).build();
    for number in 0..50_000 {
        create(
            &store,
            &key(number),
            Entry::new("", in_seconds(&clock, 100)).with_principal(principal(number)),
        );
        clock.advance(Duration::from_secs(1));
    }
    // A hundred live ones; a shard is behind by what expired since its last write.
    assert!(store.len() < 130, "{}", store.len());
    assert_eq!(store.bytes(), store.len() * OVERHEAD);
}

#[test]
fn a_backlog_shrinks_with_every_write() {
    let (clock, builder) = with_clock();
    let store = builder.shards(1).build();
    for number in 0..1_000 {
        create(&store, &key(number), Entry::new("", in_seconds(&clock, 1)));
    }
    clock.advance(Duration::from_secs(10));
    let version = create(&store, &key(5_000), entry(""));
    assert_eq!(store.len(), 999);
    replace(&store, &key(5_000), entry(""), version);
    assert_eq!(store.len(), 997);
}

#[test]
fn an_expired_record_counts_as_nothing_for_who_expects_nothing() {
    let (clock, builder) = with_clock();
    let store = builder.build();
    let old = create(&store, &key(1), Entry::new("old", in_seconds(&clock, 1)).with_principal(principal(1)));
    assert_eq!(write(&store, &key(1), entry("new"), Expect::Absent), Ok(Written::Conflict));
    clock.advance(Duration::from_secs(2));
    let new = create(&store, &key(1), entry("new"));
    assert_ne!(old, new);
    assert_eq!((&*load(&store, &key(1)).unwrap().bytes, store.len()), (&b"new"[..], 1));
    assert!(keys_of(&store, &principal(1), None, 9).is_empty());
}

#[test]
fn a_write_over_the_version_of_an_expired_record_renews_it() {
    let (clock, builder) = with_clock();
    let store = builder.build();
    let version = create(&store, &key(1), Entry::new("old", in_seconds(&clock, 1)));
    clock.advance(Duration::from_secs(2));
    replace(&store, &key(1), Entry::new("new", in_seconds(&clock, 60)), version);
    clock.advance(Duration::from_secs(30));
    for number in 2..1_000 {
        create(&store, &key(number), entry(""));
    }
    assert_eq!(&*load(&store, &key(1)).unwrap().bytes, b"new");
}

#[test]
fn a_record_is_kept_up_to_its_last_millisecond() {
    let (clock, builder) = with_clock();
    let store = builder.shards(1).build();
    create(&store, &key(1), Entry::new("", clock.now()));
    create(&store, &key(2), entry(""));
    assert!(load(&store, &key(1)).is_some());
    clock.advance(Duration::from_millis(1));
    create(&store, &key(3), entry(""));
    assert!(load(&store, &key(1)).is_none());
}

#[test]
fn a_clock_that_runs_backwards_frees_nothing_alive() {
    let (clock, builder) = with_clock();
    let store = builder.shards(1).build();
    create(&store, &key(1), Entry::new("", in_seconds(&clock, 60)));
    clock.rewind(Duration::from_secs(900_000));
    for number in 2..100 {
        create(&store, &key(number), Entry::new("", in_seconds(&clock, 60)));
    }
    assert_eq!(store.len(), 99);
}

#[test]
fn extreme_instants_are_safe() {
    let store = MemoryStore::builder().shards(1).build();
    create(&store, &key(1), Entry::new("", SystemTime::UNIX_EPOCH - Duration::from_secs(1)));
    let far = SystemTime::UNIX_EPOCH + Duration::from_secs(i64::MAX as u64);
    create(&store, &key(2), Entry::new("", far));
    assert!(load(&store, &key(1)).is_none() && load(&store, &key(2)).is_some());
}

//! What every store must do, and what this one decides where the contract leaves it open.

use super::*;

#[test]
fn a_record_comes_back_as_it_was_written() {
    let store = MemoryStore::new();
    let expires_at = SystemTime::UNIX_EPOCH + Duration::from_millis(9_999_999_999_123);
    let version = create(&store, &key(1), Entry::new("bytes", expires_at));
    let found = load(&store, &key(1)).unwrap();
    assert_eq!((&*found.bytes, found.expires_at, found.version), (&b"bytes"[..], expires_at, version));
    assert!(load(&store, &key(2)).is_none());
}

#[test]
fn a_fraction_of_a_millisecond_is_rounded_up() {
    let store = MemoryStore::new();
    let expires_at = SystemTime::UNIX_EPOCH + Duration::from_secs(1 << 33);
    create(&store, &key(1), Entry::new("", expires_at + Duration::from_nanos(1)));
    assert_eq!(load(&store, &key(1)).unwrap().expires_at, expires_at + Duration::from_millis(1));
}

#[test]
fn only_the_expected_state_is_written_over() {
    let store = MemoryStore::new();
    assert_eq!(write(&store, &key(1), entry("x"), Expect::Version(Version::new(1))), Ok(Written::Conflict));
    let first = create(&store, &key(1), entry("one"));
    assert_eq!(write(&store, &key(1), entry("x"), Expect::Absent), Ok(Written::Conflict));
    let second = replace(&store, &key(1), entry("two"), first);
    assert_eq!(write(&store, &key(1), entry("x"), Expect::Version(first)), Ok(Written::Conflict));
    let never_given = Version::new(u64::MAX);
    assert_eq!(write(&store, &key(1), entry("x"), Expect::Version(never_given)), Ok(Written::Conflict));
    let found = load(&store, &key(1)).unwrap();
    assert_eq!((&*found.bytes, found.version), (&b"two"[..], second));
}

#[test]
fn only_the_expected_version_is_removed() {
    let store = MemoryStore::new();
    let first = create(&store, &key(1), entry(""));
    let second = replace(&store, &key(1), entry(""), first);
    assert_eq!(remove(&store, &key(1), Some(first)), Removed::Conflict);
    assert!(load(&store, &key(1)).is_some());
    assert_eq!(remove(&store, &key(1), Some(second)), Removed::Gone);
    assert_eq!(remove(&store, &key(1), Some(second)), Removed::Gone);
    assert_eq!(remove(&store, &key(1), None), Removed::Gone);
    assert!(load(&store, &key(1)).is_none());
}

#[test]
fn a_removed_record_is_not_brought_back_by_its_version() {
    let store = MemoryStore::new();
    let version = create(&store, &key(1), entry(""));
    assert_eq!(remove(&store, &key(1), None), Removed::Gone);
    assert_eq!(write(&store, &key(1), entry("x"), Expect::Version(version)), Ok(Written::Conflict));
    assert!(load(&store, &key(1)).is_none() && store.is_empty());
}

#[test]
fn a_key_never_gets_a_version_again() {
    let store = MemoryStore::new();
    let mut versions = Vec::new();
    for _ in 0..100 {
        let first = create(&store, &key(1), entry(""));
        versions.extend([first, replace(&store, &key(1), entry(""), first)]);
        assert_eq!(remove(&store, &key(1), None), Removed::Gone);
    }
    let mut numbers: Vec<_> = versions.iter().map(|version| version.number()).collect();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), 200);
}

#[test]
fn a_loaded_record_outlives_its_removal() {
    let store = MemoryStore::new();
    create(&store, &key(1), entry("bytes"));
    let found = load(&store, &key(1)).unwrap();
    assert_eq!(remove(&store, &key(1), None), Removed::Gone);
    drop(store);
    assert_eq!(&*found.bytes, b"bytes");
}

#[test]
fn a_clone_is_the_same_store() {
    let store = MemoryStore::new();
    create(&store.clone(), &key(1), entry("123"));
    assert_eq!((store.len(), store.bytes()), (1, 3 + OVERHEAD));
}

#[test]
fn debug_shows_counts_and_no_content() {
    let store = MemoryStore::builder().max_records(7).max_bytes(70_000).shards(3).build();
    create(&store, &key(1), entry("secret"));
    assert_eq!(
        format!("{store:?}"),
        "MemoryStore { len: 1, max_records: 7, bytes: 262, max_bytes: 70000, shards: 4, .. }"
    );
}

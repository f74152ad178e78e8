//! The records of a principal: exact, in order, page by page.

use super::*;

#[test]
fn pages_come_in_ascending_order_and_miss_nothing() {
    for shards in [1, 64, 1_024] {
        let store = MemoryStore::builder().shards(shards).build();
        let mut expected: Vec<_> = (0..500).map(key).collect();
        for key in &expected {
            create(&store, key, entry("").with_principal(principal(1)));
        }
        for number in 1_000..1_500 {
            create(&store, &key(number), entry("").with_principal(principal(number % 3 + 2)));
        }
        expected.sort_unstable();
        for limit in [1, 7, 499, 500, 501, usize::MAX] {
            assert_eq!(pages(&store, &principal(1), limit), expected);
        }
        assert!(keys_of(&store, &principal(1), None, 0).is_empty());
        assert!(keys_of(&store, &principal(99), None, 9).is_empty());
    }
}

#[test]
fn keys_that_differ_in_the_last_byte_are_told_apart() {
    let store = MemoryStore::new();
    let near = |last| {
        let mut bytes = [9; 32];
        bytes[31] = last;
        StoreKey::from_bytes(bytes)
    };
    for last in (0..=255).rev() {
        create(&store, &near(last), entry("").with_principal(principal(1)));
    }
    assert_eq!(pages(&store, &principal(1), 10), (0..=255).map(near).collect::<Vec<_>>());
    assert_eq!(keys_of(&store, &principal(1), Some(&near(99)), 2), [near(100), near(101)]);
}

#[test]
fn a_page_may_start_behind_a_key_that_is_not_there() {
    let store = MemoryStore::new();
    create(&store, &StoreKey::from_bytes([5; 32]), entry("").with_principal(principal(1)));
    let behind = |byte| keys_of(&store, &principal(1), Some(&StoreKey::from_bytes([byte; 32])), 9).len();
    assert_eq!((behind(0), behind(4), behind(5), behind(255)), (1, 1, 0, 0));
}

#[test]
fn the_last_write_decides_whose_a_record_is() {
    let store = MemoryStore::new();
    let listed = || [1, 2].map(|number| keys_of(&store, &principal(number), None, 9).len());
    let version = create(&store, &key(1), entry(""));
    assert_eq!(listed(), [0, 0]);
    let version = replace(&store, &key(1), entry("").with_principal(principal(1)), version);
    assert_eq!(listed(), [1, 0]);
    let version = replace(&store, &key(1), entry("same").with_principal(principal(1)), version);
    assert_eq!(listed(), [1, 0]);
    let version = replace(&store, &key(1), entry("").with_principal(principal(2)), version);
    assert_eq!(listed(), [0, 1]);
    let version = replace(&store, &key(1), entry(""), version);
    assert_eq!(listed(), [0, 0]);
    replace(&store, &key(1), entry("").with_principal(principal(2)), version);
    assert_eq!(remove(&store, &key(1), None), Removed::Gone);
    assert_eq!(listed(), [0, 0]);
}

#[test]
fn a_conflict_changes_no_list() {
    let store = MemoryStore::new();
    create(&store, &key(1), entry("").with_principal(principal(1)));
    let stolen = entry("").with_principal(principal(2));
    assert_eq!(write(&store, &key(1), stolen, Expect::Absent), Ok(Written::Conflict));
    assert_eq!(keys_of(&store, &principal(1), None, 9), [key(1)]);
    assert!(keys_of(&store, &principal(2), None, 9).is_empty());
}

fn pages(store: &MemoryStore, principal: &PrincipalKey, limit: usize) -> Vec<StoreKey> {
    let mut keys = Vec::new();
    loop {
        let page = keys_of(store, principal, keys.last(), limit);
        if page.is_empty() {
            return keys;
        }
        assert!(page.len() <= limit);
        keys.extend(page);
    }
}

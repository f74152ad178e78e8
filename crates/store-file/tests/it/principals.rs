//! Every live record of a principal is listed, and what is stale heals.

use std::fs;

use session_core::{Expect, PrincipalKey, Removed, Store, StoreKey};

use crate::common::*;

const ALICE: PrincipalKey = PrincipalKey::from_bytes([0xa1; 32]);
const BOB: PrincipalKey = PrincipalKey::from_bytes([0xb0; 32]);

fn keys_of(store: &session_store_file::FileStore, principal: &PrincipalKey) -> Vec<StoreKey> {
    block_on(store.as_principal_index().unwrap().keys_of(principal, None, 1_000)).unwrap()
}

fn marker(fixture: &Fixture, principal: &PrincipalKey, key: &StoreKey) -> std::path::PathBuf {
    let hex = principal.to_hex();
    fixture.root().join("by-principal").join(&hex[..2]).join(&hex[2..]).join(key.to_hex())
}

on_both_paths! {
    fn records_are_listed_under_their_principal(fixture) {
        let store = fixture.open();
        assert_eq!(keys_of(&store, &ALICE), []);
        let first = create(&store, &key(1), entry("x").with_principal(ALICE));
        create(&store, &key(2), entry("x").with_principal(ALICE));
        create(&store, &key(3), entry("x").with_principal(BOB));
        create(&store, &key(4), entry("x"));
        assert_eq!(keys_of(&store, &ALICE), sorted([key(1), key(2)]));
        assert_eq!(keys_of(&store, &BOB), [key(3)]);

        let second = stored(block_on(store.write(&key(1), entry("y").with_principal(BOB), Expect::Version(first))).unwrap());
        assert_eq!(keys_of(&store, &ALICE), [key(2)]);
        assert_eq!(keys_of(&store, &BOB), sorted([key(1), key(3)]));
        stored(block_on(store.write(&key(1), entry("z"), Expect::Version(second))).unwrap());
        assert_eq!(keys_of(&store, &BOB), [key(3)]);

        assert_eq!(block_on(store.remove(&key(2), None)).unwrap(), Removed::Gone);
        assert_eq!(keys_of(&store, &ALICE), []);
        assert_eq!(fixture.files(), sorted([fixture.file(&key(1)), fixture.file(&key(3)), fixture.file(&key(4)), marker(&fixture, &BOB, &key(3))]));
    }

    fn a_list_comes_in_ascending_pages(fixture) {
        let store = fixture.open();
        let keys = sorted((0..50).map(key).collect::<Vec<_>>());
        keys.iter().for_each(|key| _ = create(&store, key, entry("x").with_principal(ALICE)));
        fs::write(marker(&fixture, &ALICE, &key(0)).with_file_name("foreign"), "").unwrap();
        let index = store.as_principal_index().unwrap();
        let (mut listed, mut after) = (Vec::new(), None);
        loop {
            let page = block_on(index.keys_of(&ALICE, after.as_ref(), 7)).unwrap();
            assert!(page.len() <= 7);
            let Some(last) = page.last() else { break };
            after = Some(*last);
            listed.extend(page);
        }
        assert_eq!(listed, keys);
        assert_eq!(block_on(index.keys_of(&ALICE, None, 0)).unwrap(), []);
    }

    fn a_conflict_lists_nothing(fixture) {
        let store = fixture.open();
        create(&store, &key(1), entry("x").with_principal(ALICE));
        let late = block_on(store.write(&key(1), entry("y").with_principal(BOB), Expect::Absent));
        assert_eq!(late.unwrap(), session_core::Written::Conflict);
        assert_eq!((keys_of(&store, &ALICE), keys_of(&store, &BOB)), (vec![key(1)], vec![]));
        assert!(!marker(&fixture, &BOB, &key(1)).parent().unwrap().exists());
    }

    fn a_lost_marker_comes_back_with_the_next_write(fixture) {
        let store = fixture.open();
        let version = create(&store, &key(1), entry("x").with_principal(ALICE));
        fs::remove_file(marker(&fixture, &ALICE, &key(1))).unwrap();
        stored(block_on(store.write(&key(1), entry("y").with_principal(ALICE), Expect::Version(version))).unwrap());
        assert_eq!(keys_of(&store, &ALICE), [key(1)]);
    }

    fn a_sweep_deletes_the_markers_of_records_that_are_gone(fixture) {
        let store = fixture.open();
        let keys: Vec<_> = (0..100).map(key).collect();
        keys.iter().for_each(|key| _ = create(&store, key, entry("x").with_principal(ALICE)));
        create(&store, &key(200), entry("x").with_principal(BOB));
        // As a crash between a record and its marker, or a restored backup, leaves them.
        keys.iter().skip(1).for_each(|key| fs::remove_file(fixture.file(key)).unwrap());
        fs::remove_file(fixture.file(&key(200))).unwrap();
        assert_eq!(keys_of(&store, &ALICE).len(), 100);
        let swept = sweep_all(&store, START);
        assert_eq!((swept.removed, swept.failed), (0, 0));
        assert_eq!((keys_of(&store, &ALICE), keys_of(&store, &BOB)), (vec![key(0)], vec![]));
        assert!(!marker(&fixture, &BOB, &key(200)).parent().unwrap().exists());
    }

    fn a_sweep_within_its_budget_reaches_every_marker(fixture) {
        let store = fixture.open();
        let keys: Vec<_> = (0..30).map(key).collect();
        keys.iter().for_each(|key| _ = create(&store, key, entry("x").with_principal(ALICE)));
        keys.iter().skip(10).for_each(|key| fs::remove_file(fixture.file(key)).unwrap());
        let mut calls = 0;
        while !block_on(store.as_sweep().unwrap().sweep(session_core::SweepRequest::before(at(START)).budget(4))).unwrap().finished {
            calls += 1;
            assert!(calls < 100);
        }
        assert!(calls >= 9, "{calls}");
        assert_eq!(keys_of(&store, &ALICE), sorted(keys[..10].to_vec()));
    }

    fn a_sweep_takes_expired_records_off_the_list(fixture) {
        let store = fixture.open();
        create(&store, &key(1), entry("x").with_principal(ALICE));
        assert_eq!(sweep_all(&store, START + 4_000).removed, 1);
        assert_eq!(fixture.files(), Vec::<std::path::PathBuf>::new());
    }

    fn logins_and_logouts_of_one_principal_do_not_disturb_each_other(fixture) {
        // The folder of the principal is made and removed all the time.
        let (store, other) = (fixture.open(), fixture.open());
        std::thread::scope(|scope| {
            for (number, store) in [(1, &store), (2, &other), (3, &store), (4, &other)] {
                scope.spawn(move || {
                    for _ in 0..60 {
                        create(store, &key(number), entry("x").with_principal(ALICE));
                        assert!(keys_of(store, &ALICE).contains(&key(number)));
                        assert_eq!(block_on(store.remove(&key(number), None)).unwrap(), Removed::Gone);
                    }
                });
            }
        });
        assert_eq!(keys_of(&store, &ALICE), []);
    }
}

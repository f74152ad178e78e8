//! The contract of the store, in short; the conformance kit has it at length.

use std::time::Duration;

use crate::common::*;
use session_core::{Clock, Expect, PrincipalKey, Removed, Store, StoreErrorKind, Version, Written};
use session_store_file::MAX_PAYLOAD;

on_both_paths! {
    on_disk
    fn what_was_written_is_loaded(fixture) {
        let store = fixture.open();
        for (number, len) in [0, 1, 100, 3_983, 3_984, 3_985, 4_096, 100_000, 1 << 20].into_iter().enumerate() {
            let key = key(number as u64);
            let bytes: Vec<u8> = (0..len).map(|i| (i % 251) as u8).collect();
            let expires_at = at(START) + Duration::from_millis(len as u64 + 1);
            let version = create(&store, &key, session_core::Entry::new(bytes.clone(), expires_at));
            for store in [&store, &fixture.open()] {
                let stored = block_on(store.load(&key)).unwrap().unwrap();
                assert_eq!((stored.bytes.to_vec(), stored.expires_at, stored.version), (bytes.clone(), expires_at, version));
            }
        }
    }

    fn a_page_cached_record_is_read_on_the_calling_thread(fixture) {
        let store = fixture.open();
        create(&store, &key(1), entry("small"));
        create(&store, &key(2), entry([7; 50_000]));
        for number in [1, 2, 3] {
            block_on(store.load(&key(number))).unwrap();
        }
        let before = store.stats();
        for number in [1, 2, 3] {
            block_on(store.load(&key(number))).unwrap();
        }
        let after = store.stats();
        let cached = if fixture.portable { 0 } else { 3 };
        assert_eq!(after.cached_loads - before.cached_loads, cached);
        assert_eq!(after.waiting_loads - before.waiting_loads, 3 - cached);
    }

    fn what_was_not_written_is_absent(fixture) {
        let store = fixture.open();
        assert_eq!(block_on(store.load(&key(1))).unwrap(), None);
        assert_eq!(block_on(store.write(&key(1), entry("x"), Expect::Version(Version::new(0)))).unwrap(), Written::Conflict);
        assert_eq!(block_on(store.remove(&key(1), None)).unwrap(), Removed::Gone);
        assert_eq!(block_on(store.remove(&key(1), Some(Version::new(1)))).unwrap(), Removed::Gone);
        assert_eq!(block_on(store.load(&key(1))).unwrap(), None);
        assert_eq!(fixture.files(), Vec::<std::path::PathBuf>::new());
    }

    fn a_write_is_stored_over_the_expected_version_only(fixture) {
        let store = fixture.open();
        let first = create(&store, &key(1), entry("first"));
        assert_eq!(block_on(store.write(&key(1), entry("other"), Expect::Absent)).unwrap(), Written::Conflict);
        let second = stored(block_on(store.write(&key(1), entry("second"), Expect::Version(first))).unwrap());
        assert_ne!(first, second);
        assert_eq!(block_on(store.write(&key(1), entry("late"), Expect::Version(first))).unwrap(), Written::Conflict);
        assert_eq!(load(&store, &key(1)).unwrap(), b"second");
        assert_eq!(fixture.files(), [fixture.file(&key(1))]);
    }

    fn a_removed_record_is_not_brought_back(fixture) {
        let store = fixture.open();
        let version = create(&store, &key(1), entry("first"));
        assert_eq!(block_on(store.remove(&key(1), Some(Version::new(version.number() ^ 1)))).unwrap(), Removed::Conflict);
        assert_eq!(load(&store, &key(1)).unwrap(), b"first");
        assert_eq!(block_on(store.remove(&key(1), Some(version))).unwrap(), Removed::Gone);
        assert_eq!(load(&store, &key(1)), None);
        assert_eq!(block_on(store.write(&key(1), entry("late"), Expect::Version(version))).unwrap(), Written::Conflict);
        assert_eq!(load(&store, &key(1)), None);
        let again = create(&store, &key(1), entry("again"));
        assert_ne!(again, version);
    }

    fn an_expired_record_counts_as_nothing_for_a_new_one(fixture) {
        let store = fixture.open();
        let first = create(&store, &key(1), entry("first"));
        fixture.clock.advance(Duration::from_secs(3_599));
        assert_eq!(block_on(store.write(&key(1), entry("early"), Expect::Absent)).unwrap(), Written::Conflict);
        fixture.clock.advance(Duration::from_secs(1));
        let later = session_core::Entry::new("second", fixture.clock.now() + Duration::from_secs(1));
        let second = create(&store, &key(1), later);
        assert_ne!(first, second);
        assert_eq!(load(&store, &key(1)).unwrap(), b"second");
    }

    fn a_record_beyond_the_bound_is_refused(fixture) {
        let store = fixture.open();
        let version = create(&store, &key(1), entry("first"));
        let huge = entry(vec![1; MAX_PAYLOAD + 1]);
        let error = block_on(store.write(&key(1), huge, Expect::Version(version))).unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Full);
        assert_eq!(load(&store, &key(1)).unwrap(), b"first");
        let version = stored(block_on(store.write(&key(1), entry(vec![1; MAX_PAYLOAD]), Expect::Version(version))).unwrap());
        assert_eq!(load(&store, &key(1)).unwrap().len(), MAX_PAYLOAD);
        assert_eq!(block_on(store.remove(&key(1), Some(version))).unwrap(), Removed::Gone);
    }

    fn expiries_at_the_ends_of_time_are_kept(fixture) {
        let store = fixture.open();
        let far = at(253_402_300_799) + Duration::from_secs(1_000_000);
        for (number, expires_at, kept) in [
            (1, std::time::UNIX_EPOCH - Duration::from_secs(1), std::time::UNIX_EPOCH),
            (2, far, far),
            (3, at(START) + Duration::from_nanos(1), at(START) + Duration::from_millis(1)),
        ] {
            create(&store, &key(number), session_core::Entry::new("x", expires_at));
            assert_eq!(block_on(store.load(&key(number))).unwrap().unwrap().expires_at, kept);
        }
    }

    fn nothing_secret_is_printed(fixture) {
        let store = fixture.open();
        let principal = PrincipalKey::from_bytes([0xee; 32]);
        create(&store, &key(1), entry("hunter2").with_principal(principal));
        std::fs::write(fixture.file(&key(1)), "hunter2").unwrap();
        let error = block_on(store.load(&key(1))).unwrap_err();
        let printed = format!("{store:?} {error} {error:?} {:?}", store.stats());
        assert!(!printed.contains("hunter2") && !printed.contains(&key(1).to_hex()), "{printed}");
    }

    fn a_store_works_under_any_executor(fixture) {
        let store = fixture.open();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let _ = store.write(&key(1), entry("x"), Expect::Absent).await.unwrap();
        });
        drop(runtime);
        assert_eq!(load(&store, &key(1)).unwrap(), b"x");
    }
}

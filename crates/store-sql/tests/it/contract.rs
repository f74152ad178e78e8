//! What the contract leaves to this store, and what is the same on every database.

use std::time::Duration;

use session_core::{
    Clock, Expect, PrincipalIndex, PrincipalKey, Removed, Store, StoreErrorKind, Sweep, SweepRequest,
    Version, Written,
};
use session_store_sql::MAX_RECORD;

use crate::common::*;

on_each! {
    async fn records_of_every_size_come_back(lab) {
        let store = lab.open().await;
        for (number, length) in [0, 1, 255, 4_096, 70_000, 1 << 20, MAX_RECORD].into_iter().enumerate() {
            let bytes: Vec<u8> = (0..length).map(|i| (i % 251) as u8).collect();
            let version = create(&store, &key(number as u64), entry(&bytes)).await;
            let found = store.load(&key(number as u64)).await.unwrap().unwrap();
            assert!(found.bytes == bytes && found.version == version, "{length}");
        }
    }

    async fn a_larger_record_is_refused_before_it_is_sent(lab) {
        let store = lab.open().await;
        let version = create(&store, &key(1), entry("old")).await;
        let huge = entry(vec![1; MAX_RECORD + 1]);
        for expect in [Expect::Absent, Expect::Version(version)] {
            let refused = store.write(&key(1), huge.clone(), expect).await.unwrap_err();
            assert_eq!(refused.kind(), StoreErrorKind::Full);
        }
        assert_eq!(load(&store, &key(1)).await.unwrap(), b"old");
    }

    async fn an_expired_record_is_not_in_the_way_of_a_new_one(lab) {
        let store = lab.open().await;
        let principal = PrincipalKey::from_bytes([1; 32]);
        let old = create(&store, &key(1), entry("old").with_principal(principal)).await;
        lab.clock.advance(Duration::from_millis(3_599_999));
        let early = store.write(&key(1), entry("early"), Expect::Absent).await.unwrap();
        assert_eq!(early, Written::Conflict);
        lab.clock.advance(Duration::from_millis(1));
        let later = session_core::Entry::new("new", lab.clock.now() + Duration::from_secs(60));
        let new = create(&store, &key(1), later).await;
        assert_ne!(old, new);
        assert_eq!(load(&store, &key(1)).await.unwrap(), b"new");
        assert!(store.keys_of(&principal, None, 9).await.unwrap().is_empty());
    }

    async fn no_version_is_negative_or_zero_or_known_before(lab) {
        let store = lab.open().await;
        let mut seen = std::collections::HashSet::new();
        for _ in 0..50 {
            let version = create(&store, &key(1), entry("x")).await;
            assert!((1..=i64::MAX as u64).contains(&version.number()) && seen.insert(version));
            assert_eq!(store.remove(&key(1), Some(version)).await.unwrap(), Removed::Gone);
        }
    }

    async fn a_version_beyond_the_column_is_another_version(lab) {
        let store = lab.open().await;
        let beyond = Version::new(u64::MAX);
        assert_eq!(store.remove(&key(1), Some(beyond)).await.unwrap(), Removed::Gone);
        create(&store, &key(1), entry("x")).await;
        assert_eq!(store.write(&key(1), entry("y"), Expect::Version(beyond)).await.unwrap(), Written::Conflict);
        assert_eq!(store.remove(&key(1), Some(beyond)).await.unwrap(), Removed::Conflict);
        assert_eq!(load(&store, &key(1)).await.unwrap(), b"x");
    }

    async fn expiries_at_the_ends_of_time_are_kept(lab) {
        let store = lab.open().await;
        let far = at(253_402_300_799) + Duration::from_secs(1_000_000);
        for (number, expires_at, kept) in [
            (1, std::time::UNIX_EPOCH - Duration::from_secs(1), std::time::UNIX_EPOCH),
            (2, far, far),
            (3, at(START) + Duration::from_nanos(1), at(START) + Duration::from_millis(1)),
        ] {
            create(&store, &key(number), session_core::Entry::new("x", expires_at)).await;
            assert_eq!(store.load(&key(number)).await.unwrap().unwrap().expires_at, kept);
        }
    }

    async fn values_that_are_never_written_are_corrupt(lab) {
        let store = lab.open().await;
        for (number, change) in ["version = -1", "version = 0", "expires_at = -1"].into_iter().enumerate() {
            let key = key(number as u64);
            create(&store, &key, entry("x")).await;
            lab.sql(&format!("UPDATE {{t}} SET {change}")).await;
            assert_eq!(store.load(&key).await.unwrap_err().kind(), StoreErrorKind::Corrupt, "{change}");
            assert_eq!(store.remove(&key, None).await.unwrap(), Removed::Gone);
        }
    }

    /// More than one batch, and no more than asked for.
    async fn a_sweep_goes_through_many_records(lab) {
        let store = lab.open().await;
        for number in 0..450 {
            let expires_at = at(START + 1 + number % 10);
            create(&store, &key(number), session_core::Entry::new("x", expires_at)).await;
        }
        create(&store, &key(1_000), entry("live")).await;
        let request = SweepRequest::before(at(START + 60));
        let swept = store.sweep(request.budget(430)).await.unwrap();
        assert_eq!((swept.examined, swept.removed, swept.finished), (430, 430, false));
        let swept = store.sweep(request).await.unwrap();
        assert_eq!((swept.examined, swept.removed, swept.finished), (20, 20, true));
        assert_eq!(lab.number("SELECT count(*) FROM {t}").await, 1);
    }

    async fn a_list_is_exact(lab) {
        let store = lab.open().await;
        let (one, two) = (PrincipalKey::from_bytes([1; 32]), PrincipalKey::from_bytes([2; 32]));
        let version = create(&store, &key(1), entry("x").with_principal(one)).await;
        create(&store, &key(2), entry("x").with_principal(one)).await;
        stored(store.write(&key(1), entry("x").with_principal(two), Expect::Version(version)).await.unwrap());
        assert_eq!(store.remove(&key(2), None).await.unwrap(), Removed::Gone);
        assert_eq!(store.keys_of(&one, None, usize::MAX).await.unwrap(), []);
        assert_eq!(store.keys_of(&two, None, usize::MAX).await.unwrap(), [key(1)]);
    }

    async fn a_clone_is_the_same_store_and_a_closed_one_answers_no_more(lab) {
        let store = lab.open().await;
        create(&store.clone(), &key(1), entry("x")).await;
        assert!(load(&store, &key(1)).await.is_some());
        store.close().await;
        let closed = store.load(&key(1)).await.unwrap_err();
        assert_eq!(closed.kind(), StoreErrorKind::Unavailable);
        assert!(told(&closed).contains("the store was closed"), "{}", told(&closed));
    }

    async fn nothing_secret_is_printed(lab) {
        let store = lab.open().await;
        create(&store, &key(1), entry("hunter2").with_principal(PrincipalKey::from_bytes([0xee; 32]))).await;
        lab.sql("UPDATE {t} SET version = -1").await;
        let error = store.load(&key(1)).await.unwrap_err();
        let printed = format!("{store:?} {}", told(&error));
        assert!(printed.contains("SqlStore") && printed.contains(&lab.table), "{printed}");
        for secret in [lab.url.as_str(), "hunter2", key(1).to_hex().as_str(), "eeee"] {
            assert!(!printed.contains(secret), "{printed}");
        }
    }
}

//! Bounds: records, memory, calls that wait.

use session_store_redis::MAX_PAYLOAD;
use session_test_servers::{CuttableProxy, RedisRecipe};
use tokio::task::JoinSet;

use super::*;

#[tokio::test]
async fn a_server_without_memory_is_full_and_goes_on_reading_and_removing() {
    let Some(server) = server() else { return };
    let store = patient(server.port());
    let version = create(&store, &key(1), entry("old").with_principal(principal(1))).await;
    server.ask("CONFIG SET maxmemory 1").unwrap();
    for signed_in in [None, Some(principal(1))] {
        let new = entry("new").with_principal(signed_in);
        assert_eq!(kind(store.write(&key(2), new.clone(), Expect::Absent).await), StoreErrorKind::Full);
        assert_eq!(
            kind(store.write(&key(1), new.clone(), Expect::Version(version)).await),
            StoreErrorKind::Full
        );
        // What would be refused anyway needs no memory.
        assert_eq!(store.write(&key(1), new, Expect::Absent).await.unwrap(), Written::Conflict);
    }
    assert_eq!(&store.load(&key(1)).await.unwrap().unwrap().bytes[..], b"old");
    assert_eq!(store.load(&key(2)).await.unwrap(), None);
    assert_eq!(store.as_principal_index().unwrap().keys_of(&principal(1), None, 9).await.unwrap(), [key(1)]);
    assert_eq!(store.remove(&key(1), Some(version)).await.unwrap(), Removed::Gone);
    // The scripts can be told to a server that is full.
    server.ask("SCRIPT FLUSH").unwrap();
    assert_eq!(store.remove(&key(1), Some(version)).await.unwrap(), Removed::Gone);
    server.ask("CONFIG SET maxmemory 0").unwrap();
    create(&store, &key(2), entry("new")).await;
}

#[tokio::test]
async fn a_record_beyond_the_bound_is_refused_without_asking() {
    let store = hasty(1);
    let huge = entry(vec![1; MAX_PAYLOAD + 1]);
    assert_eq!(kind(store.write(&key(1), huge, Expect::Absent).await), StoreErrorKind::Full);
    let Some(server) = server() else { return };
    let store = patient(server.port());
    let largest = vec![1; MAX_PAYLOAD];
    create(&store, &key(1), entry(largest.clone())).await;
    assert!(store.load(&key(1)).await.unwrap().unwrap().bytes == largest);
}

#[tokio::test]
async fn calls_beyond_the_bound_are_refused_at_once() {
    let Some(server) = server() else { return };
    let proxy = CuttableProxy::start(server.port()).unwrap();
    let store = builder(proxy.port()).deadline(HASTE).in_flight_limit(4).build().unwrap();
    assert_eq!(store.load(&key(1)).await.unwrap(), None);
    proxy.stall(true);
    let mut calls = JoinSet::new();
    for number in 0..12 {
        let store = store.clone();
        calls.spawn(async move { kind(store.load(&key(number)).await) });
    }
    let kinds = calls.join_all().await;
    assert_eq!(kinds.iter().filter(|kind| **kind == StoreErrorKind::Overloaded).count(), 8, "{kinds:?}");
    assert_eq!(kinds.iter().filter(|kind| **kind == StoreErrorKind::Unavailable).count(), 4, "{kinds:?}");
    assert_eq!(store.stats().overloaded, 8);
    proxy.stall(false);
    assert_eq!(store.load(&key(1)).await.unwrap(), None);
}

/// Cancelled calls give their place back.
#[tokio::test]
async fn a_call_that_is_dropped_gives_its_place_back() {
    let Some(server) = server() else { return };
    let store = builder(server.port()).in_flight_limit(1).deadline(Duration::from_secs(30)).build().unwrap();
    for number in 0..100 {
        let key = key(number);
        let call = store.write(&key, entry("x"), Expect::Absent);
        let _ = tokio::time::timeout(Duration::ZERO, call).await;
        assert!(store.load(&key).await.is_ok());
    }
}

#[test]
fn outside_of_a_runtime_there_is_an_error() {
    let store = hasty(1);
    let key = key(1);
    let mut load = store.load(&key);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match load.as_mut().poll(&mut context) {
        std::task::Poll::Ready(answer) => assert_eq!(kind(answer), StoreErrorKind::Unavailable),
        std::task::Poll::Pending => panic!("it waits"),
    }
}

/// A store is not bound to the runtime that used it first.
#[test]
fn a_store_outlives_its_runtime() {
    let Some(server) = server() else { return };
    let store = patient(server.port());
    for round in 0..3 {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            create(&store, &key(round), entry("x")).await;
            assert!(store.load(&key(0)).await.unwrap().is_some());
        });
    }
}

#[tokio::test]
async fn stores_with_other_prefixes_or_databases_share_nothing() {
    // Shows: A33
    let Some(server) = or_skip(RedisRecipe::default().start()) else { return };
    let open = |path: &str, prefix: &str| {
        RedisStore::builder(format!("{}/{path}", server.url())).prefix(prefix).build().unwrap()
    };
    let stores = [open("", "a"), open("", "a:b"), open("", "b"), open("1", "a")];
    for (number, store) in stores.iter().enumerate() {
        create(store, &key(1), entry([number as u8]).with_principal(principal(1))).await;
    }
    stores[0].as_environment().unwrap().drop().await.unwrap();
    assert_eq!(stores[0].load(&key(1)).await.unwrap(), None);
    for (number, store) in stores.iter().enumerate().skip(1) {
        assert_eq!(&store.load(&key(1)).await.unwrap().unwrap().bytes[..], [number as u8]);
        assert_eq!(
            store.as_principal_index().unwrap().keys_of(&principal(1), None, 9).await.unwrap(),
            [key(1)]
        );
    }
}

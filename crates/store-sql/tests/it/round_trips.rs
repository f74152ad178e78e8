//! What goes over the wire: promise P5, counted by a proxy.

use session_core::{Expect, PrincipalIndex, PrincipalKey, Removed, Store, Sweep, SweepRequest, Written};
use session_test_servers::CuttableProxy;

use crate::common::*;

/// What a kind of call costs, on a connection that has seen it before.
async fn trips<T>(proxy: &CuttableProxy, call: impl Future<Output = T>) -> u64 {
    let before = proxy.round_trips();
    call.await;
    proxy.round_trips() - before
}

on_each_server! {
    async fn every_call_is_one_round_trip(lab) {
        let (proxy, url) = lab.proxy();
        let store = lab.builder().connections(1).connect(&url).await.unwrap();
        let principal = PrincipalKey::from_bytes([1; 32]);
        let connected = proxy.connections();
        for round in 0..3 {
            let (one, two) = (key(round), key(100 + round));
            let signed_in = || entry("x").with_principal(principal);
            let mut first = None;
            let created = trips(&proxy, async { first = Some(create(&store, &one, signed_in()).await) }).await;
            let first = first.unwrap();
            create(&store, &two, signed_in()).await;
            let taken = trips(&proxy, async {
                assert_eq!(store.write(&one, entry("y"), Expect::Absent).await.unwrap(), Written::Conflict);
            }).await;
            let loaded = trips(&proxy, async { assert!(load(&store, &one).await.is_some()) }).await;
            let missed = trips(&proxy, async { assert!(load(&store, &key(999)).await.is_none()) }).await;
            let mut second = None;
            let replaced = trips(&proxy, async {
                second = Some(stored(store.write(&one, signed_in(), Expect::Version(first)).await.unwrap()));
            }).await;
            let conflict = trips(&proxy, async {
                let late = store.write(&one, signed_in(), Expect::Version(first)).await.unwrap();
                assert_eq!(late, Written::Conflict);
            }).await;
            let listed = trips(&proxy, async { store.keys_of(&principal, None, 9).await.unwrap() }).await;
            let paged = trips(&proxy, async { store.keys_of(&principal, Some(&one), 9).await.unwrap() }).await;
            let spared = trips(&proxy, async {
                assert_eq!(store.remove(&one, Some(first)).await.unwrap(), Removed::Conflict);
            }).await;
            let by_version = trips(&proxy, async {
                assert_eq!(store.remove(&one, second).await.unwrap(), Removed::Gone);
            }).await;
            let removed = trips(&proxy, async {
                assert_eq!(store.remove(&two, None).await.unwrap(), Removed::Gone);
            }).await;
            for number in 0..5 {
                create(&store, &key(200 + number), session_core::Entry::new("x", at(START))).await;
            }
            let swept = trips(&proxy, async {
                let swept = store.sweep(SweepRequest::before(at(START + 1))).await.unwrap();
                assert_eq!((swept.removed, swept.finished), (5, true));
            }).await;
            // The first time a connection meets a statement, it has it prepared.
            if round > 0 {
                assert_eq!([created, loaded, missed, replaced, conflict, by_version, removed, listed, paged], [1; 9]);
                let in_two = u64::from(lab.kind == Kind::MySql);
                assert_eq!([taken, spared, swept], [1 + in_two, 2, 2]);
            }
        }
        assert_eq!(proxy.connections(), connected);
    }
}

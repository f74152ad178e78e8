//! What a call costs, counted on the wire.

use session_test_servers::CuttableProxy;

use super::*;

/// Counts the round trips, connections and answers of one call.
macro_rules! assert_one_round_trip {
    ($proxy:expr, $what:expr, $call:expr) => {
        let before = $proxy.round_trips();
        let _ = $call.await.unwrap();
        assert_eq!($proxy.round_trips() - before, 1, "{}", $what);
    };
}

#[tokio::test]
async fn each_call_is_one_round_trip() {
    let Some(server) = server() else { return };
    let proxy = CuttableProxy::start(server.port()).unwrap();
    let store = patient(proxy.port());
    // The first call connects.
    store.load(&key(0)).await.unwrap();

    let large = vec![7; 200_000];
    for (number, bytes) in [(1, vec![]), (2, vec![1; 100])] {
        let key = key(number);
        assert_one_round_trip!(proxy, "a load of nothing", store.load(&key));
        assert_one_round_trip!(proxy, "a create", store.write(&key, entry(bytes.clone()), Expect::Absent));
        assert_one_round_trip!(proxy, "a conflict", store.write(&key, entry(bytes.clone()), Expect::Absent));
        assert_one_round_trip!(proxy, "a load", store.load(&key));
        let version = store.load(&key).await.unwrap().unwrap().version;
        assert_one_round_trip!(
            proxy,
            "a write",
            store.write(&key, entry(bytes.clone()), Expect::Version(version))
        );
        assert_one_round_trip!(proxy, "a removal of a stale version", store.remove(&key, Some(version)));
        let version = store.load(&key).await.unwrap().unwrap().version;
        let login = entry(bytes.clone()).with_principal(principal(1));
        assert_one_round_trip!(proxy, "a login", store.write(&key, login, Expect::Version(version)));
        let version = store.load(&key).await.unwrap().unwrap().version;
        let other = entry(bytes.clone()).with_principal(principal(2));
        assert_one_round_trip!(
            proxy,
            "another principal",
            store.write(&key, other, Expect::Version(version))
        );
        let version = store.load(&key).await.unwrap().unwrap().version;
        assert_one_round_trip!(proxy, "a removal of a version", store.remove(&key, Some(version)));
        assert_one_round_trip!(proxy, "a removal of nothing", store.remove(&key, None));
        let signed_in = entry(bytes).with_principal(principal(1));
        assert_one_round_trip!(
            proxy,
            "a create with a principal",
            store.write(&key, signed_in, Expect::Absent)
        );
        assert_one_round_trip!(proxy, "a removal", store.remove(&key, None));
    }
    assert_eq!(proxy.connections(), 1);

    // One request and one answer also where the system hands them over in pieces.
    create(&store, &key(9), entry(large.clone())).await;
    assert_eq!(&store.load(&key(9)).await.unwrap().unwrap().bytes[..], large);
}

#[tokio::test]
async fn a_list_is_far_fewer_round_trips_than_there_are_buckets() {
    let Some(server) = server() else { return };
    let proxy = CuttableProxy::start(server.port()).unwrap();
    let store = patient(proxy.port());
    for number in 0..3 {
        create(&store, &key(number), entry("x").with_principal(principal(0))).await;
    }
    let index = store.as_principal_index().unwrap();
    let before = proxy.round_trips();
    assert_eq!(index.keys_of(&principal(0), None, 100).await.unwrap().len(), 3);
    // Four, of 32 to 128 requests each; answers that come while requests are still written count more than once.
    let trips = proxy.round_trips() - before;
    assert!(trips < 64, "{trips}");
}

/// In a Cluster each node is asked directly: none sends a request on to another.
#[tokio::test]
async fn a_cluster_redirects_nothing() {
    let Some(cluster) = cluster() else { return };
    let store = RedisStore::cluster(cluster.urls()).deadline(Duration::from_secs(30)).build().unwrap();
    for number in 0..300 {
        let version = create(&store, &key(number), entry("x").with_principal(principal(number % 7))).await;
        replace(&store, &key(number), entry("y").with_principal(principal(number % 3)), version).await;
        assert_eq!(&store.load(&key(number)).await.unwrap().unwrap().bytes[..], b"y");
    }
    let stats = store.stats();
    assert_eq!((stats.redirected, stats.repeated, stats.scripts_forgotten), (0, 0, 0));
    // One for each node, and one to ask where the nodes are.
    assert!(stats.connections <= 6, "{stats:?}");
    // Every node has about a third.
    for node in cluster.nodes() {
        let size: u64 = node.ask("DBSIZE").unwrap().trim().trim_start_matches(':').parse().unwrap();
        assert!((150..=450).contains(&size), "{size} of about 300 + 600 keys");
    }
}

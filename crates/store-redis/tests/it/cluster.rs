//! A Cluster that changes while it is used.

use super::*;

fn store(cluster: &RedisCluster) -> RedisStore {
    RedisStore::cluster(cluster.urls()).deadline(Duration::from_secs(1)).build().unwrap()
}

/// A key in the bucket `number`, so in the slot 64 times that.
pub(super) fn in_bucket(number: u8, other: u64) -> StoreKey {
    let mut bytes = *key(other).as_bytes();
    bytes[0] = number;
    StoreKey::from_bytes(bytes)
}

fn id(node: &RedisServer) -> String {
    let answer = node.ask("CLUSTER MYID").unwrap();
    answer.lines().nth(1).unwrap().to_owned()
}

/// Gives the slot to another node, while somebody uses it; `check` is called when half of it has been moved.
async fn migrate<F: Future>(from: &RedisServer, to: &RedisServer, slot: u16, check: impl FnOnce() -> F) {
    to.ask(&format!("CLUSTER SETSLOT {slot} IMPORTING {}", id(from))).unwrap();
    from.ask(&format!("CLUSTER SETSLOT {slot} MIGRATING {}", id(to))).unwrap();
    let names = from.ask(&format!("CLUSTER GETKEYSINSLOT {slot} 1000")).unwrap();
    let mut names: Vec<&str> = names.lines().filter(|line| line.contains('{')).collect();
    // The order is that of a hash table; half of each kind is to be there while the test looks.
    names.sort_unstable_by_key(|name| (name.len(), *name));
    let half: Vec<&str> = names.iter().copied().step_by(2).collect();
    let move_one = |name: &str| {
        let moved = from.ask(&format!("MIGRATE 127.0.0.1 {} {name} 0 5000", to.port())).unwrap();
        assert!(moved.starts_with("+OK") || moved.starts_with("+NOKEY"), "{moved}");
    };
    half.iter().for_each(|name| move_one(name));
    check().await;
    names.iter().for_each(|name| move_one(name));
    for node in [to, from] {
        node.ask(&format!("CLUSTER SETSLOT {slot} NODE {}", id(to))).unwrap();
    }
}

#[tokio::test]
async fn records_are_found_while_their_slot_moves_and_afterwards() {
    let Some(cluster) = cluster() else { return };
    let store = store(&cluster);
    let bucket = 10;
    let keys: Vec<StoreKey> = (0..40).map(|number| in_bucket(bucket, number)).collect();
    for key in &keys {
        create(&store, key, entry("old")).await;
    }
    let [from, to, _] = cluster.nodes() else { panic!("three nodes") };
    migrate(from, to, 640, || async {
        for key in &keys {
            let found = store.load(key).await.unwrap().unwrap();
            replace(&store, key, entry("new"), found.version).await;
        }
        create(&store, &in_bucket(bucket, 99), entry("new")).await;
        assert_eq!(store.load(&in_bucket(bucket, 100)).await.unwrap(), None);
        assert_eq!(store.remove(&in_bucket(bucket, 99), None).await.unwrap(), Removed::Gone);
    })
    .await;
    assert!(store.stats().redirected > 0);
    for key in &keys {
        assert_eq!(&store.load(key).await.unwrap().unwrap().bytes[..], b"new");
    }
    let before = store.stats().redirected;
    for key in &keys {
        assert!(store.load(key).await.unwrap().is_some());
    }
    assert_eq!(store.stats().redirected, before, "the new owner is remembered");
    // One that never heard of the old one, and one that knows only a node without the slot.
    for urls in [cluster.urls(), vec![cluster.nodes()[2].url()]] {
        let fresh = RedisStore::cluster(urls).build().unwrap();
        assert_eq!(&fresh.load(&keys[0]).await.unwrap().unwrap().bytes[..], b"new");
        assert_eq!(fresh.stats().redirected, 0);
    }
}

/// A record and the index of its principal move one after the other; a write that needs both waits, and is not lost.
#[tokio::test]
async fn a_login_in_a_slot_that_moves_is_stored_or_refused() {
    let Some(cluster) = cluster() else { return };
    let store = store(&cluster);
    let keys: Vec<StoreKey> = (0..10).map(|number| in_bucket(10, number)).collect();
    for (number, key) in keys.iter().enumerate() {
        create(&store, key, entry("old").with_principal(principal(number as u64))).await;
    }
    let [from, to, _] = cluster.nodes() else { panic!("three nodes") };
    let mut expected = vec![b"old".to_vec(); keys.len()];
    migrate(from, to, 640, || async {
        for (number, key) in keys.iter().enumerate() {
            let version = store.load(key).await.unwrap().unwrap().version;
            let new = entry("new").with_principal(principal(number as u64));
            match store.write(key, new, Expect::Version(version)).await {
                Ok(Written::Stored(_)) => expected[number] = b"new".to_vec(),
                Ok(Written::Conflict) => panic!("nobody else writes"),
                Err(error) => assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{}", spelt_out(&error)),
            }
        }
    })
    .await;
    for (number, key) in keys.iter().enumerate() {
        let found = store.load(key).await.unwrap().unwrap();
        assert_eq!(&found.bytes[..], expected[number]);
        let index = store.as_principal_index().unwrap();
        assert_eq!(index.keys_of(&principal(number as u64), None, 9).await.unwrap(), [*key]);
        replace(&store, key, entry("newer").with_principal(principal(number as u64)), found.version).await;
    }
}

#[tokio::test]
async fn a_scan_begins_anew_once_slots_have_moved() {
    let Some(cluster) = cluster() else { return };
    let store = store(&cluster);
    for bucket in 0..=255 {
        create(&store, &in_bucket(bucket, 1), entry("x").with_principal(principal(1))).await;
    }
    let scan = store.as_scan().unwrap();
    let first = scan.scan(None, 10).await.unwrap();
    let [from, to, _] = cluster.nodes() else { panic!("three nodes") };
    migrate(from, to, 640, || async {}).await;
    // The store hears of it when it is sent to the new node.
    assert!(store.load(&in_bucket(10, 1)).await.unwrap().is_some());
    assert_eq!(kind(scan.scan(first.next.as_ref(), 10).await), StoreErrorKind::Unavailable);
    let (mut found, mut cursor) = (std::collections::HashSet::new(), None);
    loop {
        let page = scan.scan(cursor.as_ref(), 10).await.unwrap();
        found.extend(page.entries.into_iter().map(|(key, _)| key));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(found.len(), 256);
}

#[tokio::test]
async fn a_node_that_is_gone_takes_only_its_own_records() {
    let Some(cluster) = cluster() else { return };
    let store = store(&cluster);
    for bucket in 0..=255 {
        create(&store, &in_bucket(bucket, 1), entry("x").with_principal(principal(1))).await;
    }
    cluster.nodes()[1].kill().unwrap();
    let (mut there, mut gone) = (0, 0);
    for bucket in 0..=255 {
        match store.load(&in_bucket(bucket, 1)).await {
            Ok(found) => {
                assert!(found.is_some(), "an outage is taken for an absence");
                there += 1;
            }
            Err(error) => {
                assert_eq!(error.kind(), StoreErrorKind::Unavailable);
                gone += 1;
            }
        }
    }
    // Slots 5461 to 10922.
    assert_eq!((there, gone), (256 - 85, 85));
    // A list that would be short is an error.
    let listed = store.as_principal_index().unwrap().keys_of(&principal(1), None, 1_000).await;
    assert_eq!(kind(listed), StoreErrorKind::Unavailable);
    assert!(store.as_environment().unwrap().check().await.is_err());
}

#[tokio::test]
async fn a_node_that_stops_for_a_while_delays_no_other() {
    let Some(cluster) = cluster() else { return };
    let store = RedisStore::cluster(cluster.urls()).deadline(HASTE).build().unwrap();
    for bucket in [0, 100, 200] {
        create(&store, &in_bucket(bucket, 1), entry("x")).await;
    }
    cluster.nodes()[1].pause().unwrap();
    assert_eq!(kind(store.load(&in_bucket(100, 1)).await), StoreErrorKind::Unavailable);
    for _ in 0..3 {
        for bucket in [0, 200] {
            let call = kind_or_found(&store, bucket);
            let stopped = kind_or_found(&store, 100);
            let (found, missed) = tokio::join!(call, stopped);
            assert_eq!((found, missed), (Ok(true), Err(StoreErrorKind::Unavailable)));
        }
    }
    cluster.nodes()[1].resume().unwrap();
    assert!(store.load(&in_bucket(100, 1)).await.unwrap().is_some());
}

async fn kind_or_found(store: &RedisStore, bucket: u8) -> Result<bool, StoreErrorKind> {
    store.load(&in_bucket(bucket, 1)).await.map(|found| found.is_some()).map_err(|error| error.kind())
}

/// A replica takes over from its master, which is then killed.
#[tokio::test]
async fn after_a_failover_the_new_master_is_found() {
    let Some(cluster) = cluster() else { return };
    let store = store(&cluster);
    let key = in_bucket(0, 1);
    let version = create(&store, &key, entry("old").with_principal(principal(1))).await;
    // The third node gives its slots away and becomes a replica of the first.
    let [first, second, third] = cluster.nodes() else { panic!("three nodes") };
    // So that no older word of the third about its slots, still under way, takes back what is given away now.
    assert!(second.ask("CLUSTER BUMPEPOCH").unwrap().starts_with("+BUMPED"));
    for slot in 10_923..16_384_u16 {
        for node in [second, first, third] {
            node.ask(&format!("CLUSTER SETSLOT {slot} NODE {}", id(second))).unwrap();
        }
    }
    while !third.ask(&format!("CLUSTER REPLICATE {}", id(first))).unwrap().starts_with("+OK") {
        third.ask("FLUSHALL").unwrap();
    }
    while !third.ask("INFO replication").unwrap().contains("master_link_status:up") {
        tokio::task::yield_now().await;
    }
    assert_eq!(third.ask("CLUSTER FAILOVER").unwrap(), "+OK\r\n");
    while !third.ask("INFO replication").unwrap().contains("role:master") {
        tokio::task::yield_now().await;
    }
    first.kill().unwrap();
    assert_eq!(&store.load(&key).await.unwrap().unwrap().bytes[..], b"old");
    replace(&store, &key, entry("new").with_principal(principal(1)), version).await;
    let listed = store.as_principal_index().unwrap().keys_of(&principal(1), None, 9).await.unwrap();
    assert_eq!(listed, [key]);
}

#[tokio::test]
async fn a_node_of_a_cluster_is_not_taken_for_a_server_of_its_own() {
    let Some(cluster) = cluster() else { return };
    let alone = RedisStore::new(cluster.nodes()[0].url()).unwrap();
    let error = alone.load(&in_bucket(200, 1)).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    assert!(spelt_out(&error).contains("redis+cluster://"), "{}", spelt_out(&error));

    // It would answer each of these, for a third of the sessions.
    let environment = alone.as_environment().unwrap();
    let mut refusals = vec![alone.as_scan().unwrap().scan(None, 10).await.map(drop).unwrap_err()];
    refusals.extend(environment.check().await.unwrap_err());
    refusals.extend(environment.drop().await.unwrap_err());
    let told = |error: &StoreError| spelt_out(error).contains("redis+cluster://");
    assert!(refusals.len() == 3 && refusals.iter().all(told), "{refusals:?}");
}

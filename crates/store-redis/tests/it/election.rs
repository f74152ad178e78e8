//! A master of a Cluster dies, and the others elect its replica.
//!
//! `SESSION_CONFORMANCE_SCALE` says how often. Replication is asynchronous, and the store does not wait for it: what the
//! master had acknowledged and not yet sent is lost. The test counts that, and shows that nothing else is.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use tokio::{task::JoinSet, time::timeout};

use super::{cluster::in_bucket, *};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_replica_is_elected_and_found() {
    for _ in 0..scale().min(50) {
        let Some(cluster) = or_skip(RedisCluster::with_replica()) else { return };
        let store = RedisStore::cluster(cluster.urls()).deadline(HASTE).build().unwrap();
        let versions = fill(&store).await;
        let [master, _, _, replica] = cluster.nodes() else { panic!("four nodes") };
        await_replication(master, replica).await;

        // Writers in every part of the Cluster, each in a record of its own, until the first error.
        let stop = Arc::new(AtomicBool::new(false));
        let mut writers = JoinSet::new();
        for bucket in (0..=255).step_by(16) {
            writers.spawn(count_until(store.clone(), in_bucket(bucket, 2), stop.clone()));
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
        master.kill().unwrap();
        let died = Instant::now();

        // The client finds the new master by itself.
        let lost_key = in_bucket(0, 1);
        loop {
            match answered(store.load(&lost_key)).await {
                Ok(found) => break assert!(found.is_some(), "an outage is taken for an absence"),
                Err(error) => assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{}", spelt_out(&error)),
            }
            assert!(died.elapsed() < Duration::from_secs(60), "nobody was elected");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        println!("elected and found after {:.1} s", died.elapsed().as_secs_f64());
        stop.store(true, Ordering::SeqCst);

        // Everything from before is there, with its version, and listed.
        for (bucket, version) in (0..=255).zip(&versions) {
            let found = answered(store.load(&in_bucket(bucket, 1))).await.unwrap().unwrap();
            assert_eq!(found.version, *version);
        }
        let listed = store.as_principal_index().unwrap().keys_of(&principal(1), None, 1_000).await.unwrap();
        assert_eq!(listed.len(), 256);
        let mut lost = 0;
        for counted in writers.join_all().await {
            lost += counted.lost(&store).await;
        }
        println!("{lost} acknowledged writes lost");

        // What is removed now stays so when the old master is back: as a replica.
        assert_eq!(store.remove(&lost_key, Some(versions[0])).await.unwrap(), Removed::Gone);
        master.restart().unwrap();
        await_replica(master).await;
        assert_eq!(answered(store.load(&lost_key)).await.unwrap(), None);
        let fresh = RedisStore::cluster([master.url()]).deadline(HASTE).build().unwrap();
        assert_eq!(answered(fresh.load(&lost_key)).await.unwrap(), None);
    }
}

/// A session in each bucket, all of one principal.
async fn fill(store: &RedisStore) -> Vec<Version> {
    let mut versions = Vec::new();
    for bucket in 0..=255 {
        create(store, &in_bucket(bucket, 2), entry(0_u64.to_be_bytes())).await;
        versions.push(create(store, &in_bucket(bucket, 1), entry("x").with_principal(principal(1))).await);
    }
    versions
}

/// How far a writer came.
struct Counted {
    key: StoreKey,
    acknowledged: u64,
    tried: u64,
}

/// Writes ever higher numbers. After an error it is for the record to say whether the last one was stored.
async fn count_until(store: RedisStore, key: StoreKey, stop: Arc<AtomicBool>) -> Counted {
    let mut counted = Counted { key, acknowledged: 0, tried: 0 };
    let mut version = store.load(&key).await.unwrap().unwrap().version;
    while !stop.load(Ordering::SeqCst) {
        counted.tried += 1;
        let next = entry(counted.tried.to_be_bytes());
        match answered(store.write(&key, next, Expect::Version(version))).await {
            Ok(Written::Stored(stored)) => version = stored,
            Ok(Written::Conflict) => break,
            Err(error) => {
                let typed =
                    matches!(error.kind(), StoreErrorKind::Unavailable | StoreErrorKind::Indeterminate);
                assert!(typed, "{}", spelt_out(&error));
                break;
            }
        }
        counted.acknowledged = counted.tried;
    }
    counted
}

impl Counted {
    /// How many of the last acknowledged numbers are gone. The record holds one of those that were written, whole.
    async fn lost(&self, store: &RedisStore) -> u64 {
        let found = number(store, &self.key).await;
        assert!(found <= self.tried, "{found} was never written");
        self.acknowledged.saturating_sub(found)
    }
}

/// The answer, which comes.
async fn answered<T>(call: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    timeout(Duration::from_secs(30), call).await.unwrap()
}

/// Until the replica has everything.
async fn await_replication(master: &RedisServer, replica: &RedisServer) {
    let offset = |node: &RedisServer, field: &str| {
        let told = node.ask("INFO replication").unwrap();
        told.lines().find_map(|line| line.strip_prefix(field)?.trim().parse::<u64>().ok())
    };
    let written = offset(master, "master_repl_offset:").unwrap();
    while offset(replica, "slave_repl_offset:").is_none_or(|read| read < written) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Until it follows its successor.
async fn await_replica(node: &RedisServer) {
    loop {
        let told = node.ask("INFO replication").unwrap();
        if told.contains("role:slave") && told.contains("master_link_status:up") {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

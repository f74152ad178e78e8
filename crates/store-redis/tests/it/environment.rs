//! Setting up, checking and tearing down.

use session_store_redis::EnvironmentError;
use session_test_servers::RedisRecipe;

use super::*;

fn reason(error: &StoreError) -> EnvironmentError {
    std::error::Error::source(error).unwrap().downcast_ref::<EnvironmentError>().unwrap().clone()
}

async fn troubles(store: &RedisStore) -> Vec<EnvironmentError> {
    match store.as_environment().unwrap().check().await {
        Ok(()) => Vec::new(),
        Err(errors) => errors.iter().map(reason).collect(),
    }
}

#[tokio::test]
async fn a_check_says_what_is_missing() {
    let Some(server) = server() else { return };
    let store = patient(server.port());
    let environment = store.as_environment().unwrap();
    assert_eq!(troubles(&store).await, [EnvironmentError::Missing]);
    environment.create().await.unwrap();
    environment.create().await.unwrap();
    assert_eq!(troubles(&store).await, []);
    server.ask("SET session:{3560}:environment 2").unwrap();
    assert_eq!(troubles(&store).await, [EnvironmentError::OtherLayout]);
    let refused = environment.create().await.unwrap_err();
    assert_eq!(
        (refused[0].kind(), reason(&refused[0])),
        (StoreErrorKind::Corrupt, EnvironmentError::OtherLayout)
    );
}

#[tokio::test]
async fn a_server_that_evicts_does_not_pass() {
    for policy in ["allkeys-lru", "volatile-ttl", "volatile-lfu"] {
        let Some(server) = or_skip(RedisRecipe::default().set("maxmemory-policy", policy).start()) else {
            return;
        };
        let store = patient(server.port());
        store.as_environment().unwrap().create().await.unwrap();
        assert_eq!(troubles(&store).await, [EnvironmentError::Evicts(policy.to_owned())]);
        let store = builder(server.port()).dangerous_evicting_server().build().unwrap();
        assert_eq!(troubles(&store).await, []);
    }
}

#[tokio::test]
async fn dropping_deletes_all_of_the_stores_keys_and_no_other() {
    // Shows: A45
    let Some(server) = server() else { return };
    let store = patient(server.port());
    store.as_environment().unwrap().create().await.unwrap();
    for number in 0..2_500 {
        create(&store, &key(number), entry("x").with_principal(principal(number % 50))).await;
    }
    let foreign = [
        "other",
        "session",
        "session:",
        "session:{3560}",
        "session:{3560}:notes",
        "session2:{3560}:environment",
    ];
    for name in foreign {
        server.ask(&format!("SET {name} foreign")).unwrap();
    }
    store.as_environment().unwrap().drop().await.unwrap();
    assert_eq!(server.ask("DBSIZE").unwrap(), format!(":{}\r\n", foreign.len()));
    for name in foreign {
        assert_eq!(server.ask(&format!("GET {name}")).unwrap(), "$7\r\nforeign\r\n");
    }
    assert_eq!(troubles(&store).await, [EnvironmentError::Missing]);
}

#[tokio::test]
async fn a_cluster_is_dropped_on_every_node() {
    let Some(cluster) = cluster() else { return };
    let store = RedisStore::cluster(cluster.urls()).deadline(Duration::from_secs(30)).build().unwrap();
    let environment = store.as_environment().unwrap();
    environment.create().await.unwrap();
    for number in 0..500 {
        create(&store, &key(number), entry("x").with_principal(principal(1))).await;
    }
    assert_eq!(troubles(&store).await, []);
    cluster.nodes()[1].ask("CONFIG SET maxmemory-policy allkeys-lru").unwrap();
    assert_eq!(troubles(&store).await, [EnvironmentError::Evicts("allkeys-lru".to_owned())]);
    environment.drop().await.unwrap();
    for node in cluster.nodes() {
        assert_eq!(node.ask("DBSIZE").unwrap(), ":0\r\n");
    }
}

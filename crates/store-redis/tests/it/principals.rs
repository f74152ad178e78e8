//! The list of a principal: complete, in order, in pages, and not growing for ever.

use tokio::task::JoinSet;

use super::*;

async fn listed(store: &RedisStore, principal: &PrincipalKey, limit: usize) -> Vec<StoreKey> {
    let mut all: Vec<StoreKey> = Vec::new();
    loop {
        let page = store.as_principal_index().unwrap().keys_of(principal, all.last(), limit).await.unwrap();
        assert!(page.len() <= limit);
        if page.is_empty() {
            return all;
        }
        all.extend(page);
    }
}

/// How many members the indexes have together.
fn members(server: &RedisServer) -> u64 {
    let script = "local sum = 0 for _, name in ipairs(redis.call('KEYS', 'session:*:p:*')) do \
                  sum = sum + redis.call('ZCARD', name) end return sum";
    server.ask(&format!("EVAL \"{script}\" 0")).unwrap().trim().trim_start_matches(':').parse().unwrap()
}

async fn ten_thousand(store: &RedisStore) {
    let mut logins = JoinSet::new();
    for task in 0..20 {
        let store = store.clone();
        logins.spawn(async move {
            for number in 0..500 {
                create(&store, &key(task * 500 + number), entry("x").with_principal(principal(1))).await;
            }
        });
    }
    logins.join_all().await;
    let mut expected: Vec<StoreKey> = (0..10_000).map(key).collect();
    expected.sort_unstable();
    for limit in [100, 4_096, usize::MAX] {
        assert!(listed(store, &principal(1), limit).await == expected, "pages of {limit}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ten_thousand_sessions_come_in_pages() {
    let Some(server) = server() else { return };
    ten_thousand(&patient(server.port())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ten_thousand_sessions_come_in_pages_from_a_cluster() {
    let Some(cluster) = cluster() else { return };
    ten_thousand(&RedisStore::cluster(cluster.urls()).deadline(Duration::from_secs(30)).build().unwrap())
        .await;
}

/// Somebody who signs in again and again, for years, and never out.
#[tokio::test]
async fn an_index_forgets_what_has_expired() {
    let Some(server) = server() else { return };
    let store = patient(server.port());
    for number in 0..2_000 {
        let short = Entry::new("x", in_millis(20)).with_principal(principal(1));
        create(&store, &key(number), short).await;
    }
    create(&store, &key(10_000), entry("long").with_principal(principal(1))).await;
    for number in 2_000..6_000 {
        let short = Entry::new("x", in_millis(20)).with_principal(principal(1));
        create(&store, &key(number), short).await;
    }
    assert!(members(&server) < 3_000, "{} members for 6,000 logins", members(&server));
    assert!(listed(&store, &principal(1), 1_000).await.contains(&key(10_000)));
}

#[tokio::test]
async fn a_rewritten_record_has_one_place() {
    let Some(server) = server() else { return };
    let store = patient(server.port());
    let mut version = create(&store, &key(1), entry("x").with_principal(principal(1))).await;
    for seconds in [600, 60, 6_000, 6_001] {
        let entry = Entry::new("x", in_millis(seconds * 1_000)).with_principal(principal(1));
        version = replace(&store, &key(1), entry, version).await;
        assert_eq!(members(&server), 1);
    }
}

/// What was lost of the index comes back with the next write of each record.
#[tokio::test]
async fn a_lost_index_heals() {
    let Some(server) = server() else { return };
    let store = patient(server.port());
    let mut version = create(&store, &key(1), entry("x").with_principal(principal(1))).await;
    server
        .ask("EVAL \"for _, name in ipairs(redis.call('KEYS', '*:p:*')) do redis.call('DEL', name) end\" 0")
        .unwrap();
    assert_eq!(listed(&store, &principal(1), 10).await, []);
    version = replace(&store, &key(1), entry("x").with_principal(principal(1)), version).await;
    assert_eq!(listed(&store, &principal(1), 10).await, [key(1)]);
    assert_eq!(store.remove(&key(1), Some(version)).await.unwrap(), Removed::Gone);
}

/// The record and its place in the index are one change: there is no moment in between.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whoever_sees_a_login_finds_it_listed() {
    let Some(server) = server() else { return };
    let store = patient(server.port());
    let (writer, rounds) = (store.clone(), 300 * scale());
    let logins = tokio::spawn(async move {
        for number in 0..rounds {
            create(&writer, &key(number), entry("x").with_principal(principal(number))).await;
        }
    });
    for number in 0..rounds {
        while store.load(&key(number)).await.unwrap().is_none() {}
        let index = store.as_principal_index().unwrap();
        assert_eq!(index.keys_of(&principal(number), None, 9).await.unwrap(), [key(number)]);
    }
    logins.await.unwrap();
}

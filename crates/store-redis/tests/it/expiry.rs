//! The server lets go of what has expired, at the instant that was written.

use super::*;

/// The name of the only key that matches.
fn name(server: &RedisServer, pattern: &str) -> String {
    let names = server.ask(&format!("KEYS {pattern}")).unwrap();
    let mut names = names.lines().filter(|line| line.contains('{'));
    let name = names.next().unwrap().to_owned();
    assert_eq!(names.next(), None);
    name
}

fn expires_at(server: &RedisServer, name: &str) -> u64 {
    server.ask(&format!("PEXPIRETIME {name}")).unwrap().trim().trim_start_matches(':').parse().unwrap()
}

fn millis(instant: SystemTime) -> u64 {
    instant.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis().try_into().unwrap()
}

#[tokio::test]
async fn a_record_and_its_index_expire_by_the_server() {
    let Some(server) = server() else { return };
    let store = patient(server.port());
    let key = key(1);
    let mut version = None;
    for seconds in [600, 60, 6_000] {
        let entry = Entry::new("x", in_millis(seconds * 1_000 + 123)).with_principal(principal(1));
        let expect = version.map_or(Expect::Absent, Expect::Version);
        version = Some(stored(store.write(&key, entry.clone(), expect).await));
        let record = name(&server, &format!("session:*:{}", key.to_hex()));
        assert_eq!(expires_at(&server, &record), millis(entry.expires_at));
        let index = name(&server, "session:*:p:*");
        // It never goes before its last member.
        assert!(expires_at(&server, &index) >= millis(entry.expires_at));
        assert_eq!(server.ask(&format!("ZCARD {index}")).unwrap(), ":1\r\n");
    }
}

#[tokio::test]
async fn what_has_expired_is_gone_and_its_key_is_free() {
    let Some(server) = server() else { return };
    let store = patient(server.port());
    create(&store, &key(1), Entry::new("short", in_millis(50)).with_principal(principal(1))).await;
    while store.load(&key(1)).await.unwrap().is_some() {
        tokio::task::yield_now().await;
    }
    create(&store, &key(1), entry("new")).await;
    // Written with an expiry that has passed: stored, and gone at once.
    create(
        &store,
        &key(2),
        Entry::new("long ago", in_millis(0) - Duration::from_secs(1_000)).with_principal(principal(2)),
    )
    .await;
    assert_eq!(store.load(&key(2)).await.unwrap(), None);
    assert_eq!(store.as_principal_index().unwrap().keys_of(&principal(2), None, 9).await.unwrap(), []);
}

#[tokio::test]
async fn expiries_at_the_ends_of_time_are_kept() {
    let Some(server) = server() else { return };
    let store = patient(server.port());
    let year_9999 = SystemTime::UNIX_EPOCH + Duration::from_millis(253_402_300_799_999);
    create(&store, &key(1), Entry::new("x", year_9999).with_principal(principal(1))).await;
    assert_eq!(store.load(&key(1)).await.unwrap().unwrap().expires_at, year_9999);
    assert_eq!(store.as_principal_index().unwrap().keys_of(&principal(1), None, 9).await.unwrap(), [key(1)]);
    create(&store, &key(2), Entry::new("x", SystemTime::UNIX_EPOCH + Duration::from_secs(1 << 50))).await;
    assert!(store.load(&key(2)).await.unwrap().is_some());
    create(&store, &key(3), Entry::new("x", SystemTime::UNIX_EPOCH - Duration::from_secs(1))).await;
    assert_eq!(store.load(&key(3)).await.unwrap(), None);
}

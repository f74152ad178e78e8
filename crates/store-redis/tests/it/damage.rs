//! What is no record, under the name of one.

use session_store_redis::RecordError;

use super::*;

/// Why a load fails.
async fn damage(store: &RedisStore, key: &StoreKey) -> RecordError {
    let error = store.load(key).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Corrupt);
    let source = std::error::Error::source(&error).unwrap();
    *source.downcast_ref::<RecordError>().unwrap()
}

fn name(server: &RedisServer, key: &StoreKey) -> String {
    let names = server.ask(&format!("KEYS session:*:{}", key.to_hex())).unwrap();
    names.lines().find(|line| line.contains('{')).unwrap().to_owned()
}

#[tokio::test]
async fn what_is_no_record_is_corrupt_for_every_call_and_can_be_removed() {
    // Shows: A45
    let Some(server) = server() else { return };
    let store = patient(server.port());
    let hostile = [
        "SET NAME garbage",
        "SET NAME \"\"",
        "SET NAME \\x01",
        "RPUSH NAME a",
        "SETRANGE NAME 40 z",
        "HSET NAME a b",
    ];
    for (number, command) in hostile.into_iter().enumerate() {
        let key = key(number as u64);
        let version = create(&store, &key, entry("sound")).await;
        let name = name(&server, &key);
        let command = command.replace("NAME", &name);
        if !command.starts_with("SET") {
            server.ask(&format!("DEL {name}")).unwrap();
        }
        server.ask(&command).unwrap();
        assert_eq!(kind(store.load(&key).await), StoreErrorKind::Corrupt, "{command}");
        for expect in [Expect::Absent, Expect::Version(version)] {
            assert_eq!(
                kind(store.write(&key, entry("x"), expect).await),
                StoreErrorKind::Corrupt,
                "{command}"
            );
        }
        assert_eq!(kind(store.remove(&key, Some(version)).await), StoreErrorKind::Corrupt, "{command}");
        assert_eq!(store.remove(&key, None).await.unwrap(), Removed::Gone);
        create(&store, &key, entry("new")).await;
    }
}

#[tokio::test]
async fn a_flipped_bit_is_noticed_by_every_load() {
    // Shows: A23
    let Some(server) = server() else { return };
    let store = patient(server.port());
    create(&store, &key(1), entry(vec![0; 20]).with_principal(principal(1))).await;
    let name = name(&server, &key(1));
    let length: usize =
        server.ask(&format!("STRLEN {name}")).unwrap().trim().trim_start_matches(':').parse().unwrap();
    assert_eq!(length, 30 + 32 + 20);
    for bit in 0..length * 8 {
        let flip = |value: &str| {
            let bit = (bit / 8) * 8 + 7 - bit % 8;
            server.ask(&format!("SETBIT {name} {bit} {value}")).unwrap()
        };
        let was = if flip("1") == ":1\r\n" { "1" } else { "0" };
        if was == "1" {
            flip("0");
        }
        let expected =
            if bit < 8 && (bit != 0) { RecordError::NewerFormat(1 | 1 << bit) } else { RecordError::Damaged };
        assert_eq!(damage(&store, &key(1)).await, expected, "bit {bit}");
        flip(was);
    }
    assert!(store.load(&key(1)).await.unwrap().is_some());
}

/// A record under the name of another session is not that session's.
#[tokio::test]
async fn a_copied_record_is_not_served() {
    // Shows: A23
    let Some(server) = server() else { return };
    let store = patient(server.port());
    create(&store, &key(1), entry("one")).await;
    create(&store, &key(2), entry("two")).await;
    server.ask(&format!("COPY {} {} REPLACE", name(&server, &key(1)), name(&server, &key(2)))).unwrap();
    assert_eq!(damage(&store, &key(2)).await, RecordError::Damaged);
}

/// An index that is something else stops logins, says so, and stays.
#[tokio::test]
async fn an_index_that_is_none_is_corrupt() {
    let Some(server) = server() else { return };
    let store = patient(server.port());
    create(&store, &key(1), entry("one").with_principal(principal(1))).await;
    let names = server.ask("KEYS session:*:p:*").unwrap();
    let index = names.lines().find(|line| line.contains('{')).unwrap();
    server.ask(&format!("SET {index} garbage")).unwrap();
    let listed = store.as_principal_index().unwrap().keys_of(&principal(1), None, 9).await;
    assert_eq!(kind(listed), StoreErrorKind::Corrupt);
    let version = store.load(&key(1)).await.unwrap().unwrap().version;
    let again = entry("x").with_principal(principal(1));
    assert_eq!(kind(store.write(&key(1), again, Expect::Version(version)).await), StoreErrorKind::Corrupt);
    assert_eq!(&store.load(&key(1)).await.unwrap().unwrap().bytes[..], b"one");
}

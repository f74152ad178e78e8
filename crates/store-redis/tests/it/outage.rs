//! What happens when the server dies, stops, comes back, or loses its connections.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use session_test_servers::CuttableProxy;
use tokio::task::JoinSet;

use super::*;

/// Longer than any call may take, whatever the machine does besides.
const LONG: Duration = Duration::from_secs(10);

/// Calls of a store that gives up soon must answer with an error, not hang.
async fn all_fail_soon(store: &RedisStore, version: Version) {
    let calls = async {
        assert_eq!(kind(store.load(&key(1)).await), StoreErrorKind::Unavailable);
        let write = kind(store.write(&key(1), entry("new"), Expect::Version(version)).await);
        let removal = kind(store.remove(&key(2), None).await);
        let listing = kind(store.as_principal_index().unwrap().keys_of(&principal(1), None, 10).await);
        for kind in [write, removal] {
            assert!(matches!(kind, StoreErrorKind::Unavailable | StoreErrorKind::Indeterminate), "{kind:?}");
        }
        assert_eq!(listing, StoreErrorKind::Unavailable);
        assert!(store.as_environment().unwrap().check().await.is_err());
    };
    tokio::time::timeout(LONG, calls).await.unwrap();
}

#[tokio::test]
async fn a_killed_server_is_unavailable_and_has_everything_after_its_restart() {
    let Some(server) = durable_server() else { return };
    let store = hasty(server.port());
    let version = create(&store, &key(1), entry("old").with_principal(principal(1))).await;
    create(&store, &key(2), entry("other")).await;
    server.kill().unwrap();
    all_fail_soon(&store, version).await;
    server.restart().unwrap();
    assert_eq!(&store.load(&key(1)).await.unwrap().unwrap().bytes[..], b"old");
    assert_eq!(store.load(&key(2)).await.unwrap().unwrap().bytes, "other");
    let listed = store.as_principal_index().unwrap().keys_of(&principal(1), None, 10).await.unwrap();
    assert_eq!(listed, [key(1)]);
    replace(&store, &key(1), entry("new"), version).await;
}

#[tokio::test]
async fn a_server_that_comes_back_empty_knows_nobody() {
    let Some(server) = server() else { return };
    let store = hasty(server.port());
    let version = create(&store, &key(1), entry("old").with_principal(principal(1))).await;
    server.restart().unwrap();
    assert_eq!(store.load(&key(1)).await.unwrap(), None);
    assert_eq!(
        store.write(&key(1), entry("new"), Expect::Version(version)).await.unwrap(),
        Written::Conflict
    );
    assert_eq!(store.remove(&key(1), Some(version)).await.unwrap(), Removed::Gone);
    assert_eq!(store.as_principal_index().unwrap().keys_of(&principal(1), None, 10).await.unwrap(), []);
    let again = create(&store, &key(1), entry("new")).await;
    assert_ne!(again, version);
    // The first call found its connection broken and made another.
    assert_eq!(store.stats().connections, 2);
}

#[tokio::test]
async fn a_server_that_stops_for_a_while_costs_nothing_but_the_calls_meanwhile() {
    let Some(server) = server() else { return };
    let store = hasty(server.port());
    let version = create(&store, &key(1), entry("old").with_principal(principal(1))).await;
    create(&store, &key(2), entry("other")).await;
    server.pause().unwrap();
    assert_eq!(kind(store.load(&key(1)).await), StoreErrorKind::Unavailable);
    // May be done, and is, when the server goes on: it has the request.
    let removal = store.remove(&key(2), None).await;
    assert!(matches!(kind(removal), StoreErrorKind::Unavailable | StoreErrorKind::Indeterminate));
    all_fail_soon(&store, version).await;
    server.resume().unwrap();
    let found = store.load(&key(1)).await.unwrap().unwrap();
    assert!(matches!(&found.bytes[..], b"old" | b"new"));
    replace(&store, &key(1), entry("newer"), found.version).await;
}

/// A network that swallows packets and then works again: the old connection is given up.
#[tokio::test]
async fn a_connection_that_went_silent_is_replaced() {
    let Some(server) = server() else { return };
    let proxy = CuttableProxy::start(server.port()).unwrap();
    let store = hasty(proxy.port());
    create(&store, &key(1), entry("old")).await;
    proxy.stall(true);
    assert_eq!(kind(store.load(&key(1)).await), StoreErrorKind::Unavailable);
    proxy.stall(false);
    assert_eq!(&store.load(&key(1)).await.unwrap().unwrap().bytes[..], b"old");
    assert_eq!(store.stats().connections, 2);
}

#[tokio::test]
async fn an_answer_that_is_cut_in_the_middle_is_asked_for_again() {
    let Some(server) = server() else { return };
    let proxy = CuttableProxy::start(server.port()).unwrap();
    let store = patient(proxy.port());
    let bytes = vec![7; 1_000];
    let mut version = create(&store, &key(1), entry(bytes.clone())).await;
    for passes in [0, 1, 3, 500, 1_030] {
        proxy.cut_after(passes);
        assert_eq!(&store.load(&key(1)).await.unwrap().unwrap().bytes[..], bytes, "{passes} bytes pass");
    }
    for passes in [0, 1, 3] {
        // The record was written, and nobody heard of it. Sent again, the request finds its own version.
        proxy.cut_after(passes);
        version = replace(&store, &key(1), entry(bytes.clone()), version).await;
        assert_eq!(store.load(&key(1)).await.unwrap().unwrap().version, version);
        proxy.cut_after(passes);
        create(&store, &key(u64::from(passes) + 10), entry("created")).await;
        proxy.cut_after(passes);
        assert_eq!(store.remove(&key(u64::from(passes) + 10), None).await.unwrap(), Removed::Gone);
    }
    proxy.cut_after(2);
    assert_eq!(store.remove(&key(1), Some(version)).await.unwrap(), Removed::Gone);
    assert!(store.load(&key(1)).await.unwrap().is_none());
    assert_eq!(store.stats().repeated, 5 + 9 + 1);
}

/// Counting is exact while connections break: what was done is never done twice, and what may have been done is said.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn writers_count_exactly_while_connections_break() {
    let Some(server) = server() else { return };
    let proxy = CuttableProxy::start(server.port()).unwrap();
    let port = proxy.port();
    let direct = patient(server.port());
    create(&direct, &key(1), entry(0_u64.to_be_bytes())).await;
    // So many, however slow the machine is: on a busy one, a connection may take as long to make as to be cut.
    let cutter = std::thread::spawn(move || {
        for cut in 0..60 * u32::try_from(scale()).unwrap() {
            match cut % 3 {
                0 => proxy.cut(),
                _ => proxy.cut_after(cut % 97),
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        proxy
    });
    let mut writers = JoinSet::new();
    for _ in 0..16 {
        let store = patient(port);
        writers.spawn(async move { count_up(&store, 40 * scale()).await });
    }
    let (mut done, mut unsure) = (0, 0);
    for (mine, perhaps) in writers.join_all().await {
        (done, unsure) = (done + mine, unsure + perhaps);
    }
    drop(cutter.join().unwrap());
    let counted = number(&direct, &key(1)).await;
    assert!(
        (done..=done + unsure).contains(&counted),
        "{counted} counted, {done} acknowledged, {unsure} unsure"
    );
    assert!(done > 0, "{unsure} unsure");
}

/// Increments as often as told; answers how many were acknowledged, and how many may have been made.
async fn count_up(store: &RedisStore, times: u64) -> (u64, u64) {
    let (mut done, mut unsure) = (0, 0);
    while done + unsure < times {
        let Ok(found) = store.load(&key(1)).await else { continue };
        let Stored { bytes, version, .. } = found.unwrap();
        let next = u64::from_be_bytes(bytes[..].try_into().unwrap()) + 1;
        match store.write(&key(1), entry(next.to_be_bytes()), Expect::Version(version)).await {
            Ok(Written::Stored(_)) => done += 1,
            Ok(Written::Conflict) => {}
            Err(error) if error.kind() == StoreErrorKind::Indeterminate => unsure += 1,
            Err(error) => assert_eq!(error.kind(), StoreErrorKind::Unavailable),
        }
    }
    (done, unsure)
}

/// `kill -9` under load, several times: whatever was acknowledged is there.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_was_acknowledged_survives_kills() {
    let Some(server) = durable_server() else { return };
    let server = Arc::new(server);
    let mut writers = JoinSet::new();
    let ended = Arc::new(AtomicBool::new(false));
    for writer in 0..8_u64 {
        let (store, ended) = (hasty(server.port()), Arc::clone(&ended));
        writers.spawn(async move {
            let (mut kept, mut gone) = (Vec::new(), Vec::new());
            let mut number = writer << 32;
            while !ended.load(Ordering::SeqCst) {
                number += 1;
                if store.write(&key(number), entry("kept"), Expect::Absent).await.is_err() {
                    continue;
                }
                match number % 3 {
                    0 if store.remove(&key(number), None).await.is_ok() => gone.push(number),
                    0 => {}
                    _ => kept.push(number),
                }
            }
            (kept, gone)
        });
    }
    for _ in 0..5 * scale() {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let server = Arc::clone(&server);
        tokio::task::spawn_blocking(move || server.restart().unwrap()).await.unwrap();
    }
    ended.store(true, Ordering::SeqCst);
    let store = patient(server.port());
    let mut acknowledged = 0;
    for (kept, gone) in writers.join_all().await {
        acknowledged += kept.len() + gone.len();
        for number in kept {
            assert!(store.load(&key(number)).await.unwrap().is_some(), "an acknowledged record is lost");
        }
        for number in gone {
            assert!(store.load(&key(number)).await.unwrap().is_none(), "an acknowledged removal is undone");
        }
    }
    assert!(acknowledged > 100, "{acknowledged}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn scripts_are_told_again_to_a_server_that_forgot_them() {
    let Some(server) = server() else { return };
    let store = patient(server.port());
    create(&store, &key(1), entry(0_u64.to_be_bytes())).await;
    let mut writers = JoinSet::new();
    for _ in 0..8 {
        let store = store.clone();
        writers.spawn(async move {
            for _ in 0..25 * scale() {
                increment(&store, &key(1)).await;
            }
        });
    }
    for _ in 0..100 {
        server.ask("SCRIPT FLUSH").unwrap();
        tokio::task::yield_now().await;
    }
    writers.join_all().await;
    server.ask("SCRIPT FLUSH").unwrap();
    increment(&store, &key(1)).await;
    assert_eq!(number(&store, &key(1)).await, 200 * scale() + 1);
    assert!(store.stats().scripts_forgotten > 0);
    assert_eq!(store.stats().connections, 1);
}

#[tokio::test]
async fn a_replica_or_a_server_that_loads_is_unavailable() {
    let Some(server) = server() else { return };
    let store = hasty(server.port());
    let version = create(&store, &key(1), entry("old")).await;
    // A replica of nobody that answers still has the data, and writes nothing.
    server.ask("REPLICAOF 127.0.0.1 1").unwrap();
    let error = store.write(&key(1), entry("new"), Expect::Version(version)).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{}", spelt_out(&error));
    assert_eq!(kind(store.remove(&key(1), None).await), StoreErrorKind::Unavailable);
    server.ask("CONFIG SET replica-serve-stale-data no").unwrap();
    let error = store.load(&key(1)).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    assert!(spelt_out(&error).contains("MASTERDOWN"), "{}", spelt_out(&error));
    server.ask("REPLICAOF NO ONE").unwrap();
    replace(&store, &key(1), entry("new"), version).await;
}

#[tokio::test]
async fn a_server_that_cannot_save_is_unavailable_for_writes_and_answers_loads() {
    let Some(server) = server() else { return };
    let store = hasty(server.port());
    let version = create(&store, &key(1), entry("old")).await;
    server.ask("CONFIG SET min-replicas-to-write 1").unwrap();
    let error = store.write(&key(1), entry("new"), Expect::Version(version)).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    assert!(spelt_out(&error).contains("NOREPLICAS"), "{}", spelt_out(&error));
    assert_eq!(&store.load(&key(1)).await.unwrap().unwrap().bytes[..], b"old");
    server.ask("CONFIG SET min-replicas-to-write 0").unwrap();
    replace(&store, &key(1), entry("new"), version).await;
}

#[tokio::test]
async fn everything_deleted_under_load_is_absence() {
    let Some(server) = server() else { return };
    let store = patient(server.port());
    for round in 0..20 {
        let version = create(&store, &key(1), entry("x").with_principal(principal(1))).await;
        server.ask("FLUSHALL").unwrap();
        assert_eq!(store.load(&key(1)).await.unwrap(), None, "{round}");
        assert_eq!(
            store.write(&key(1), entry("y"), Expect::Version(version)).await.unwrap(),
            Written::Conflict
        );
    }
}

//! Many writers, in one process and in several.

use tokio::task::JoinSet;

use super::*;
use crate::child;

/// 64 tasks in two processes.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixty_four_writers_count_exactly() {
    if let Some(port) = child::task() {
        return writers(port).await;
    }
    let Some(server) = server() else { return };
    let store = patient(server.port());
    create(&store, &key(1), entry(0_u64.to_be_bytes())).await;
    let children: Vec<_> =
        (0..2).map(|_| child::start("processes::sixty_four_writers_count_exactly", server.port())).collect();
    children.into_iter().for_each(child::Running::finish);
    assert_eq!(number(&store, &key(1)).await, 64 * increments());
}

async fn writers(port: u16) {
    let store = patient(port);
    let mut writers = JoinSet::new();
    for _ in 0..32 {
        let store = store.clone();
        writers.spawn(async move {
            for _ in 0..increments() {
                increment(&store, &key(1)).await;
            }
        });
    }
    writers.join_all().await;
}

fn increments() -> u64 {
    20 * scale()
}

/// One process ends sessions while two others write them as fast as they can.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_removal_is_final_in_every_process() {
    if let Some(port) = child::task() {
        return write_until_it_is_gone(port).await;
    }
    let Some(server) = server() else { return };
    let store = patient(server.port());
    for number in 0..records() {
        create(&store, &key(number), entry("first").with_principal(principal(0))).await;
    }
    let children: Vec<_> = (0..2)
        .map(|_| child::start("processes::a_removal_is_final_in_every_process", server.port()))
        .collect();
    for number in 0..records() {
        // Now and then of the version that is there, as the core does it.
        let removed = match store.load(&key(number)).await.unwrap() {
            Some(stored) if number % 2 == 0 => {
                store.remove(&key(number), Some(stored.version)).await.unwrap()
            }
            _ => Removed::Conflict,
        };
        if removed == Removed::Conflict {
            assert_eq!(store.remove(&key(number), None).await.unwrap(), Removed::Gone);
        }
    }
    children.into_iter().for_each(child::Running::finish);
    for number in 0..records() {
        assert!(store.load(&key(number)).await.unwrap().is_none(), "record {number} is back");
    }
}

async fn write_until_it_is_gone(port: u16) {
    let store = patient(port);
    for number in 0..records() {
        let key = key(number);
        while let Some(stored) = store.load(&key).await.unwrap() {
            let again = entry("again").with_principal(principal(0));
            let _ = store.write(&key, again, Expect::Version(stored.version)).await.unwrap();
        }
        assert!(store.load(&key).await.unwrap().is_none());
    }
}

fn records() -> u64 {
    100 * scale()
}

/// The calls of two rotations of one session, through two stores that share nothing but the server: each writes a record
/// of its own, then turns the old one into a marker. The core's own rotation races in the adapter suite.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_rotations_one_wins() {
    let Some(server) = server() else { return };
    let stores = [patient(server.port()), patient(server.port())];
    for round in 0..50 * scale() {
        let old = key(round);
        let version = create(&stores[0], &old, entry("session")).await;
        let mut rotations = JoinSet::new();
        for (number, store) in stores.iter().cloned().enumerate() {
            rotations.spawn(async move {
                let new = key(1_000_000 + round * 2 + number as u64);
                create(&store, &new, entry("session").with_principal(principal(round))).await;
                let marked = store.write(&old, entry("superseded"), Expect::Version(version)).await.unwrap();
                if marked == Written::Conflict {
                    assert_eq!(store.remove(&new, None).await.unwrap(), Removed::Gone);
                }
                marked
            });
        }
        let marks = rotations.join_all().await;
        assert_eq!(marks.iter().filter(|mark| **mark == Written::Conflict).count(), 1);
        let mut live = 0;
        for number in 0..2 {
            live +=
                usize::from(stores[0].load(&key(1_000_000 + round * 2 + number)).await.unwrap().is_some());
        }
        assert_eq!(live, 1);
    }
}

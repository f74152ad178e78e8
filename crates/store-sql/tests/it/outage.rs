//! Servers that die, freeze, forget, or cannot be reached.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use session_core::{Environment, Expect, Removed, Store, StoreError, StoreErrorKind, Version, Written};
use session_store_sql::{OpenError, SqlStore};
use tokio::task::JoinSet;

use crate::common::*;

/// Long enough for a server on a busy machine, short enough to wait for.
const DEADLINE: Duration = Duration::from_millis(500);

/// What an outage may look like.
fn is_outage(error: &StoreError) -> bool {
    use StoreErrorKind::{Indeterminate, Overloaded, Unavailable};
    matches!(error.kind(), Unavailable | Overloaded | Indeterminate)
}

/// Writers that count in records of their own, and know what was acknowledged.
struct Load {
    stop: Arc<AtomicBool>,
    answers: Arc<AtomicU64>,
    writers: JoinSet<Progress>,
}

struct Progress {
    record: u64,
    acknowledged: u64,
    /// A count whose write was in doubt.
    doubtful: Option<u64>,
    failed: u64,
}

impl Load {
    async fn start(store: &SqlStore, patient: &SqlStore) -> Self {
        let (stop, answers) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let mut writers = JoinSet::new();
        for record in 0..8 {
            create(patient, &key(record), entry(0_u64.to_le_bytes())).await;
            let (store, stop, answers) = (store.clone(), Arc::clone(&stop), Arc::clone(&answers));
            writers.spawn(async move {
                let mut progress = Progress { record, acknowledged: 0, doubtful: None, failed: 0 };
                while !stop.load(Ordering::Relaxed) {
                    // A call that hangs is ended by the test runner.
                    progress.step(&store).await;
                    answers.fetch_add(1, Ordering::Relaxed);
                    tokio::task::yield_now().await;
                }
                progress
            });
        }
        let load = Self { stop, answers, writers };
        load.answered(200).await;
        load
    }

    /// Waits until that many more calls were answered, well or not.
    async fn answered(&self, calls: u64) {
        let enough = self.answers.load(Ordering::Relaxed) + calls;
        while self.answers.load(Ordering::Relaxed) < enough {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// Nothing that was acknowledged may be lost. Answers how many calls failed.
    async fn end(mut self, store: &SqlStore) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        let mut failed = 0;
        while let Some(progress) = self.writers.join_next().await {
            let progress = progress.unwrap();
            let found = count(&load(store, &key(progress.record)).await.unwrap());
            let expected = [Some(progress.acknowledged), progress.doubtful];
            assert!(expected.contains(&Some(found)), "{expected:?} {found}");
            failed += progress.failed;
        }
        failed
    }
}

impl Progress {
    async fn step(&mut self, store: &SqlStore) {
        let found = match store.load(&key(self.record)).await {
            Ok(found) => found.expect("an outage is never an absence"),
            Err(error) => {
                let certain = error.kind() != StoreErrorKind::Indeterminate;
                assert!(is_outage(&error) && certain, "{}", told(&error));
                self.failed += 1;
                return;
            }
        };
        let now = count(&found.bytes);
        assert!(now == self.acknowledged || Some(now) == self.doubtful, "{now}");
        (self.acknowledged, self.doubtful) = (now, None);
        match store
            .write(&key(self.record), entry((now + 1).to_le_bytes()), Expect::Version(found.version))
            .await
        {
            Ok(Written::Stored(_)) => self.acknowledged = now + 1,
            Ok(Written::Conflict) => panic!("nobody else writes"),
            Err(error) => {
                assert!(is_outage(&error), "{}", told(&error));
                if error.kind() == StoreErrorKind::Indeterminate {
                    self.doubtful = Some(now + 1);
                }
                self.failed += 1;
            }
        }
    }
}

/// Whether most calls are answered.
async fn healthy(store: &SqlStore) -> bool {
    let mut answered = 0;
    for _ in 0..50 {
        answered += u32::from(store.load(&key(0)).await.is_ok());
    }
    answered > 40
}

fn count(bytes: &[u8]) -> u64 {
    u64::from_le_bytes(bytes.try_into().unwrap())
}

on_each_server! {
    async fn a_server_that_is_killed_loses_nothing_acknowledged(lab) {
        let Some(server) = lab.server() else { return };
        let patient = lab.builder().connect(&server.url()).await.unwrap();
        let store = lab.builder().deadline(DEADLINE).connect_lazy(&server.url()).unwrap();
        for _ in 0..scale(2) {
            let load = Load::start(&store, &patient).await;
            server.kill();
            load.answered(50).await;
            server.restart();
            // Healthy with the server; on a busy machine an answer may come late.
            assert!(healthy(&store).await);
            load.answered(200).await;
            assert!(load.end(&patient).await > 0, "nobody noticed the outage");
            for record in 0..8 {
                assert_eq!(patient.remove(&key(record), None).await.unwrap(), Removed::Gone);
            }
        }
    }

    async fn a_server_that_is_frozen_is_an_error_within_the_deadline(lab) {
        let Some(server) = lab.server() else { return };
        let builder = lab.builder().deadline(DEADLINE).connections(4).max_waiting(8);
        let (store, patient) = (builder.connect_lazy(&server.url()).unwrap(), lab.builder());
        let patient = patient.connect(&server.url()).await.unwrap();
        let load = Load::start(&store, &patient).await;
        server.pause();
        load.answered(60).await;
        // More than may wait.
        let mut calls = JoinSet::new();
        for number in 0..40 {
            let store = store.clone();
            calls.spawn(async move { store.load(&key(number)).await.map(|found| found.is_some()) });
        }
        let mut overloaded = 0;
        while let Some(answer) = calls.join_next().await {
            let error = answer.unwrap().expect_err("a frozen server does not answer");
            assert!(is_outage(&error), "{}", told(&error));
            overloaded += u32::from(error.kind() == StoreErrorKind::Overloaded);
        }
        assert!(overloaded > 0);
        server.resume();
        load.answered(200).await;
        assert!(healthy(&store).await);
        // What was sent before is answered on connections that nobody reads any more.
        assert!(load.end(&patient).await > 0);
    }

    async fn a_server_that_comes_back_empty_is_an_outage_until_the_tables_are_made(lab) {
        let Some(server) = lab.server() else { return };
        let store = lab.builder().connect(&server.url()).await.unwrap();
        create(&store, &key(1), entry("x")).await;
        server.restart_empty();
        let error = store.load(&key(1)).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Unavailable);
        assert!(told(&error).contains(&lab.table), "{}", told(&error));
        assert!(Environment::check(&store).await.is_err());
        Environment::create(&store).await.unwrap();
        assert_eq!(load(&store, &key(1)).await, None);
        create(&store, &key(1), entry("x")).await;
    }

    async fn a_wrong_password_is_an_outage_and_not_shown(lab) {
        let Some(server) = lab.server() else { return };
        server.make_guarded().await;
        let open = |password: &str| {
            let url = server.url_with_password(password);
            let builder = lab.builder();
            async move { builder.connect(&url).await }
        };
        let store = open("secret").await.unwrap();
        create(&store, &key(1), entry("x")).await;
        let error = open("not-the-pa55word").await.unwrap_err();
        let OpenError::Environment(problems) = &error else { panic!("{error:?}") };
        assert_eq!(problems[0].kind(), StoreErrorKind::Unavailable);
        assert!(!told(&error).contains("pa55word") && !told(&error).contains("secret"), "{}", told(&error));
        let lazy = lab.builder().connect_lazy(&server.url_with_password("not-the-pa55word")).unwrap();
        let error = lazy.write(&key(2), entry("x"), Expect::Absent).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Unavailable);
        assert!(!format!("{lazy:?} {}", told(&error)).contains("pa55word"));
    }

    /// Whoever finds no place at the server waits for a connection that the store has.
    async fn more_connections_than_the_server_allows_cost_no_call(lab) {
        let Some(server) = lab.small_server() else { return };
        let store = lab.builder().connections(30).connect(&server.url()).await.unwrap();
        create(&store, &key(1), entry("x")).await;
        let mut calls = JoinSet::new();
        for _ in 0..300 {
            let store = store.clone();
            calls.spawn(async move { store.load(&key(1)).await });
        }
        while let Some(answer) = calls.join_next().await {
            assert!(answer.unwrap().unwrap().is_some());
        }
    }

    /// What ends one connection has ended all: the first call that notices is repeated on a new one, not on the next dead
    /// one.
    async fn connections_that_were_cut_together_cost_no_call(lab) {
        let (proxy, url) = lab.proxy();
        let store = lab.builder().connections(8).connect(&url).await.unwrap();
        let mut version = create(&store, &key(0), entry("x")).await;
        for _ in 0..5 {
            let mut calls = JoinSet::new();
            for _ in 0..64 {
                let store = store.clone();
                calls.spawn(async move { store.load(&key(0)).await.unwrap() });
            }
            while let Some(answer) = calls.join_next().await {
                assert!(answer.unwrap().is_some());
            }
            proxy.cut();
            assert!(load(&store, &key(0)).await.is_some());
            proxy.cut();
            version = stored(store.write(&key(0), entry("y"), Expect::Version(version)).await.unwrap());
        }
    }

    /// A write whose answer was cut off and that somebody else has written over is in doubt: called a conflict, it would be
    /// made again.
    async fn what_others_have_seen_is_never_called_a_conflict(lab) {
        let (proxy, url) = lab.proxy();
        let ours = lab.builder().connections(1).connect(&url).await.unwrap();
        let theirs = lab.open().await;
        create(&theirs, &key(0), entry("start")).await;
        let stop = Arc::new(AtomicBool::new(false));
        let others = tokio::spawn({
            let stop = Arc::clone(&stop);
            async move {
                let mut seen = std::collections::HashSet::new();
                while !stop.load(Ordering::Relaxed) {
                    let found = theirs.load(&key(0)).await.unwrap().unwrap();
                    seen.insert(found.bytes.to_vec());
                    let _ = theirs.write(&key(0), entry("theirs"), Expect::Version(found.version)).await.unwrap();
                }
                seen
            }
        });
        let (mut conflicts, mut doubts) = (Vec::new(), 0);
        for round in 0..scale(150) {
            let found = ours.load(&key(0)).await.unwrap().unwrap();
            let bytes = format!("ours {round}").into_bytes();
            proxy.cut_after(0);
            match ours.write(&key(0), entry(&bytes), Expect::Version(found.version)).await {
                Ok(Written::Stored(_)) => {}
                Ok(Written::Conflict) => conflicts.push(bytes),
                Err(error) => {
                    assert_eq!(error.kind(), StoreErrorKind::Indeterminate, "{}", told(&error));
                    doubts += 1;
                }
            }
        }
        stop.store(true, Ordering::Relaxed);
        let seen = others.await.unwrap();
        assert!(conflicts.iter().all(|bytes| !seen.contains(bytes)), "{doubts} in doubt");
        assert!(doubts > 0);
    }

    /// Wherever the answer is cut, what was stored is known to be stored: the second attempt finds the first one's version.
    async fn a_connection_cut_in_the_middle_of_an_answer_leaves_no_doubt(lab) {
        let (proxy, url) = lab.proxy();
        let store = lab.builder().connections(1).connect(&url).await.unwrap();
        let mut version = create(&store, &key(0), entry("first")).await;
        for bytes in (0..120).step_by(3) {
            let new = format!("record {bytes}");
            proxy.cut_after(bytes);
            assert!(load(&store, &key(0)).await.is_some());
            proxy.cut_after(bytes);
            version = stored(store.write(&key(0), entry(&new), Expect::Version(version)).await.unwrap());
            proxy.cut_after(bytes);
            let found = store.load(&key(0)).await.unwrap().unwrap();
            assert_eq!((found.version, &*found.bytes), (version, new.as_bytes()));
            proxy.cut_after(bytes);
            create(&store, &key(1), entry(&new)).await;
            proxy.cut_after(bytes);
            let created = store.load(&key(1)).await.unwrap().unwrap();
            proxy.cut_after(bytes);
            assert_eq!(store.remove(&key(1), Some(created.version)).await.unwrap(), Removed::Gone);
            proxy.cut_after(bytes);
            assert_eq!(load(&store, &key(1)).await, None);
        }
        assert!(proxy.connections() > 40, "{} connections were cut", proxy.connections());
    }

    async fn a_network_that_swallows_everything_is_an_error_within_the_deadline(lab) {
        let (proxy, url) = lab.proxy();
        let store = lab.builder().connections(2).deadline(DEADLINE).connect(&url).await.unwrap();
        let version = create(&store, &key(0), entry("x")).await;
        proxy.stall(true);
        assert_eq!(store.load(&key(0)).await.unwrap_err().kind(), StoreErrorKind::Unavailable);
        let write = store.write(&key(0), entry("y"), Expect::Version(version)).await.unwrap_err();
        let removal = store.remove(&key(0), Some(Version::new(1))).await.unwrap_err();
        assert!(is_outage(&write) && is_outage(&removal));
        proxy.stall(false);
        // A busy machine may need longer than the deadline to let the first one through.
        let found = loop {
            match store.load(&key(0)).await {
                Ok(found) => break found.unwrap(),
                Err(error) => assert!(is_outage(&error), "{}", told(&error)),
            }
        };
        assert!(*found.bytes == *b"x" || *found.bytes == *b"y");
        create(&store, &key(1), entry("x")).await;
    }

    async fn a_server_that_cannot_be_reached_is_said_at_once_and_reached_again(lab) {
        let (proxy, url) = lab.proxy();
        let store = lab.builder().connect(&url).await.unwrap();
        let version = create(&store, &key(0), entry("x")).await;
        proxy.refuse(true);
        proxy.cut();
        assert_eq!(store.load(&key(0)).await.unwrap_err().kind(), StoreErrorKind::Unavailable);
        assert!(Environment::check(&store).await.is_err());
        proxy.refuse(false);
        assert_eq!(load(&store, &key(0)).await.unwrap(), b"x");
        stored(store.write(&key(0), entry("y"), Expect::Version(version)).await.unwrap());
    }

    async fn a_table_dropped_under_load_is_an_error_for_all(lab) {
        let store = lab.open().await;
        create(&store, &key(0), entry("x")).await;
        let gone = Arc::new(AtomicBool::new(false));
        let mut readers = JoinSet::new();
        for _ in 0..8 {
            let (store, gone) = (store.clone(), Arc::clone(&gone));
            readers.spawn(async move {
                loop {
                    let over = gone.load(Ordering::SeqCst);
                    match store.load(&key(0)).await {
                        Ok(Some(_)) => assert!(!over, "a table that is gone was read"),
                        Ok(None) => panic!("a table that is gone is reported as an absent record"),
                        Err(error) => {
                            assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{}", told(&error));
                            return;
                        }
                    }
                }
            });
        }
        lab.sql("DROP TABLE {t}").await;
        gone.store(true, Ordering::SeqCst);
        while let Some(reader) = readers.join_next().await {
            reader.unwrap();
        }
        Environment::create(&store).await.unwrap();
        assert_eq!(load(&store, &key(0)).await, None);
    }
}

//! Many requests at once: exactly one wins, and nothing is lost.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use session_core::{StoreKey, Stored, Version};
use tokio::task::{JoinSet, yield_now};

use super::prelude::*;
use crate::store::handle::Handle;

/// Of many creates of one record at once exactly one is stored, and its bytes are what is there.
pub async fn one_of_many_creates_wins(subject: Subject) -> Result {
    for round in 0..subject.rounds(8) {
        let stores = vec![subject.store.clone(); 32];
        one_wins(&subject, &stores, key(round), Expect::Absent).await?;
    }
    Ok(())
}

/// Of many writes over one version at once exactly one is stored, and its bytes are what is there.
pub async fn one_of_many_writes_wins(subject: Subject) -> Result {
    for round in 0..subject.rounds(8) {
        let stores = vec![subject.store.clone(); 32];
        let version = subject.store.create(&key(round), subject.entry("before")).await?;
        one_wins(&subject, &stores, key(round), Expect::Version(version)).await?;
    }
    Ok(())
}

/// 64 tasks that each read a number, add one and write it back, again after a conflict, count every step (lost
/// updates; D4).
pub async fn no_increment_is_lost(subject: Subject) -> Result {
    let stores = vec![subject.store.clone(); 64];
    count_together(&subject, &stores).await
}

/// 64 tasks that create, rewrite, load and remove records of their own do not disturb each other.
pub async fn disjoint_keys_do_not_disturb_each_other(subject: Subject) -> Result {
    let rounds = subject.rounds(5);
    let mut tasks: JoinSet<Result> = JoinSet::new();
    for task in 0..64_u64 {
        let (store, key) = (subject.store.clone(), key(task));
        let entry = move |subject: &Subject, round: u64| subject.entry(pattern(40, task * 1_000 + round));
        let entries: Vec<Entry> = (0..rounds).map(|round| entry(&subject, round)).collect();
        tasks.spawn(async move {
            for entry in entries {
                let version = store.create(&key, Entry::new("first", entry.expires_at)).await?;
                let bytes = entry.bytes.clone();
                let version = store.replace(&key, entry, version).await?;
                ensure!(
                    store.holds(&key, &bytes).await?.version == version,
                    "another task changed the record"
                );
                store.delete(&key).await?;
                store.lacks(&key).await?;
            }
            Ok(())
        });
    }
    all(tasks).await
}

/// A load beside a writer returns one whole record, old or new, never a mixture and never nothing (files that are
/// written in place).
pub async fn a_load_never_sees_a_half_written_record(subject: Subject) -> Result {
    let record = |round: u64| {
        let length = 1 + usize::try_from(round * 7_919 % 40_000).unwrap_or_default();
        [round.to_le_bytes().to_vec(), pattern(length, round)].concat()
    };
    let mut version = subject.store.create(&key(0), subject.entry(record(0))).await?;
    let done = Arc::new(AtomicBool::new(false));
    let mut readers: JoinSet<Result> = JoinSet::new();
    for _ in 0..4 {
        let (store, done) = (subject.store.clone(), Arc::clone(&done));
        readers.spawn(async move {
            while !done.load(Ordering::Relaxed) {
                let bytes = store.found(&key(0)).await?.bytes;
                let whole =
                    bytes.first_chunk().is_some_and(|round| record(u64::from_le_bytes(*round)) == bytes);
                ensure!(whole, "a load beside a write returns a mixture of records");
                yield_now().await;
            }
            Ok(())
        });
    }
    let mut outcome = Ok(());
    for round in 1..=subject.rounds(60) {
        match subject.store.replace(&key(0), subject.entry(record(round)), version).await {
            Ok(next) => version = next,
            Err(failure) => {
                outcome = Err(failure);
                break;
            }
        }
    }
    done.store(true, Ordering::Relaxed);
    outcome.and(all(readers).await)
}

/// A removal beside writes over the record is final: once all have answered, the record is gone (CVE-2025-46336).
pub async fn a_removal_beside_writes_is_final(subject: Subject) -> Result {
    for round in 0..subject.rounds(40) {
        final_beside(&subject, &[subject.store.clone(), subject.store.clone(), subject.store.clone()], round)
            .await?;
    }
    Ok(())
}

/// Of a write and a removal that expect the same version exactly one is carried out.
pub async fn a_write_and_a_removal_of_one_version_have_one_winner(subject: Subject) -> Result {
    for round in 0..subject.rounds(60) {
        let (store, key, start) = (subject.store.clone(), key(round), Gate::of(2));
        let version = subject.store.create(&key, subject.entry("before")).await?;
        let go = start.clone();
        let removal = tokio::spawn(async move {
            go.pass().await;
            store.remove(&key, Some(version)).await
        });
        start.pass().await;
        let written = subject.store.write(&key, subject.entry("written"), Expect::Version(version)).await?;
        match (written, removal.await??) {
            (Written::Stored(_), Removed::Conflict) => drop(subject.store.holds(&key, b"written").await?),
            (Written::Conflict, Removed::Gone) => subject.store.lacks(&key).await?,
            (written, removed) => fail!("the write answers {written:?} and the removal {removed:?}"),
        }
    }
    Ok(())
}

/// Lets every store write at once; one must win.
pub(super) async fn one_wins(subject: &Subject, stores: &[Handle], key: StoreKey, expect: Expect) -> Result {
    let start = Gate::of(stores.len());
    let mut tasks = JoinSet::new();
    for (number, store) in stores.iter().cloned().enumerate() {
        let (start, entry) = (start.clone(), subject.entry(number.to_le_bytes()));
        tasks.spawn(async move {
            start.pass().await;
            (number, store.write(&key, entry, expect).await)
        });
    }
    let mut winners: Vec<(usize, Version)> = Vec::new();
    while let Some(task) = tasks.join_next().await {
        let (number, written) = task?;
        if let Written::Stored(version) = written? {
            winners.push((number, version));
        }
    }
    let &[(number, version)] = &winners[..] else {
        fail!("of {} writes that expect the same, {} are stored", stores.len(), winners.len());
    };
    let stored = subject.store.holds(&key, &number.to_le_bytes()).await?;
    ensure!(stored.version == version, "the record has another version than its writer was told");
    Ok(())
}

/// Lets every store count in one record; no step may be lost.
pub(super) async fn count_together(subject: &Subject, stores: &[Handle]) -> Result {
    let rounds = subject.rounds(4);
    let expires_at = subject.within(1_800);
    subject.store.create(&key(0), Entry::new(0_u64.to_le_bytes(), expires_at)).await?;
    let mut tasks: JoinSet<Result> = JoinSet::new();
    for store in stores {
        let store = store.clone();
        tasks.spawn(async move {
            for _ in 0..rounds {
                let step = |stored: Stored| Entry::new((count(&stored) + 1).to_le_bytes(), expires_at);
                let counted = store.update(&key(0), step).await?;
                ensure!(counted.is_some(), "a record that nobody removes is gone");
            }
            Ok(())
        });
    }
    all(tasks).await?;
    let counted = count(&subject.store.found(&key(0)).await?);
    let steps = rounds * stores.len() as u64;
    ensure!(counted == steps, "{steps} steps were acknowledged, {counted} are counted");
    Ok(())
}

fn count(stored: &Stored) -> u64 {
    stored.bytes.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

/// Removes a record while every store writes over it; it must stay gone.
pub(super) async fn final_beside(subject: &Subject, stores: &[Handle], round: u64) -> Result {
    let key = key(round);
    subject.store.create(&key, subject.entry("signed in")).await?;
    let start = Gate::of(stores.len() + 1);
    let mut writers: JoinSet<Result> = JoinSet::new();
    for store in stores {
        let (store, start, expires_at) = (store.clone(), start.clone(), subject.within(1_800));
        writers.spawn(async move {
            start.pass().await;
            for _ in 0..50 {
                if store.update(&key, |_| Entry::new("still signed in", expires_at)).await?.is_none() {
                    break;
                }
            }
            Ok(())
        });
    }
    start.pass().await;
    for _ in 0..round % 7 {
        yield_now().await;
    }
    subject.store.delete(&key).await?;
    all(writers).await?;
    subject.store.lacks(&key).await
}

pub(super) async fn all(mut tasks: JoinSet<Result>) -> Result {
    while let Some(task) = tasks.join_next().await {
        task??;
    }
    Ok(())
}

//! The store itself, with nothing in between: no queue of a manager keeps its calls apart.

use std::{
    collections::HashSet,
    time::{Duration, SystemTime},
};

use session_core::{Entry, Expect, Removed, Store, StoreKey, Written};
use tokio::task::JoinSet;

use super::prelude::*;
use crate::{
    processes::role::ChildRole,
    store::sample::{key, principal},
};

/// Of two processes that create the same records, each record is created by one.
pub async fn of_two_creates_one_wins(role: Role) -> Result {
    match role {
        Role::Parent(parent) => {
            let records = ParentRole::rounds(200);
            let mut children = parent.children()?;
            let answers = ask(&mut children, records)?;
            let created: Vec<&str> = answers.iter().flat_map(|answer| answer.split_whitespace()).collect();
            let different: HashSet<&str> = created.iter().copied().collect();
            ensure!(created.len() as u64 == records, "{records} records are created {} times", created.len());
            ensure!(different.len() == created.len(), "a record is created twice");
            finish(children);
            Ok(())
        }
        Role::Child(child) => {
            while let Some(records) = child.task.hear() {
                let mut created = Vec::new();
                for number in 0..records.parse()? {
                    if child.store.write(&key(number), entry("x"), Expect::Absent).await? != Written::Conflict
                    {
                        created.push(number.to_string());
                    }
                }
                child.task.tell(created.join(" "));
            }
            Ok(())
        }
    }
}

/// 64 tasks in two processes that each read a number, add one and write it back, again after a conflict, count every step
/// (lost updates; D4).
pub async fn no_step_is_lost(role: Role) -> Result {
    match role {
        Role::Parent(parent) => {
            // Without a queue 64 writers mostly conflict: more rounds only take longer.
            let rounds = ParentRole::rounds(4).min(200);
            let _ = parent.store.write(&key(0), entry(0_u64.to_le_bytes()), Expect::Absent).await?;
            let mut children = parent.children()?;
            ask(&mut children, rounds)?;
            finish(children);
            let found = parent.store.load(&key(0)).await?.and_then(|stored| number(&stored.bytes));
            ensure!(
                found == Some(64 * rounds),
                "{} steps were acknowledged, {found:?} are counted",
                64 * rounds
            );
            Ok(())
        }
        Role::Child(child) => {
            while let Some(rounds) = child.task.hear() {
                let rounds: u64 = rounds.parse()?;
                let mut writers: JoinSet<Result> = JoinSet::new();
                for _ in 0..32 {
                    let store = child.store.clone();
                    writers.spawn(async move {
                        for _ in 0..rounds {
                            step(&*store).await?;
                        }
                        Ok(())
                    });
                }
                while let Some(writer) = writers.join_next().await {
                    writer??;
                }
                child.task.tell("counted");
            }
            Ok(())
        }
    }
}

async fn step(store: &dyn Store) -> Result {
    loop {
        let Some(stored) = store.load(&key(0)).await? else { fail!("a record that nobody removes is gone") };
        let next = number(&stored.bytes).unwrap_or_default() + 1;
        let written =
            store.write(&key(0), entry(next.to_le_bytes()), Expect::Version(stored.version)).await?;
        if written != Written::Conflict {
            return Ok(());
        }
    }
}

/// A removal by one process while two others write over the record as fast as they can is final in all of them.
pub async fn a_removal_is_final(role: Role) -> Result {
    // Shows: A42
    let parent = match role {
        Role::Child(child) => return write_until_it_is_gone(child).await,
        Role::Parent(parent) => parent,
    };
    let mut children = parent.children()?;
    for round in 0..ParentRole::rounds(100) {
        let key = key(round);
        let _ = parent.store.write(&key, entry("first"), Expect::Absent).await?;
        for child in &mut children {
            child.tell(round);
        }
        remove(&*parent.store, &key, round % 2 == 0).await?;
        for child in &mut children {
            child.hear()?;
        }
        ensure!(parent.store.load(&key).await?.is_none(), "round {round}: a removed record is back");
    }
    finish(children);
    Ok(())
}

/// Removes the record whatever it is, or, as a logout does it, the version that was seen, as often as it takes.
async fn remove(store: &dyn Store, key: &StoreKey, by_version: bool) -> Result {
    loop {
        let seen = store.load(key).await?.map(|stored| stored.version);
        if store.remove(key, seen.filter(|_| by_version)).await? == Removed::Gone {
            return Ok(());
        }
    }
}

async fn write_until_it_is_gone(child: ChildRole) -> Result {
    while let Some(round) = child.task.hear() {
        let key = key(round.parse()?);
        // Not for ever, in case that it never is.
        for _ in 0..1_000 {
            let Some(stored) = child.store.load(&key).await? else { break };
            let _ = child.store.write(&key, entry("again"), Expect::Version(stored.version)).await?;
        }
        child.task.tell("done");
    }
    Ok(())
}

/// An entry that outlives the test.
fn entry(bytes: impl Into<Vec<u8>>) -> Entry {
    let day = SystemTime::now() + Duration::from_secs(24 * 3_600);
    let since = day.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let whole = SystemTime::UNIX_EPOCH + Duration::from_secs(since.as_secs());
    Entry::new(bytes.into(), whole).with_principal(principal(0))
}

fn number(bytes: &[u8]) -> Option<u64> {
    bytes.first_chunk().map(|bytes| u64::from_le_bytes(*bytes))
}

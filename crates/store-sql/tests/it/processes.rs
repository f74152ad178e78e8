//! Several processes on the same tables.

use std::collections::HashSet;

use session_core::{Expect, Removed, Store, Version, Written};
use session_store_sql::SqlStore;

use crate::{
    child::{self, Task},
    common::*,
};

pub(crate) async fn open(task: &Task) -> SqlStore {
    let builder = SqlStore::builder().table(task.text("table")).deadline(PATIENCE);
    builder.connect(&task.text("url")).await.unwrap()
}

/// 32 tasks of this process count in one record, to 64 with the other process.
async fn increment(task: &Task) {
    let store = open(task).await;
    let increments = task.number("increments");
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..32 {
        let store = store.clone();
        tasks.spawn(async move {
            for _ in 0..increments {
                loop {
                    let stored = store.load(&key(1)).await.unwrap().unwrap();
                    let count = u64::from_le_bytes(stored.bytes[..].try_into().unwrap());
                    let next = entry((count + 1).to_le_bytes());
                    let expect = Expect::Version(stored.version);
                    if store.write(&key(1), next, expect).await.unwrap() != Written::Conflict {
                        break;
                    }
                }
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
}

/// Creates every record that the other process has not.
async fn claim(task: &Task) {
    let store = open(task).await;
    let mut claimed = Vec::new();
    for number in 0..task.number("records") {
        if store.write(&key(number), entry("x"), Expect::Absent).await.unwrap() != Written::Conflict {
            claimed.push(number.to_string());
        }
    }
    std::fs::write(task.text("claimed"), claimed.join(" ")).unwrap();
}

/// Writes each record until it is gone.
async fn write_until_it_is_gone(task: &Task) {
    let store = open(task).await;
    for number in 0..task.number("records") {
        while let Some(stored) = store.load(&key(number)).await.unwrap() {
            let _ = store.write(&key(number), entry("again"), Expect::Version(stored.version)).await.unwrap();
        }
        assert_eq!(load(&store, &key(number)).await, None);
    }
}

on_each! {
    /// Promise C1, with two processes of 32 writers each.
    async fn no_increment_is_lost_between_processes(lab) {
        if let Some(task) = child::task() {
            return increment(&task).await;
        }
        let increments = scale(5);
        let store = lab.open().await;
        create(&store, &key(1), entry(0_u64.to_le_bytes())).await;
        let children: Vec<_> = (0..2).map(|_| lab.child().number("increments", increments).start()).collect();
        children.into_iter().for_each(child::Running::finish);
        assert_eq!(load(&store, &key(1)).await.unwrap(), (64 * increments).to_le_bytes());
    }

    async fn of_two_creations_one_wins(lab) {
        if let Some(task) = child::task() {
            return claim(&task).await;
        }
        let records = scale(200);
        drop(lab.open().await);
        let children: Vec<_> = (0..2)
            .map(|number| {
                let claimed = lab.file().with_extension(number.to_string()).display().to_string();
                (lab.child().number("records", records).text("claimed", &claimed).start(), claimed)
            })
            .collect();
        let mut all = Vec::new();
        for (child, claimed) in children {
            child.finish();
            all.extend(std::fs::read_to_string(claimed).unwrap().split_whitespace().map(str::to_owned));
        }
        assert_eq!(all.len() as u64, records);
        assert_eq!(all.into_iter().collect::<HashSet<_>>().len() as u64, records);
    }

    /// Promise C3, from two processes.
    async fn a_removal_is_final_in_every_process(lab) {
        if let Some(task) = child::task() {
            return write_until_it_is_gone(&task).await;
        }
        let records = scale(100);
        let store = lab.open().await;
        for number in 0..records {
            create(&store, &key(number), entry("first")).await;
        }
        let children: Vec<_> = (0..2).map(|_| lab.child().number("records", records).start()).collect();
        for number in 0..records {
            // By version, as a logout does, and without.
            let mut removed = Removed::Conflict;
            while removed == Removed::Conflict {
                let expect = store.load(&key(number)).await.unwrap().map_or(Version::new(1), |stored| stored.version);
                removed = store.remove(&key(number), (number % 2 == 0).then_some(expect)).await.unwrap();
            }
        }
        children.into_iter().for_each(child::Running::finish);
        assert_eq!(lab.number("SELECT count(*) FROM {t}").await, 0);
    }
}

//! Loading sees what was written, and changes nothing.

use super::prelude::*;

/// An absent record is `None`, on every handle and as often as asked.
pub async fn an_absent_record_is_none(subject: Subject) -> Result {
    for key in keys(20) {
        subject.store.lacks(&key).await?;
        subject.store.lacks(&key).await?;
    }
    Ok(())
}

/// A load that starts after a write was acknowledged sees that write: its bytes, its expiry and its version.
pub async fn a_load_sees_the_last_acknowledged_write(subject: Subject) -> Result {
    let mut version = subject.store.create(&key(0), subject.entry("0")).await?;
    for round in 1..=100_u64 {
        let entry = Entry::new(round.to_le_bytes(), subject.within(1_000 + round));
        version = subject.store.replace(&key(0), entry.clone(), version).await?;
        let stored = subject.store.holds(&key(0), &round.to_le_bytes()).await?;
        ensure!(stored.version == version, "a load returns another version than the write just did");
        same_expiry(stored.expires_at, entry.expires_at)?;
    }
    Ok(())
}

/// A write is seen by every other task as soon as it is acknowledged.
pub async fn every_task_sees_an_acknowledged_write(subject: Subject) -> Result {
    let mut version = subject.store.create(&key(0), subject.entry("0")).await?;
    for round in 1..=30_u64 {
        version = subject.store.replace(&key(0), subject.entry(round.to_le_bytes()), version).await?;
        let mut readers = tokio::task::JoinSet::new();
        for _ in 0..4 {
            let store = subject.store.clone();
            readers.spawn(async move { store.holds(&key(0), &round.to_le_bytes()).await.map(drop) });
        }
        while let Some(reader) = readers.join_next().await {
            reader??;
        }
    }
    Ok(())
}

/// Loading a record changes neither its bytes nor its version nor its expiry, however often it is done.
pub async fn a_load_changes_nothing(subject: Subject) -> Result {
    let version = subject.store.create(&key(0), subject.entry("same")).await?;
    let first = subject.store.found(&key(0)).await?;
    for _ in 0..100 {
        ensure!(subject.store.found(&key(0)).await? == first, "a record changes while it is only loaded");
    }
    subject.store.replace(&key(0), subject.entry("new"), version).await?;
    Ok(())
}

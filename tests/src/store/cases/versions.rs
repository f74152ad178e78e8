//! Versions tell every state of a record from every other.

use std::collections::HashSet;

use session_core::Version;

use super::prelude::*;

/// Every write gives the record a version that it never had before.
pub async fn every_write_makes_a_new_version(subject: Subject) -> Result {
    let mut version = subject.store.create(&key(0), subject.entry("same bytes")).await?;
    let mut seen = HashSet::from([version]);
    for _ in 0..200 {
        version = subject.store.replace(&key(0), subject.entry("same bytes"), version).await?;
        ensure!(seen.insert(version), "a record has the same version twice");
    }
    Ok(())
}

/// A record that is removed and created again has versions that it never had before the removal.
pub async fn versions_are_not_reused_after_a_removal(subject: Subject) -> Result {
    let mut seen = HashSet::new();
    for round in 0..100_u64 {
        let created = subject.store.create(&key(0), subject.entry("created")).await?;
        ensure!(seen.insert(created), "a record created again has a version from before its removal");
        let replaced = subject.store.replace(&key(0), subject.entry("replaced"), created).await?;
        ensure!(seen.insert(replaced), "a record rewritten after a removal has a version from before it");
        match round % 2 {
            0 => subject.store.delete(&key(0)).await?,
            _ => drop(subject.store.remove(&key(0), Some(replaced)).await?),
        }
    }
    Ok(())
}

/// A write or a removal that expects a version from before a removal conflicts with the record created since.
pub async fn a_version_from_before_a_removal_is_stale(subject: Subject) -> Result {
    let old = subject.store.create(&key(0), subject.entry("old")).await?;
    subject.store.delete(&key(0)).await?;
    subject.store.create(&key(0), subject.entry("new")).await?;
    let written = subject.store.write(&key(0), subject.entry("late"), Expect::Version(old)).await?;
    ensure!(written == Written::Conflict, "a write over a version from before a removal is stored");
    let removed = subject.store.remove(&key(0), Some(old)).await?;
    ensure!(removed == Removed::Conflict, "a removal of a version from before a removal removes");
    subject.store.holds(&key(0), b"new").await?;
    Ok(())
}

/// No version number stands for "any", and every bit of one counts: a number that the record does not have conflicts.
pub async fn no_other_version_will_do(subject: Subject) -> Result {
    let current = subject.store.create(&key(0), subject.entry("kept")).await?.number();
    let neighbours = (0..64).map(|bit| current ^ (1 << bit));
    let special = [0, 1, i64::MAX as u64, i64::MAX as u64 + 1, u64::MAX - 1, u64::MAX];
    for number in neighbours.chain(special).filter(|number| *number != current) {
        let version = Version::new(number);
        for (key, elsewise) in [(key(0), Removed::Conflict), (key(1), Removed::Gone)] {
            let written =
                subject.store.write(&key, subject.entry("forged"), Expect::Version(version)).await?;
            ensure!(
                written == Written::Conflict,
                "a write over version {number}, which is nowhere, is stored"
            );
            let removed = subject.store.remove(&key, Some(version)).await?;
            ensure!(
                removed == elsewise,
                "a removal of version {number}, which is nowhere, answers {removed:?}"
            );
        }
    }
    subject.store.holds(&key(0), b"kept").await?;
    subject.store.lacks(&key(1)).await
}

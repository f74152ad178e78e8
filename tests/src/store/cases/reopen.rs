//! What outlives the store.

use super::prelude::*;

/// Records come back after the store was closed and opened again: bytes, expiry and version.
pub async fn records_survive_reopening(subject: Subject) -> Result {
    let mut versions = Vec::new();
    for number in 0..20_u64 {
        let version = subject.store.create(&key(number), subject.entry("first")).await?;
        let entry = Entry::new(pattern(700, number), subject.within(1_000 + number));
        versions.push((subject.store.replace(&key(number), entry.clone(), version).await?, entry));
    }
    let subject = subject.reopened().await?;
    for (key, (version, entry)) in keys(20).iter().zip(versions) {
        let stored = subject.store.holds(key, &entry.bytes).await?;
        same_expiry(stored.expires_at, entry.expires_at)?;
        ensure!(stored.version == version, "a record has another version after reopening");
        subject.store.replace(key, subject.entry("written"), version).await?;
    }
    Ok(())
}

/// A removed record does not come back when the store is opened again: a logout is durable.
pub async fn a_removal_survives_reopening(subject: Subject) -> Result {
    // Shows: A42
    let version =
        subject.store.create(&key(0), subject.entry("removed").with_principal(principal(0))).await?;
    subject.store.create(&key(1), subject.entry("removed if unchanged")).await?;
    let subject = subject.reopened().await?;
    subject.store.delete(&key(0)).await?;
    let unchanged = subject.store.found(&key(1)).await?.version;
    let removed = subject.store.remove(&key(1), Some(unchanged)).await?;
    ensure!(removed == Removed::Gone, "a removal of the current version conflicts");
    let subject = subject.reopened().await?;
    subject.store.lacks(&key(0)).await?;
    subject.store.lacks(&key(1)).await?;
    let late = subject.store.write(&key(0), subject.entry("late"), Expect::Version(version)).await?;
    ensure!(late == Written::Conflict, "a write brings back a record removed before reopening");
    subject.store.lacks(&key(0)).await
}

/// A version that a record had before the store was reopened is not given to it again.
pub async fn versions_are_not_reused_after_reopening(subject: Subject) -> Result {
    let mut subject = subject;
    let mut seen = std::collections::HashSet::new();
    for round in 0..6_u64 {
        let created = subject.store.create(&key(0), subject.entry("created")).await?;
        let replaced = subject.store.replace(&key(0), subject.entry("replaced"), created).await?;
        ensure!(
            seen.insert(created) && seen.insert(replaced),
            "a record has a version again after reopening"
        );
        if round % 2 == 0 {
            subject = subject.reopened().await?;
            subject.store.replace(&key(0), subject.entry("continued"), replaced).await?;
        }
        subject.store.delete(&key(0)).await?;
        subject = subject.reopened().await?;
    }
    Ok(())
}

/// A version that was stale before the store was reopened is stale afterwards.
pub async fn a_stale_version_conflicts_after_reopening(subject: Subject) -> Result {
    let stale = subject.store.create(&key(0), subject.entry("old")).await?;
    subject.store.replace(&key(0), subject.entry("new"), stale).await?;
    let subject = subject.reopened().await?;
    let written = subject.store.write(&key(0), subject.entry("late"), Expect::Version(stale)).await?;
    ensure!(written == Written::Conflict, "a write over a stale version is stored after reopening");
    let removed = subject.store.remove(&key(0), Some(stale)).await?;
    ensure!(removed == Removed::Conflict, "a removal of a stale version removes after reopening");
    let created = subject.store.write(&key(0), subject.entry("second"), Expect::Absent).await?;
    ensure!(created == Written::Conflict, "a create over a live record is stored after reopening");
    subject.store.holds(&key(0), b"new").await?;
    Ok(())
}

/// The lists of principals come back after the store was closed and opened again.
pub async fn the_index_survives_reopening(subject: Subject) -> Result {
    for number in 0..20 {
        let entry = subject.entry("listed").with_principal(principal(number % 2));
        subject.store.create(&key(number), entry).await?;
    }
    let moved = subject.store.found(&key(0)).await?.version;
    subject.store.replace(&key(0), subject.entry("moved").with_principal(principal(1)), moved).await?;
    let subject = subject.reopened().await?;
    let (odd, even): (Vec<_>, Vec<_>) = (0..20).partition(|number| number % 2 == 1 || *number == 0);
    for (whose, numbers) in [(1, odd), (0, even)] {
        let keys: Vec<_> = numbers.into_iter().map(key).collect();
        subject.store.lists(&principal(whose), &keys).await?;
    }
    Ok(())
}

/// A sweep after reopening reaches the records from before, deletes the expired and keeps the others.
pub async fn a_sweep_reaches_records_from_before_reopening(subject: Subject) -> Result {
    for number in 0..20 {
        let seconds = if number % 2 == 0 { 60 } else { 7_200 };
        subject.store.create(&key(number), Entry::new("swept or not", subject.within(seconds))).await?;
    }
    subject.advance(600);
    let subject = subject.reopened().await?;
    subject.store.sweep_to_end(SweepRequest::before(subject.now()).budget(6)).await?;
    subject.clock().rewind(std::time::Duration::from_secs(600));
    let subject = subject.reopened().await?;
    for number in 0..20 {
        match number % 2 {
            0 => subject.store.lacks(&key(number)).await?,
            _ => drop(subject.store.holds(&key(number), b"swept or not").await?),
        }
    }
    Ok(())
}

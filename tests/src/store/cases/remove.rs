//! Removing: final, idempotent, and checked against a version if one is given.

use session_core::Version;

use super::prelude::*;

/// A removed record is gone for every load that follows (sessions that are ended but keep their data).
pub async fn a_removed_record_is_gone(subject: Subject) -> Result {
    subject.store.create(&key(0), subject.entry("ended")).await?;
    subject.store.delete(&key(0)).await?;
    for _ in 0..3 {
        subject.store.lacks(&key(0)).await?;
    }
    Ok(())
}

/// Removing a record again, or one that never was, is `Gone` and no error.
pub async fn a_removal_is_idempotent(subject: Subject) -> Result {
    subject.store.create(&key(0), subject.entry("ended twice")).await?;
    for key in [key(0), key(0), key(0), key(1), key(1)] {
        subject.store.delete(&key).await?;
        subject.store.lacks(&key).await?;
    }
    Ok(())
}

/// A removal that expects the current version removes the record.
pub async fn a_removal_of_the_current_version_removes(subject: Subject) -> Result {
    let first = subject.store.create(&key(0), subject.entry("old")).await?;
    let current = subject.store.replace(&key(0), subject.entry("new"), first).await?;
    let removed = subject.store.remove(&key(0), Some(current)).await?;
    ensure!(removed == Removed::Gone, "a removal that expects the current version conflicts");
    subject.store.lacks(&key(0)).await
}

/// A removal that expects a stale version conflicts, and the record stays as it was.
pub async fn a_removal_of_a_stale_version_conflicts(subject: Subject) -> Result {
    let stale = subject.store.create(&key(0), subject.entry("old")).await?;
    let current = subject.store.replace(&key(0), subject.entry("renewed"), stale).await?;
    let before = subject.store.found(&key(0)).await?;
    let removed = subject.store.remove(&key(0), Some(stale)).await?;
    ensure!(removed == Removed::Conflict, "a removal that expects a stale version answers {removed:?}");
    ensure!(subject.store.found(&key(0)).await? == before, "a removal that conflicts changes the record");
    subject.store.replace(&key(0), subject.entry("again"), current).await?;
    Ok(())
}

/// A removal that expects a version where nothing is, is `Gone`.
pub async fn a_removal_of_an_absent_record_is_gone(subject: Subject) -> Result {
    let old = subject.store.create(&key(0), subject.entry("old")).await?;
    subject.store.delete(&key(0)).await?;
    for (key, version) in [(key(0), old), (key(1), old), (key(1), Version::new(7))] {
        let removed = subject.store.remove(&key, Some(version)).await?;
        ensure!(removed == Removed::Gone, "a removal where nothing is answers {removed:?}");
    }
    Ok(())
}

/// A key whose record was removed can be used for a new record, which holds nothing of the old one.
pub async fn a_removed_key_can_be_used_again(subject: Subject) -> Result {
    subject.store.create(&key(0), subject.entry(pattern(500, 0))).await?;
    subject.store.delete(&key(0)).await?;
    let entry = Entry::new("new", subject.within(60));
    let version = subject.store.create(&key(0), entry.clone()).await?;
    let stored = subject.store.holds(&key(0), b"new").await?;
    same_expiry(stored.expires_at, entry.expires_at)?;
    subject.store.replace(&key(0), subject.entry("newer"), version).await?;
    Ok(())
}

/// Removing one record leaves every other record as it was.
pub async fn a_removal_touches_no_other_record(subject: Subject) -> Result {
    for key in keys(40) {
        subject.store.create(&key, subject.entry("kept").with_principal(principal(0))).await?;
    }
    for key in keys(20) {
        subject.store.delete(&key).await?;
    }
    for (number, key) in keys(40).iter().enumerate() {
        match number {
            0..20 => subject.store.lacks(key).await?,
            _ => drop(subject.store.holds(key, b"kept").await?),
        }
    }
    Ok(())
}

/// An expired record can be removed like any other.
pub async fn an_expired_record_can_be_removed(subject: Subject) -> Result {
    let expires_at = subject.in_moments(1);
    subject.store.create(&key(0), Entry::new("expired", expires_at)).await?;
    subject.outlast(expires_at).await;
    subject.advance(3_600);
    subject.store.delete(&key(0)).await?;
    subject.store.lacks(&key(0)).await?;
    subject.store.create(&key(0), subject.entry("new")).await?;
    subject.store.holds(&key(0), b"new").await?;
    Ok(())
}

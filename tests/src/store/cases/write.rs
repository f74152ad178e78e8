//! Creating and replacing: there is no upsert.

use super::prelude::*;

/// A write that expects nothing is stored where nothing is.
pub async fn a_create_is_stored_where_nothing_is(subject: Subject) -> Result {
    let version = subject.store.create(&key(0), subject.entry("new")).await?;
    let stored = subject.store.holds(&key(0), b"new").await?;
    ensure!(stored.version == version, "the version of the record is not the one that the write returned");
    Ok(())
}

/// A write that expects nothing conflicts where a record is, and leaves it as it was.
pub async fn a_create_conflicts_where_a_record_is(subject: Subject) -> Result {
    subject.store.create(&key(0), subject.entry("first")).await?;
    let before = subject.store.found(&key(0)).await?;
    let second = Entry::new("second", subject.within(60));
    let written = subject.store.write(&key(0), second, Expect::Absent).await?;
    ensure!(written == Written::Conflict, "a second create over a live record is stored");
    ensure!(subject.store.found(&key(0)).await? == before, "a create that conflicts changes the record");
    Ok(())
}

/// A write over the current version is stored, any number of times in a row.
pub async fn a_write_over_the_current_version_is_stored(subject: Subject) -> Result {
    let mut version = subject.store.create(&key(0), subject.entry("0")).await?;
    for round in 0..50_u64 {
        version = subject.store.replace(&key(0), subject.entry(pattern(20, round)), version).await?;
        subject.store.holds(&key(0), &pattern(20, round)).await?;
    }
    Ok(())
}

/// A write over a version that is no longer current conflicts: of two requests that loaded the same record the second
/// is told, instead of undoing the first (lost updates; D4).
pub async fn a_write_over_a_stale_version_conflicts(subject: Subject) -> Result {
    let stale = subject.store.create(&key(0), subject.entry("loaded by both")).await?;
    subject.store.replace(&key(0), subject.entry("by the first"), stale).await?;
    let written =
        subject.store.write(&key(0), subject.entry("by the second"), Expect::Version(stale)).await?;
    ensure!(written == Written::Conflict, "a write over a stale version is stored");
    subject.store.holds(&key(0), b"by the first").await?;
    Ok(())
}

/// A write that expects a version conflicts where nothing ever was, and leaves nothing there: no upsert, no partial
/// record.
pub async fn a_write_to_an_absent_record_conflicts(subject: Subject) -> Result {
    let version = subject.store.create(&key(0), subject.entry("elsewhere")).await?;
    let written =
        subject.store.write(&key(1), subject.entry("out of nothing"), Expect::Version(version)).await?;
    ensure!(written == Written::Conflict, "a write that expects a version creates a record");
    subject.store.lacks(&key(1)).await?;
    subject.store.create(&key(1), subject.entry("new")).await?;
    Ok(())
}

/// A write over a record removed meanwhile conflicts, and the record stays gone: a request that is still running never
/// undoes a logout (CVE-2025-46336; D3, D14, D20).
pub async fn a_write_after_a_removal_conflicts(subject: Subject) -> Result {
    let version =
        subject.store.create(&key(0), subject.entry("signed in").with_principal(principal(0))).await?;
    let running = subject.store.found(&key(0)).await?;
    subject.store.delete(&key(0)).await?;
    for expected in [version, running.version] {
        let written =
            subject.store.write(&key(0), subject.entry("signed in"), Expect::Version(expected)).await?;
        ensure!(written == Written::Conflict, "a write brings a removed record back");
        subject.store.lacks(&key(0)).await?;
    }
    Ok(())
}

/// A write that conflicts leaves bytes, expiry and version as they were.
pub async fn a_conflict_changes_nothing(subject: Subject) -> Result {
    let stale = subject.store.create(&key(0), subject.entry("old")).await?;
    subject.store.replace(&key(0), Entry::new("kept", subject.within(500)), stale).await?;
    let before = subject.store.found(&key(0)).await?;
    for (expires_in, expect) in
        [(9_999, Expect::Absent), (9_999, Expect::Version(stale)), (1, Expect::Version(stale))]
    {
        let entry = Entry::new("refused", subject.within(expires_in));
        let written = subject.store.write(&key(0), entry, expect).await?;
        ensure!(written == Written::Conflict, "a write that must conflict is stored");
        ensure!(subject.store.found(&key(0)).await? == before, "a write that conflicts changes the record");
    }
    Ok(())
}

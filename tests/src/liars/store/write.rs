//! Lies about writing.

use std::collections::HashSet;

use super::prelude::*;

/// Stores whatever it is given, whoever was there, or nobody: an upsert.
#[derive(Debug, Default)]
pub(super) struct Upserts;

#[async_trait]
impl Lie for Upserts {
    async fn write(&self, honest: &Honest, key: &StoreKey, entry: Entry, _: Expect) -> Answer<Written> {
        yield_now().await;
        Ok(Written::Stored(honest.open()?.put(key, entry)))
    }
}

/// A create replaces what is there.
#[derive(Debug, Default)]
pub(super) struct CreatesOver;

#[async_trait]
impl Lie for CreatesOver {
    async fn write(&self, honest: &Honest, key: &StoreKey, entry: Entry, expect: Expect) -> Answer<Written> {
        if expect == Expect::Absent && honest.shelf().records.contains_key(key) {
            return Ok(Written::Stored(honest.open()?.put(key, entry)));
        }
        honest.write(key, entry, expect).await
    }
}

/// The last writer wins: any version will do, as long as there is a record.
#[derive(Debug, Default)]
pub(super) struct LetsTheLastWriterWin;

#[async_trait]
impl Lie for LetsTheLastWriterWin {
    async fn write(&self, honest: &Honest, key: &StoreKey, entry: Entry, expect: Expect) -> Answer<Written> {
        if expect != Expect::Absent && honest.shelf().records.contains_key(key) {
            return Ok(Written::Stored(honest.open()?.put(key, entry)));
        }
        honest.write(key, entry, expect).await
    }
}

/// A write that is still running brings back a record that was removed meanwhile.
#[derive(Debug, Default)]
pub(super) struct BringsTheRemovedBack(Mutex<HashSet<StoreKey>>);

#[async_trait]
impl Lie for BringsTheRemovedBack {
    async fn write(&self, honest: &Honest, key: &StoreKey, entry: Entry, expect: Expect) -> Answer<Written> {
        yield_now().await;
        let removed = locked(&self.0).contains(key) && !honest.shelf().records.contains_key(key);
        if removed && expect != Expect::Absent {
            return Ok(Written::Stored(honest.open()?.put(key, entry)));
        }
        honest.write(key, entry, expect).await
    }

    async fn remove(&self, honest: &Honest, key: &StoreKey, expect: Option<Version>) -> Answer<Removed> {
        if honest.shelf().records.contains_key(key) {
            locked(&self.0).insert(*key);
        }
        honest.remove(key, expect).await
    }
}

/// A write to an absent record conflicts but leaves a part of it, as a field set in a hash that is gone.
#[derive(Debug, Default)]
pub(super) struct LeavesAPart;

#[async_trait]
impl Lie for LeavesAPart {
    async fn write(&self, honest: &Honest, key: &StoreKey, entry: Entry, expect: Expect) -> Answer<Written> {
        let written = honest.write(key, entry.clone(), expect).await?;
        if written == Written::Conflict && !honest.shelf().records.contains_key(key) {
            honest.open()?.put(key, Entry::new("", entry.expires_at));
        }
        Ok(written)
    }
}

/// A write that conflicts is reported as an outage.
#[derive(Debug, Default)]
pub(super) struct ReportsConflictsAsErrors;

#[async_trait]
impl Lie for ReportsConflictsAsErrors {
    async fn write(&self, honest: &Honest, key: &StoreKey, entry: Entry, expect: Expect) -> Answer<Written> {
        match honest.write(key, entry, expect).await? {
            Written::Conflict => Err(trouble(StoreErrorKind::Unavailable)),
            stored => Ok(stored),
        }
    }
}

/// A write that conflicts moves the expiry of the record all the same.
#[derive(Debug, Default)]
pub(super) struct MovesTheExpiryOnConflict;

#[async_trait]
impl Lie for MovesTheExpiryOnConflict {
    async fn write(&self, honest: &Honest, key: &StoreKey, entry: Entry, expect: Expect) -> Answer<Written> {
        let written = honest.write(key, entry.clone(), expect).await?;
        if let (Written::Conflict, Some(kept)) = (written, honest.shelf().records.get_mut(key)) {
            kept.entry.expires_at = entry.expires_at;
        }
        Ok(written)
    }
}

/// A write that conflicts puts the record under the principal of the write.
#[derive(Debug, Default)]
pub(super) struct MovesThePrincipalOnConflict;

#[async_trait]
impl Lie for MovesThePrincipalOnConflict {
    async fn write(&self, honest: &Honest, key: &StoreKey, entry: Entry, expect: Expect) -> Answer<Written> {
        let written = honest.write(key, entry.clone(), expect).await?;
        if let (Written::Conflict, Some(kept)) = (written, honest.shelf().records.get_mut(key)) {
            kept.entry.principal = entry.principal;
        }
        Ok(written)
    }
}

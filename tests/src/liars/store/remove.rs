//! Lies about removing.

use std::collections::HashMap;

use session_core::Clock;

use super::prelude::*;

/// A removal removes whatever version it expects.
#[derive(Debug, Default)]
pub(super) struct RemovesAnyVersion;

#[async_trait]
impl Lie for RemovesAnyVersion {
    async fn remove(&self, honest: &Honest, key: &StoreKey, _: Option<Version>) -> Answer<Removed> {
        honest.remove(key, None).await
    }
}

/// Removing what is not there is an error.
#[derive(Debug, Default)]
pub(super) struct RefusesToRemoveTwice;

#[async_trait]
impl Lie for RefusesToRemoveTwice {
    async fn remove(&self, honest: &Honest, key: &StoreKey, expect: Option<Version>) -> Answer<Removed> {
        if !honest.open()?.records.contains_key(key) {
            return Err(trouble(StoreErrorKind::Corrupt));
        }
        honest.remove(key, expect).await
    }
}

/// Removing a version of what is not there is a conflict.
#[derive(Debug, Default)]
pub(super) struct ConflictsWithAbsence;

#[async_trait]
impl Lie for ConflictsWithAbsence {
    async fn remove(&self, honest: &Honest, key: &StoreKey, expect: Option<Version>) -> Answer<Removed> {
        if expect.is_some() && !honest.open()?.records.contains_key(key) {
            return Ok(Removed::Conflict);
        }
        honest.remove(key, expect).await
    }
}

/// A removal leaves the expiry for the next record under the key.
#[derive(Debug, Default)]
pub(super) struct LeavesTheExpiry(Mutex<HashMap<StoreKey, std::time::SystemTime>>);

#[async_trait]
impl Lie for LeavesTheExpiry {
    async fn write(
        &self,
        honest: &Honest,
        key: &StoreKey,
        mut entry: Entry,
        expect: Expect,
    ) -> Answer<Written> {
        if let (Expect::Absent, Some(left)) = (expect, locked(&self.0).remove(key)) {
            entry.expires_at = left;
        }
        honest.write(key, entry, expect).await
    }

    async fn remove(&self, honest: &Honest, key: &StoreKey, expect: Option<Version>) -> Answer<Removed> {
        let expiry = honest.shelf().records.get(key).map(|kept| kept.entry.expires_at);
        let removed = honest.remove(key, expect).await?;
        if let (Removed::Gone, Some(expiry)) = (removed, expiry) {
            locked(&self.0).insert(*key, expiry);
        }
        Ok(removed)
    }
}

/// A removal that expects nothing removes every key that begins with the same four bits.
#[derive(Debug, Default)]
pub(super) struct RemovesByPrefix;

#[async_trait]
impl Lie for RemovesByPrefix {
    async fn remove(&self, honest: &Honest, key: &StoreKey, expect: Option<Version>) -> Answer<Removed> {
        if expect.is_none() {
            let prefix = key.as_bytes()[0] & 0xf0;
            honest.open()?.records.retain(|key, _| key.as_bytes()[0] & 0xf0 != prefix);
        }
        honest.remove(key, expect).await
    }
}

/// An expired record cannot be removed.
#[derive(Debug, Default)]
pub(super) struct KeepsTheExpired;

#[async_trait]
impl Lie for KeepsTheExpired {
    async fn remove(&self, honest: &Honest, key: &StoreKey, expect: Option<Version>) -> Answer<Removed> {
        let now = honest.clock.now();
        if honest.open()?.records.get(key).is_some_and(|kept| kept.entry.expires_at <= now) {
            return Ok(Removed::Gone);
        }
        honest.remove(key, expect).await
    }
}

/// A removal is acknowledged first and carried out after the next load.
#[derive(Debug, Default)]
pub(super) struct RemovesLater(Mutex<Vec<(StoreKey, Version)>>);

#[async_trait]
impl Lie for RemovesLater {
    async fn load(&self, honest: &Honest, key: &StoreKey) -> Answer<Option<Stored>> {
        let loaded = honest.load(key).await?;
        let pending = std::mem::take(&mut *locked(&self.0));
        for (key, version) in pending {
            let _ = honest.remove(&key, Some(version)).await?;
        }
        Ok(loaded)
    }

    async fn remove(&self, honest: &Honest, key: &StoreKey, expect: Option<Version>) -> Answer<Removed> {
        let version = honest.open()?.records.get(key).map(|kept| kept.version);
        match (version, expect) {
            (Some(version), None) => {
                locked(&self.0).push((*key, version));
                Ok(Removed::Gone)
            }
            _ => honest.remove(key, expect).await,
        }
    }
}

/// A removal removes nothing, and the next create is let through.
#[derive(Debug, Default)]
pub(super) struct ForgetsToRemove(Mutex<Vec<StoreKey>>);

#[async_trait]
impl Lie for ForgetsToRemove {
    async fn write(&self, honest: &Honest, key: &StoreKey, entry: Entry, expect: Expect) -> Answer<Written> {
        let forgotten = locked(&self.0).contains(key);
        if forgotten && expect == Expect::Absent {
            locked(&self.0).retain(|other| other != key);
            let _ = honest.remove(key, None).await?;
        }
        honest.write(key, entry, expect).await
    }

    async fn remove(&self, honest: &Honest, key: &StoreKey, expect: Option<Version>) -> Answer<Removed> {
        if expect.is_none() {
            drop(honest.open()?);
            locked(&self.0).push(*key);
            return Ok(Removed::Gone);
        }
        honest.remove(key, expect).await
    }
}

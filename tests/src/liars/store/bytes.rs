//! Lies about bytes.

use super::prelude::*;

/// An empty record is taken for none.
#[derive(Debug, Default)]
pub(super) struct TakesEmptyForAbsent;

#[async_trait]
impl Lie for TakesEmptyForAbsent {
    async fn load(&self, honest: &Honest, key: &StoreKey) -> Answer<Option<Stored>> {
        Ok(honest.load(key).await?.filter(|stored| !stored.bytes.is_empty()))
    }
}

/// Bytes are kept as text: what is not UTF-8 is replaced.
#[derive(Debug, Default)]
pub(super) struct KeepsText;

#[async_trait]
impl Lie for KeepsText {
    async fn write(
        &self,
        honest: &Honest,
        key: &StoreKey,
        mut entry: Entry,
        expect: Expect,
    ) -> Answer<Written> {
        entry.bytes = String::from_utf8_lossy(&entry.bytes).into_owned().into();
        honest.write(key, entry, expect).await
    }
}

/// Bytes are cut at 65,535, as in a column of type BLOB.
#[derive(Debug, Default)]
pub(super) struct CutsShort;

#[async_trait]
impl Lie for CutsShort {
    async fn write(
        &self,
        honest: &Honest,
        key: &StoreKey,
        mut entry: Entry,
        expect: Expect,
    ) -> Answer<Written> {
        entry.bytes.truncate(65_535);
        honest.write(key, entry, expect).await
    }
}

/// What is larger than the declared size is cut to that size.
#[derive(Debug, Default)]
pub(super) struct CutsTheOversized;

#[async_trait]
impl Lie for CutsTheOversized {
    async fn write(
        &self,
        honest: &Honest,
        key: &StoreKey,
        mut entry: Entry,
        expect: Expect,
    ) -> Answer<Written> {
        entry.bytes.truncate(1 << 20);
        honest.write(key, entry, expect).await
    }
}

/// Writes in place: a shorter record keeps the tail of the longer one before it.
#[derive(Debug, Default)]
pub(super) struct LeavesTheTail;

#[async_trait]
impl Lie for LeavesTheTail {
    async fn write(
        &self,
        honest: &Honest,
        key: &StoreKey,
        mut entry: Entry,
        expect: Expect,
    ) -> Answer<Written> {
        let old = honest.shelf().records.get(key).map(|kept| kept.entry.bytes.clone()).unwrap_or_default();
        if old.len() > entry.bytes.len() {
            entry.bytes = [&entry.bytes[..], &old[entry.bytes.len()..]].concat().into();
        }
        honest.write(key, entry, expect).await
    }
}

/// Records with equal bytes are kept once: removing one removes them all.
#[derive(Debug, Default)]
pub(super) struct KeepsEqualRecordsOnce;

#[async_trait]
impl Lie for KeepsEqualRecordsOnce {
    async fn remove(&self, honest: &Honest, key: &StoreKey, expect: Option<Version>) -> Answer<Removed> {
        let bytes = honest.shelf().records.get(key).map(|kept| kept.entry.bytes.clone());
        let removed = honest.remove(key, expect).await?;
        if removed == Removed::Gone {
            honest.shelf().records.retain(|_, kept| Some(&kept.entry.bytes) != bytes.as_ref());
        }
        Ok(removed)
    }
}

//! Lies that only show when requests meet: check, look away, act.

use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;

use super::prelude::*;

/// A create looks whether anything is there, and then writes.
#[derive(Debug, Default)]
pub(super) struct ChecksThenCreates;

#[async_trait]
impl Lie for ChecksThenCreates {
    async fn write(&self, honest: &Honest, key: &StoreKey, entry: Entry, expect: Expect) -> Answer<Written> {
        let free = !honest.open()?.records.contains_key(key);
        if expect != Expect::Absent || !free || honest.shelf().most_records.is_some() {
            return honest.write(key, entry, expect).await;
        }
        yield_now().await;
        Ok(Written::Stored(honest.open()?.put(key, entry)))
    }
}

/// A write looks at the version, and then writes if there still is a record.
#[derive(Debug, Default)]
pub(super) struct ChecksThenWrites;

#[async_trait]
impl Lie for ChecksThenWrites {
    async fn write(&self, honest: &Honest, key: &StoreKey, entry: Entry, expect: Expect) -> Answer<Written> {
        let current = honest.open()?.records.get(key).filter(|kept| !kept.damaged).map(|kept| kept.version);
        if current.is_none_or(|current| expect != Expect::Version(current)) {
            return honest.write(key, entry, expect).await;
        }
        yield_now().await;
        let mut shelf = honest.open()?;
        if !shelf.records.contains_key(key) {
            return Ok(Written::Conflict);
        }
        Ok(Written::Stored(shelf.put(key, entry)))
    }
}

/// One write in ten looks at the version, and then writes: of two that expect the same, both are acknowledged.
#[derive(Debug, Default)]
pub(super) struct AcknowledgesTwoWrites {
    writes: AtomicU64,
    always: ChecksThenWrites,
}

#[async_trait]
impl Lie for AcknowledgesTwoWrites {
    async fn write(&self, honest: &Honest, key: &StoreKey, entry: Entry, expect: Expect) -> Answer<Written> {
        if self.writes.fetch_add(1, Ordering::Relaxed) % 10 == 9 {
            return self.always.write(honest, key, entry, expect).await;
        }
        honest.write(key, entry, expect).await
    }
}

/// A write looks at the version, and then writes whether or not the record was removed meanwhile.
#[derive(Debug, Default)]
pub(super) struct ChecksThenRevives;

#[async_trait]
impl Lie for ChecksThenRevives {
    async fn write(&self, honest: &Honest, key: &StoreKey, entry: Entry, expect: Expect) -> Answer<Written> {
        let current = honest.open()?.records.get(key).filter(|kept| !kept.damaged).map(|kept| kept.version);
        if current.is_none_or(|current| expect != Expect::Version(current)) {
            return honest.write(key, entry, expect).await;
        }
        yield_now().await;
        let mut shelf = honest.open()?;
        if shelf.records.get(key).is_some_and(|kept| Some(kept.version) != current) {
            return Ok(Written::Conflict);
        }
        Ok(Written::Stored(shelf.put(key, entry)))
    }
}

/// A removal looks at the version, and then removes.
#[derive(Debug, Default)]
pub(super) struct ChecksThenRemoves;

#[async_trait]
impl Lie for ChecksThenRemoves {
    async fn remove(&self, honest: &Honest, key: &StoreKey, expect: Option<Version>) -> Answer<Removed> {
        let current = honest.open()?.records.get(key).map(|kept| kept.version);
        if expect.is_none() || expect != current {
            return honest.remove(key, expect).await;
        }
        yield_now().await;
        honest.remove(key, None).await
    }
}

/// A write arrives in two halves, and a load between them sees the first.
#[derive(Debug, Default)]
pub(super) struct WritesInHalves;

#[async_trait]
impl Lie for WritesInHalves {
    async fn write(&self, honest: &Honest, key: &StoreKey, entry: Entry, expect: Expect) -> Answer<Written> {
        let half = entry.bytes.slice(..entry.bytes.len() / 2);
        let written = honest.write(key, with_bytes(&entry, half), expect).await?;
        if let Written::Stored(version) = written {
            yield_now().await;
            complete(honest, key, version, entry.bytes);
        }
        Ok(written)
    }
}

/// A write reads all records, looks away, and writes all of them back, as a store in one file does without a lock.
#[derive(Debug, Default)]
pub(super) struct RewritesEverything;

#[async_trait]
impl Lie for RewritesEverything {
    async fn write(&self, honest: &Honest, key: &StoreKey, entry: Entry, expect: Expect) -> Answer<Written> {
        let mut everything = honest.open()?.records.clone();
        let written = honest.write(key, entry, expect).await?;
        let mut shelf = honest.open()?;
        if let (Written::Stored(_), Some(kept)) = (written, shelf.records.get(key)) {
            everything.insert(*key, kept.clone());
            shelf.records = everything;
        }
        Ok(written)
    }
}

pub(super) fn with_bytes(entry: &Entry, bytes: Bytes) -> Entry {
    Entry::new(bytes, entry.expires_at).with_principal(entry.principal)
}

/// The rest of a record, if it is still that version.
pub(super) fn complete(honest: &Honest, key: &StoreKey, version: Version, bytes: Bytes) {
    if let Some(kept) = honest.shelf().records.get_mut(key).filter(|kept| kept.version == version) {
        kept.entry.bytes = bytes;
    }
}

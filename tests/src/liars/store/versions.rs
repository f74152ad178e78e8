//! Lies about versions.

use std::collections::HashMap;

use super::prelude::*;

/// Versions count from one for each record, and again from one after its removal.
#[derive(Debug, Default)]
pub(super) struct CountsVersionsAnew;

#[async_trait]
impl Lie for CountsVersionsAnew {
    async fn write(&self, honest: &Honest, key: &StoreKey, entry: Entry, expect: Expect) -> Answer<Written> {
        let before = honest.shelf().records.get(key).map_or(0, |kept| kept.version.number());
        let written = honest.write(key, entry, expect).await?;
        renumber(honest, key, written, |_| before + 1)
    }
}

/// A write of the same bytes keeps the version.
#[derive(Debug, Default)]
pub(super) struct KeepsTheVersionOfEqualBytes;

#[async_trait]
impl Lie for KeepsTheVersionOfEqualBytes {
    async fn write(&self, honest: &Honest, key: &StoreKey, entry: Entry, expect: Expect) -> Answer<Written> {
        let same = honest
            .shelf()
            .records
            .get(key)
            .filter(|kept| kept.entry.bytes == entry.bytes)
            .map(|kept| kept.version);
        let written = honest.write(key, entry, expect).await?;
        renumber(honest, key, written, |version| same.unwrap_or(version).number())
    }
}

/// Version 0 stands for any version.
#[derive(Debug, Default)]
pub(super) struct TakesZeroForAny;

#[async_trait]
impl Lie for TakesZeroForAny {
    async fn write(&self, honest: &Honest, key: &StoreKey, entry: Entry, expect: Expect) -> Answer<Written> {
        let current = honest.shelf().records.get(key).map(|kept| kept.version);
        let expect = match (expect, current) {
            (Expect::Version(version), Some(current)) if version.number() == 0 => Expect::Version(current),
            _ => expect,
        };
        honest.write(key, entry, expect).await
    }
}

/// Only the lower 32 bits of a version are compared.
#[derive(Debug, Default)]
pub(super) struct ComparesHalfOfAVersion;

#[async_trait]
impl Lie for ComparesHalfOfAVersion {
    async fn remove(&self, honest: &Honest, key: &StoreKey, expect: Option<Version>) -> Answer<Removed> {
        let current = honest.shelf().records.get(key).map(|kept| kept.version);
        let same = |expected: &Version| {
            current.is_some_and(|current| current.number() as u32 == expected.number() as u32)
        };
        honest.remove(key, expect.filter(|expected| !same(expected))).await
    }
}

/// A record created again may be given the version of the one before its last removal.
#[derive(Debug, Default)]
pub(super) struct GivesARemovedVersionAgain(Mutex<HashMap<StoreKey, Version>>);

#[async_trait]
impl Lie for GivesARemovedVersionAgain {
    async fn write(&self, honest: &Honest, key: &StoreKey, entry: Entry, expect: Expect) -> Answer<Written> {
        let written = honest.write(key, entry, expect).await?;
        let removed = locked(&self.0).remove(key);
        renumber(honest, key, written, |version| removed.unwrap_or(version).number())
    }

    async fn remove(&self, honest: &Honest, key: &StoreKey, expect: Option<Version>) -> Answer<Removed> {
        let version = honest.shelf().records.get(key).map(|kept| kept.version);
        let removed = honest.remove(key, expect).await?;
        if let (Removed::Gone, Some(version)) = (removed, version) {
            locked(&self.0).insert(*key, version);
        }
        Ok(removed)
    }
}

/// A load returns the version in another form than the write did; both are accepted.
#[derive(Debug, Default)]
pub(super) struct TellsTwoVersions;

#[async_trait]
impl Lie for TellsTwoVersions {
    async fn load(&self, honest: &Honest, key: &StoreKey) -> Answer<Option<Stored>> {
        let other = |version: Version| Version::new(version.number() | 1 << 63);
        let loaded = honest.load(key).await?;
        Ok(loaded.map(|stored| Stored::new(stored.bytes, stored.expires_at, other(stored.version))))
    }

    async fn write(&self, honest: &Honest, key: &StoreKey, entry: Entry, expect: Expect) -> Answer<Written> {
        let expect = match expect {
            Expect::Absent => Expect::Absent,
            Expect::Version(version) => Expect::Version(first_form(version)),
        };
        honest.write(key, entry, expect).await
    }

    async fn remove(&self, honest: &Honest, key: &StoreKey, expect: Option<Version>) -> Answer<Removed> {
        honest.remove(key, expect.map(first_form)).await
    }
}

fn first_form(version: Version) -> Version {
    Version::new(version.number() & !(1 << 63))
}

/// Gives a record that was just stored another version.
fn renumber(
    honest: &Honest,
    key: &StoreKey,
    written: Written,
    number: impl Fn(Version) -> u64,
) -> Answer<Written> {
    let Written::Stored(version) = written else { return Ok(written) };
    let version = Version::new(number(version));
    if let Some(kept) = honest.open()?.records.get_mut(key) {
        kept.version = version;
    }
    Ok(Written::Stored(version))
}

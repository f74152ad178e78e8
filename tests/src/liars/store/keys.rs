//! Lies about keys.

use super::prelude::*;

/// The last bit of a key does not count.
#[derive(Debug, Default)]
pub(super) struct IgnoresTheLastBit;

#[async_trait]
impl Lie for IgnoresTheLastBit {
    async fn load(&self, honest: &Honest, key: &StoreKey) -> Answer<Option<Stored>> {
        honest.load(&alias(honest, key, last_bit)).await
    }

    async fn write(&self, honest: &Honest, key: &StoreKey, entry: Entry, expect: Expect) -> Answer<Written> {
        honest.write(&alias(honest, key, last_bit), entry, expect).await
    }

    async fn remove(&self, honest: &Honest, key: &StoreKey, expect: Option<Version>) -> Answer<Removed> {
        honest.remove(&alias(honest, key, last_bit), expect).await
    }
}

/// Keys are compared as text without regard to case, as by the collation of a database.
#[derive(Debug, Default)]
pub(super) struct IgnoresCase;

#[async_trait]
impl Lie for IgnoresCase {
    async fn load(&self, honest: &Honest, key: &StoreKey) -> Answer<Option<Stored>> {
        honest.load(&alias(honest, key, lower_case)).await
    }

    async fn write(&self, honest: &Honest, key: &StoreKey, entry: Entry, expect: Expect) -> Answer<Written> {
        honest.write(&alias(honest, key, lower_case), entry, expect).await
    }

    async fn remove(&self, honest: &Honest, key: &StoreKey, expect: Option<Version>) -> Answer<Removed> {
        honest.remove(&alias(honest, key, lower_case), expect).await
    }
}

/// All stores of one factory keep their records in one place.
#[derive(Debug, Default)]
pub(super) struct SharesOnePlace;

#[async_trait]
impl Lie for SharesOnePlace {
    const SHARES: bool = true;
}

/// A key that is there and looks the same, or else the key itself.
fn alias(honest: &Honest, key: &StoreKey, look: fn([u8; 32]) -> [u8; 32]) -> StoreKey {
    let shelf = honest.shelf();
    let same = |other: &&StoreKey| look(*other.as_bytes()) == look(*key.as_bytes());
    shelf.records.keys().find(same).copied().unwrap_or(*key)
}

fn last_bit(mut bytes: [u8; 32]) -> [u8; 32] {
    bytes[31] &= 0xfe;
    bytes
}

fn lower_case(mut bytes: [u8; 32]) -> [u8; 32] {
    bytes.make_ascii_lowercase();
    bytes
}

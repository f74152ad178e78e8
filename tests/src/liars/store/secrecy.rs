//! Lies of those who talk.

use std::fmt;

use super::prelude::*;

/// `Debug` shows the bytes of the records.
#[derive(Debug, Default)]
pub(super) struct ShowsBytes;

#[async_trait]
impl Lie for ShowsBytes {
    fn debug(&self, honest: &Honest, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(honest.shelf().records.values().map(|kept| &kept.entry.bytes)).finish()
    }
}

/// `Debug` shows the bytes of the records as numbers.
#[derive(Debug, Default)]
pub(super) struct ShowsNumbers;

#[async_trait]
impl Lie for ShowsNumbers {
    fn debug(&self, honest: &Honest, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(honest.shelf().records.values().map(|kept| kept.entry.bytes.to_vec())).finish()
    }
}

/// `Debug` shows whose the records are.
#[derive(Debug, Default)]
pub(super) struct ShowsPrincipals;

#[async_trait]
impl Lie for ShowsPrincipals {
    fn debug(&self, honest: &Honest, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shelf = honest.shelf();
        let principals = shelf.records.values().filter_map(|kept| kept.entry.principal);
        f.debug_list().entries(principals.map(|principal| principal.to_hex())).finish()
    }
}

/// The cause of an error quotes the bytes that could not be written.
#[derive(Debug, Default)]
pub(super) struct QuotesBytesInErrors;

#[async_trait]
impl Lie for QuotesBytesInErrors {
    async fn write(&self, honest: &Honest, key: &StoreKey, entry: Entry, expect: Expect) -> Answer<Written> {
        let quoted = format!("INSERT INTO session VALUES ({:?})", entry.bytes);
        honest.write(key, entry, expect).await.map_err(|error| error.with_source(quoted))
    }
}

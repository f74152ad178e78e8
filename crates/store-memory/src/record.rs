//! What is kept of a record and of a principal.

use bytes::Bytes;
use session_core::{Entry, PrincipalKey, StoreKey, Stored, Version};

use crate::{
    ledger::Room,
    list::{Links, List},
    slab::NIL,
    table::Keyed,
    time,
};

/// What a record takes beside its bytes, in bytes: see [`MemoryStore::bytes`](crate::MemoryStore::bytes).
pub(crate) const OVERHEAD: usize = 256;

pub(crate) struct Record {
    pub(crate) key: StoreKey,
    pub(crate) bytes: Bytes,
    pub(crate) expires: u64,
    pub(crate) version: u64,
    /// The slot of the principal; [`NIL`] for an anonymous record.
    pub(crate) owner: u32,
    pub(crate) links: Links,
}

impl Record {
    pub(crate) fn new(key: StoreKey, draft: Draft, version: u64) -> Self {
        let Draft { bytes, expires, .. } = draft;
        Self { key, bytes, expires, version, owner: NIL, links: Links::none() }
    }

    pub(crate) const fn is_anonymous(&self) -> bool {
        self.owner == NIL
    }

    pub(crate) const fn room(&self) -> Room {
        Room::of_record(self.bytes.len())
    }

    pub(crate) fn to_entry(&self, principal: Option<PrincipalKey>) -> Entry {
        Entry::new(&self.bytes, time::from_millis(self.expires)).with_principal(principal)
    }

    pub(crate) fn to_stored(&self) -> Stored {
        Stored::new(self.bytes.clone(), time::from_millis(self.expires), Version::new(self.version))
    }
}

impl Keyed for Record {
    fn digest(&self) -> &[u8; 32] {
        self.key.as_bytes()
    }
}

/// A principal with at least one record in the shard.
pub(crate) struct Owner {
    pub(crate) principal: PrincipalKey,
    pub(crate) records: List,
}

impl Keyed for Owner {
    fn digest(&self) -> &[u8; 32] {
        self.principal.as_bytes()
    }
}

/// An entry on its way in.
pub(crate) struct Draft {
    pub(crate) bytes: Bytes,
    pub(crate) expires: u64,
    pub(crate) principal: Option<PrincipalKey>,
}

impl Draft {
    pub(crate) fn new(entry: Entry) -> Self {
        let Entry { bytes, expires_at, principal, .. } = entry;
        Self { bytes, expires: time::to_millis(expires_at), principal }
    }

    pub(crate) const fn room(&self) -> Room {
        Room::of_record(self.bytes.len())
    }
}

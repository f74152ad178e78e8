//! The operations of the store, none of which ever waits: `store.rs` only puts them behind the traits.

use session_core::{
    Clock, Entry, Expect, PrincipalKey, Removed, ScanCursor, Scanned, StoreError, StoreErrorKind, StoreKey,
    Stored, Version, Written,
};

use crate::{
    hash::KeyHash,
    ledger::{Held, Ledger, Room},
    make_room::Spare,
    record::{Draft, Record},
    records::Records,
    shard::{Exclusive, Shard},
    sync::{Arc, AtomicUsize},
    time,
};

pub(crate) struct Engine {
    /// In the order of the first bits of the keys, so that a list over all shards is in the order of the keys.
    pub(crate) shards: Box<[Shard]>,
    pub(crate) ledger: Ledger,
    clock: Arc<dyn Clock>,
    /// The shard where the next sweep goes on.
    pub(crate) cursor: AtomicUsize,
}

impl Engine {
    /// `shards` is a power of two up to [`MOST_SHARDS`].
    pub(crate) fn new(shards: usize, most: Room, clock: Arc<dyn Clock>) -> Self {
        let hash = KeyHash::random();
        Self {
            shards: (0..shards).map(|_| Shard::new(hash)).collect(),
            ledger: Ledger::new(most),
            clock,
            cursor: AtomicUsize::new(0),
        }
    }

    pub(crate) fn load(&self, key: &StoreKey) -> Option<Stored> {
        self.shard(key).read().find(key).map(|(_, record)| record.to_stored())
    }

    pub(crate) fn write(&self, key: &StoreKey, entry: Entry, expect: Expect) -> Result<Written, StoreError> {
        let now = time::to_millis(self.clock.now());
        let draft = Draft::new(entry);

        let mut records = self.shard(key).write();
        let Some(place) = self.place(&mut records, key, expect, now) else { return Ok(Written::Conflict) };
        let need = place.need(&draft);
        if let Some(held) = self.ledger.take(need) {
            return self.store(records, key, draft, &place, held, now);
        }
        drop(records);

        // Making room takes the locks of other shards, so ours is released meanwhile and the expectation is checked
        // again. What the write needs stays the same: whatever its version was written over has one size.
        let held = self.make_room(need, place.spare(), now).ok_or_else(full)?;
        let mut records = self.shard(key).write();
        match self.place(&mut records, key, expect, now) {
            Some(place) => self.store(records, key, draft, &place, held, now),
            None => Ok(Written::Conflict),
        }
    }

    pub(crate) fn remove(&self, key: &StoreKey, expect: Option<Version>) -> Removed {
        let mut records = self.shard(key).write();
        let Some((at, record)) = records.find(key) else { return Removed::Gone };
        if expect.is_some_and(|expected| expected.number() != record.version) {
            return Removed::Conflict;
        }
        let removed = records.remove(at);
        self.free_room_of(removed.as_slice());
        // Freeing a large buffer can take long, so nobody has to wait for it.
        drop(records);
        drop(removed);
        Removed::Gone
    }

    pub(crate) fn keys_of(
        &self,
        principal: &PrincipalKey,
        after: Option<&StoreKey>,
        limit: usize,
    ) -> Vec<StoreKey> {
        let mut keys = Vec::new();
        let first = after.map_or(0, |after| self.shard_index(after));
        for shard in self.shards.iter().skip(first) {
            if keys.len() == limit {
                break;
            }
            keys.append(&mut shard.read().keys_of(principal, after, limit - keys.len()));
        }
        keys
    }

    pub(crate) fn scan(&self, after: Option<&StoreKey>, limit: usize) -> Scanned {
        let mut entries = Vec::new();
        let first = after.map_or(0, |after| self.shard_index(after));
        for shard in self.shards.iter().skip(first) {
            entries.append(&mut shard.read().page(after, limit - entries.len()));
            if entries.len() == limit {
                break;
            }
        }
        let next = entries.last().filter(|_| entries.len() == limit).map(|(key, _)| ScanCursor::behind(key));
        Scanned::new(entries, next)
    }

    /// Frees the room of records that were removed. Whoever calls it still holds their lock, so that a writer who looks
    /// for room finds either the records or the room.
    pub(crate) fn free_room_of(&self, removed: &[Record]) {
        self.ledger.give_back(removed.iter().map(Record::room).fold(Room::default(), Room::plus));
    }

    /// Where a write that expects `expect` goes; `None` if it conflicts with what is there.
    fn place(&self, records: &mut Records, key: &StoreKey, expect: Expect, now: u64) -> Option<Place> {
        match (expect, records.find(key)) {
            (Expect::Absent, None) => Some(Place::Vacant),
            (Expect::Absent, Some((at, record))) if record.expires < now => {
                self.free_room_of(records.remove(at).as_slice());
                Some(Place::Vacant)
            }
            (Expect::Version(version), Some((at, record))) if version.number() == record.version => {
                Some(Place::Over {
                    at,
                    version: record.version,
                    room: record.room(),
                    anonymous: record.is_anonymous(),
                })
            }
            _ => None,
        }
    }

    fn store(
        &self,
        mut records: Exclusive<'_>,
        key: &StoreKey,
        draft: Draft,
        place: &Place,
        held: Held<'_>,
        now: u64,
    ) -> Result<Written, StoreError> {
        let version = self.ledger.next_version();
        let room = draft.room();
        let replaced = match *place {
            Place::Vacant => {
                if !records.insert(*key, draft, version) {
                    return Err(full());
                }
                None
            }
            Place::Over { at, room: old, .. } => {
                self.ledger.give_back(old.beyond(room));
                records.replace(at, draft, version)
            }
        };
        held.spend();
        self.free_expired(&mut records, now);
        drop(records);
        drop(replaced);
        Ok(Written::Stored(Version::new(version)))
    }

    /// Every write adds at most one record and frees more than one expired record of its shard, if there are any: a
    /// store that nobody sweeps does not fill up with them.
    fn free_expired(&self, records: &mut Records, now: u64) {
        for _ in 0..EXPIRED_PER_WRITE {
            match records.remove_expired(None, now) {
                Some(record) => self.free_room_of(&[record]),
                None => break,
            }
        }
    }

    fn shard(&self, key: &StoreKey) -> &Shard {
        &self.shards[self.shard_index(key)]
    }

    fn shard_index(&self, key: &StoreKey) -> usize {
        let [first, second, ..] = *key.as_bytes();
        usize::from(u16::from_be_bytes([first, second])) * self.shards.len() / MOST_SHARDS
    }
}

/// As many shards as two bytes of a key can tell apart.
pub(crate) const MOST_SHARDS: usize = 1 << 16;
const EXPIRED_PER_WRITE: usize = 2;

enum Place {
    Vacant,
    Over { at: u32, version: u64, room: Room, anonymous: bool },
}

impl Place {
    /// The room that has to be free for `draft` to be stored here.
    fn need(&self, draft: &Draft) -> Room {
        match self {
            Self::Vacant => draft.room(),
            Self::Over { room, .. } => draft.room().beyond(*room),
        }
    }

    fn spare(&self) -> Spare {
        match *self {
            Self::Vacant => Spare::nothing(),
            Self::Over { version, room, anonymous, .. } => {
                Spare::record(version, if anonymous { room.bytes } else { 0 })
            }
        }
    }
}

fn full() -> StoreError {
    StoreError::new(StoreErrorKind::Full, "memory")
}

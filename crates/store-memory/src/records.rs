//! What one shard holds: the records, and the orders in which they expire, may be evicted, and belong to principals.
//!
//! All of it is changed together under the lock of the shard, so none of the orders ever disagrees with the records.

use std::{
    collections::{BTreeSet, BinaryHeap},
    mem,
    ops::Range,
};

use bytes::Bytes;
use session_core::{Entry, PrincipalKey, StoreKey};

use crate::{
    hash::KeyHash,
    list::List,
    record::{Draft, Owner, Record},
    slab::NIL,
    table::Table,
};

pub(crate) struct Records {
    by_key: Table<Record>,
    owners: Table<Owner>,
    /// The records without a principal, the longest unwritten one first.
    anonymous: List,
    /// The bytes that the anonymous records take.
    evictable: u64,
    /// Expiry and slot of every record. An order that deletes exactly leaves no garbage behind when an expiry moves.
    deadlines: BTreeSet<(u64, u32)>,
    hash: KeyHash,
}

impl Records {
    pub(crate) const fn new(hash: KeyHash) -> Self {
        Self {
            by_key: Table::new(hash),
            owners: Table::new(hash),
            anonymous: List::new(),
            evictable: 0,
            deadlines: BTreeSet::new(),
            hash,
        }
    }

    pub(crate) fn find(&self, key: &StoreKey) -> Option<(u32, &Record)> {
        self.by_key.find(key.as_bytes())
    }

    /// Adds a record under a key that is not there yet. Gives `false` when the shard can number no more.
    pub(crate) fn insert(&mut self, key: StoreKey, draft: Draft, version: u64) -> bool {
        let (expires, principal) = (draft.expires, draft.principal);
        let Some(at) = self.by_key.insert(Record::new(key, draft, version)) else { return false };
        self.deadlines.insert((expires, at));
        self.attach(at, principal);
        true
    }

    /// Writes over a record. Gives its old bytes, to be dropped when the lock is released.
    pub(crate) fn replace(&mut self, at: u32, draft: Draft, version: u64) -> Option<Bytes> {
        let same_owner = self.principal_of(at).is_some_and(|owner| draft.principal == Some(owner));
        if !same_owner {
            self.detach(at);
        }
        let record = self.by_key.get_mut(at)?;
        record.version = version;
        let old_bytes = mem::replace(&mut record.bytes, draft.bytes);
        let old_expires = mem::replace(&mut record.expires, draft.expires);
        if old_expires != draft.expires {
            self.deadlines.remove(&(old_expires, at));
            self.deadlines.insert((draft.expires, at));
        }
        if !same_owner {
            self.attach(at, draft.principal);
        }
        Some(old_bytes)
    }

    pub(crate) fn remove(&mut self, at: u32) -> Option<Record> {
        self.detach(at);
        let record = self.by_key.remove(at)?;
        self.deadlines.remove(&(record.expires, at));
        self.shrink();
        Some(record)
    }

    /// Removes the record that expired first, if it did before `now`, sparing the one of version `spare`.
    pub(crate) fn remove_expired(&mut self, spare: Option<u64>, now: u64) -> Option<Record> {
        let expired = self.deadlines.iter().take_while(|(expires, _)| *expires < now);
        let is_other = |at| self.by_key.get(at).is_some_and(|record| Some(record.version) != spare);
        let at = expired.map(|(_, at)| *at).find(|at| is_other(*at))?;
        self.remove(at)
    }

    /// Removes records that expire within `range`, up to `most`, and says whether there are more.
    pub(crate) fn remove_within(&mut self, range: &Range<u64>, most: usize) -> (Vec<Record>, bool) {
        let mut removed = Vec::new();
        if range.is_empty() {
            return (removed, false);
        }
        let bounds = (range.start, 0)..(range.end, 0);
        while let Some((_, at)) = self.deadlines.range(bounds.clone()).next().copied() {
            if removed.len() == most {
                return (removed, true);
            }
            removed.extend(self.remove(at));
        }
        (removed, false)
    }

    /// Removes the anonymous record that was not written for the longest time, sparing the one of version `spare`.
    pub(crate) fn evict(&mut self, spare: Option<u64>) -> Option<Record> {
        let (at, _) = self.oldest_anonymous(spare)?;
        self.remove(at)
    }

    /// The version of the record that [`evict`](Self::evict) would remove.
    pub(crate) fn next_victim(&self, spare: Option<u64>) -> Option<u64> {
        self.oldest_anonymous(spare).map(|(_, record)| record.version)
    }

    /// The bytes that evicting every anonymous record would free.
    pub(crate) const fn evictable(&self) -> u64 {
        self.evictable
    }

    pub(crate) fn first_deadline(&self) -> Option<u64> {
        self.deadlines.first().map(|(expires, _)| *expires)
    }

    /// The `most` lowest keys of `principal` behind `after`, in ascending order. Needs memory for those only.
    pub(crate) fn keys_of(
        &self,
        principal: &PrincipalKey,
        after: Option<&StoreKey>,
        most: usize,
    ) -> Vec<StoreKey> {
        let owner = self.owners.find(principal.as_bytes()).map(|(_, owner)| owner);
        let mut lowest = BinaryHeap::new();
        for (_, record) in owner.iter().flat_map(|owner| owner.records.iter(&self.by_key)) {
            if after.is_some_and(|after| record.key <= *after) {
                continue;
            }
            if lowest.len() < most {
                lowest.push(record.key);
            } else if let Some(mut highest) = lowest.peek_mut().filter(|highest| record.key < **highest) {
                *highest = record.key;
            }
        }
        lowest.into_sorted_vec()
    }

    /// The `most` records with the lowest keys behind `after`, in ascending order.
    pub(crate) fn page(&self, after: Option<&StoreKey>, most: usize) -> Vec<(StoreKey, Entry)> {
        let mut lowest = BinaryHeap::new();
        for record in self.by_key.iter().filter(|record| after.is_none_or(|after| record.key > *after)) {
            lowest.push(record.key);
            if lowest.len() > most {
                lowest.pop();
            }
        }
        let found = lowest.into_sorted_vec().into_iter().filter_map(|key| self.find(&key));
        found.map(|(at, record)| (record.key, record.to_entry(self.principal_of(at)))).collect()
    }

    fn oldest_anonymous(&self, spare: Option<u64>) -> Option<(u32, &Record)> {
        self.anonymous.iter(&self.by_key).find(|(_, record)| Some(record.version) != spare)
    }

    fn principal_of(&self, at: u32) -> Option<PrincipalKey> {
        let record = self.by_key.get(at)?;
        self.owners.get(record.owner).map(|owner| owner.principal)
    }

    /// Puts a record that is in no list into the list where it belongs.
    fn attach(&mut self, at: u32, principal: Option<PrincipalKey>) {
        // A principal has at least one record, so where the record got a number the principal gets one too.
        let owner = principal.and_then(|principal| self.owner(principal)).unwrap_or(NIL);
        let Some(record) = self.by_key.get_mut(at) else { return };
        record.owner = owner;
        let room = record.room();
        match self.owners.get_mut(owner) {
            Some(owner) => owner.records.push_back(&mut self.by_key, at),
            None => {
                self.anonymous.push_back(&mut self.by_key, at);
                self.evictable += room.bytes;
            }
        }
    }

    /// Takes a record out of its list, and the list away with its last record.
    fn detach(&mut self, at: u32) {
        let Some(record) = self.by_key.get_mut(at) else { return };
        let (owner_at, room) = (mem::replace(&mut record.owner, NIL), record.room());
        let Some(owner) = self.owners.get_mut(owner_at) else {
            self.anonymous.unlink(&mut self.by_key, at);
            self.evictable -= room.bytes;
            return;
        };
        owner.records.unlink(&mut self.by_key, at);
        if owner.records.is_empty() {
            self.owners.remove(owner_at);
        }
    }

    fn owner(&mut self, principal: PrincipalKey) -> Option<u32> {
        match self.owners.find(principal.as_bytes()) {
            Some((at, _)) => Some(at),
            None => self.owners.insert(Owner { principal, records: List::new() }),
        }
    }

    /// Gives the memory of a shard that is nearly empty back by building it anew. It takes as many removals as there
    /// are slots to get here, so the cost per removal stays constant.
    fn shrink(&mut self) {
        if self.by_key.slots() < SMALL || self.by_key.len() * SPARSE > self.by_key.slots() {
            return;
        }
        let mut old = mem::replace(self, Self::new(self.hash));
        let version_of = |at: u32| old.by_key.get(at).map(|record| (record.version, at));
        let mut by_age: Vec<_> = old.deadlines.iter().filter_map(|(_, at)| version_of(*at)).collect();
        by_age.sort_unstable();
        for (version, at) in by_age {
            let principal = old.principal_of(at);
            if let Some(Record { key, bytes, expires, .. }) = old.by_key.remove(at) {
                self.insert(key, Draft { bytes, expires, principal }, version);
            }
        }
    }
}

/// A shard of fewer slots is never built anew.
const SMALL: usize = 1_024;
/// Nor one of which more than one slot in this many is used.
const SPARSE: usize = 8;

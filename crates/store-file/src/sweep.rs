//! Deleting what has expired, and what killed processes left behind, one slice of a folder at a time.
//!
//! A file's modification time is its expiry, so a file that has time left is never opened. One that has not is opened
//! under the lock of its shard, and the header decides: a record that was renewed meanwhile stays.

use std::time::Instant;

use session_core::{PrincipalKey, StoreError, StoreKey, SweepRequest};

use crate::{
    disk::{Disk, Folder, Lock, Status},
    failure::unavailable,
    layout::{
        Place, RelPath, ShardEntry, parse_principal, record_name, record_path, shard_of, sweep_lock_name,
    },
    principals::{list_markers, remove_if_empty},
    records::{Found, Records, open_if_there, open_or_make, read},
    ticket::Permit,
};

/// Where a pass over the whole store stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cursor {
    stage: Stage,
    shard: u8,
    /// Everything up to this record was looked at.
    record: Option<StoreKey>,
    /// Everything before this principal was looked at, and of this one everything up to this marker.
    principal: Option<(PrincipalKey, Option<StoreKey>)>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    #[default]
    Records,
    Principals,
}

impl Cursor {
    /// The beginning of the next folder; `None` at the end of the pass.
    fn next_folder(self) -> Option<Self> {
        match (self.stage, self.shard.checked_add(1)) {
            (stage, Some(shard)) => Some(Self { stage, shard, ..Self::default() }),
            (Stage::Records, None) => Some(Self { stage: Stage::Principals, ..Self::default() }),
            (Stage::Principals, None) => None,
        }
    }
}

/// What one slice of a sweep did.
#[derive(Debug)]
pub(crate) struct Slice {
    /// Records and markers, for the budget.
    pub(crate) looked_at: usize,
    pub(crate) examined: usize,
    pub(crate) removed: usize,
    pub(crate) failed: usize,
    /// Where to go on; `None` at the end of the pass.
    pub(crate) next: Option<Cursor>,
}

impl Slice {
    const fn then(next: Option<Cursor>) -> Self {
        Self { looked_at: 0, examined: 0, removed: 0, failed: 0, next }
    }

    /// The folder cannot be read; the others may be.
    fn with_failure(mut self) -> Self {
        self.failed += 1;
        self
    }
}

impl Records {
    /// The right to sweep, which one process at a time has.
    pub(crate) fn elect_sweeper(&self) -> Result<Option<Lock>, StoreError> {
        let disk = self.disk()?;
        open_or_make(&*disk, &Place::Locks)
            .and_then(|_| disk.try_lock(&sweep_lock_name()))
            .map_err(unavailable("lock the sweep"))
    }

    /// Looks at no more than `limit` records of the folder where the cursor stands, and ends early when half of the time
    /// is over, so that even a slow disk lets a sweep go on.
    pub(crate) fn sweep_slice(
        &self,
        cursor: Cursor,
        request: &SweepRequest,
        limit: usize,
        permit: &dyn Permit,
    ) -> Result<Slice, StoreError> {
        let now = Instant::now();
        let until = now + permit.deadline().saturating_duration_since(now) / 2;
        let work = Work { records: self, disk: &*self.disk()?, until, permit };
        match cursor.stage {
            Stage::Records => work.sweep_records(cursor, request, limit),
            Stage::Principals => work.sweep_markers(cursor, limit),
        }
    }
}

struct Work<'a> {
    records: &'a Records,
    disk: &'a dyn Disk,
    until: Instant,
    permit: &'a dyn Permit,
}

impl Work<'_> {
    fn sweep_records(
        &self,
        cursor: Cursor,
        request: &SweepRequest,
        limit: usize,
    ) -> Result<Slice, StoreError> {
        let mut slice = Slice::then(cursor.next_folder());
        let folder = match open_if_there(self.disk, &Place::Shard(cursor.shard)) {
            Ok(Some(folder)) => folder,
            Ok(None) => return Ok(slice),
            Err(_) => return Ok(slice.with_failure()),
        };
        let Ok(Listing { mut keys, temporaries, foreign }) = list(&*folder, &cursor) else {
            return Ok(slice.with_failure());
        };
        if cursor.record.is_none() {
            self.records.counters.foreign_seen.add(foreign);
            self.remove_orphans(&*folder, cursor.shard, &temporaries)?;
        }
        let is_whole = keys.len() <= limit;
        keys.truncate(limit);

        for chunk in keys.chunks(CHUNK) {
            let mut candidates = Vec::new();
            for key in chunk {
                match folder.status(&record_name(key)) {
                    Ok(Status::File { modified }) if modified < request.expired_before => {
                        candidates.push(*key)
                    }
                    Ok(Status::File { .. } | Status::Absent) => {}
                    Ok(Status::Folder | Status::Other) | Err(_) => slice.failed += 1,
                }
            }
            slice.examined += chunk.len();
            slice.looked_at += chunk.len();
            self.remove_expired(&*folder, &candidates, request, &mut slice)?;
            let is_last = chunk.last() == keys.last();
            if (is_last && !is_whole) || (!is_last && Instant::now() >= self.until) {
                slice.next = Some(Cursor { record: chunk.last().copied(), ..cursor });
                break;
            }
        }
        if slice.removed > 0 {
            self.records.sync(&*folder)?;
        }
        Ok(slice)
    }

    /// Deletes those of the candidates that the header says are expired.
    fn remove_expired(
        &self,
        folder: &dyn Folder,
        candidates: &[StoreKey],
        request: &SweepRequest,
        slice: &mut Slice,
    ) -> Result<(), StoreError> {
        let Some(first) = candidates.first() else { return Ok(()) };
        let _lock = self.records.lock(self.disk, shard_of(first), self.permit)?;
        for key in candidates {
            self.records.counters.swept_opened.add(1);
            let found = match read(folder, key) {
                Ok(found) => found,
                Err(_) => {
                    slice.failed += 1;
                    continue;
                }
            };
            match found {
                Found::Nothing => {}
                Found::Intact(header, _) if !request.covers(header.expires_at) => {}
                Found::Intact(header, _) => match folder.remove(&record_name(key)) {
                    Ok(removed) => {
                        slice.removed += usize::from(removed);
                        self.records.unmark(self.disk, header.principal, key);
                    }
                    Err(_) => slice.failed += 1,
                },
                Found::Unusable(error) => {
                    slice.failed += 1;
                    self.records.set_aside(self.disk, key, error);
                }
            }
        }
        Ok(())
    }

    /// Whoever makes a temporary file holds the lock of the shard until it is renamed or deleted, so under the lock
    /// every one that was there before is of a process that is dead.
    fn remove_orphans(
        &self,
        folder: &dyn Folder,
        shard: u8,
        temporaries: &[RelPath],
    ) -> Result<(), StoreError> {
        if temporaries.is_empty() {
            return Ok(());
        }
        let _lock = self.records.lock(self.disk, shard, self.permit)?;
        for temporary in temporaries {
            let removed = folder.remove(temporary).unwrap_or(false);
            self.records.counters.orphans_removed.add(u64::from(removed));
        }
        Ok(())
    }

    /// Deletes the markers whose record is gone.
    fn sweep_markers(&self, cursor: Cursor, limit: usize) -> Result<Slice, StoreError> {
        let mut slice = Slice::then(cursor.next_folder());
        let shard = Place::PrincipalShard(cursor.shard);
        let mut principals = Vec::new();
        let listed = open_if_there(self.disk, &shard).and_then(|folder| {
            let Some(folder) = folder else { return Ok(()) };
            let listed = folder.list(&mut |name| match parse_principal(cursor.shard, name) {
                Some(principal) => principals.push(principal),
                None => self.records.counters.foreign_seen.add(1),
            });
            listed.map_err(unavailable("list a folder"))
        });
        if listed.is_err() {
            return Ok(slice.with_failure());
        }
        principals.sort_unstable();

        let (first, mut after) = cursor.principal.map_or((None, None), |(first, after)| (Some(first), after));
        for principal in
            principals.into_iter().filter(|principal| first.is_none_or(|first| *principal >= first))
        {
            if first != Some(principal) {
                after = None;
            }
            loop {
                if slice.looked_at >= limit || (slice.looked_at > 0 && Instant::now() >= self.until) {
                    slice.next = Some(Cursor { principal: Some((principal, after)), ..cursor });
                    return Ok(slice);
                }
                let place = Place::Principal(principal);
                let folder = match open_if_there(self.disk, &place) {
                    Ok(Some(folder)) => folder,
                    Ok(None) => break,
                    Err(_) => {
                        slice.failed += 1;
                        break;
                    }
                };
                let markers = list_markers(&*folder, after.as_ref(), CHUNK.min(limit - slice.looked_at))
                    .map_err(unavailable("list a folder"))?;
                let Some(last) = markers.last() else {
                    remove_if_empty(self.disk, &place);
                    break;
                };
                slice.looked_at += markers.len();
                after = Some(*last);
                for key in &markers {
                    self.heal(principal, key)?;
                }
            }
        }
        Ok(slice)
    }

    fn heal(&self, principal: PrincipalKey, key: &StoreKey) -> Result<(), StoreError> {
        // Without the lock first: almost every marker is needed.
        if self.is_there(key)? {
            return Ok(());
        }
        let _lock = self.records.lock(self.disk, shard_of(key), self.permit)?;
        if !self.is_there(key)? {
            self.records.unmark(self.disk, Some(principal), key);
        }
        Ok(())
    }

    fn is_there(&self, key: &StoreKey) -> Result<bool, StoreError> {
        self.disk.exists(&record_path(key)).map_err(unavailable("look for a file"))
    }
}

struct Listing {
    /// The records behind the cursor, in ascending order.
    keys: Vec<StoreKey>,
    temporaries: Vec<RelPath>,
    foreign: u64,
}

fn list(folder: &dyn Folder, cursor: &Cursor) -> Result<Listing, StoreError> {
    let mut listing = Listing { keys: Vec::new(), temporaries: Vec::new(), foreign: 0 };
    let listed = folder.list(&mut |name| match ShardEntry::parse(cursor.shard, name) {
        ShardEntry::Record(key) if cursor.record.is_none_or(|after| key > after) => listing.keys.push(key),
        ShardEntry::Record(_) => {}
        ShardEntry::Temporary(name) => listing.temporaries.push(name),
        ShardEntry::Foreign => listing.foreign += 1,
    });
    listed.map_err(unavailable("list a folder"))?;
    listing.keys.sort_unstable();
    Ok(listing)
}

/// How many records are handled under one hold of a lock, and between two looks at the clock: about a millisecond.
const CHUNK: usize = 32;

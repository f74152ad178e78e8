//! Reading, writing and removing one record, on a thread that may wait.
//!
//! Every change is made under the lock of the record's shard, which excludes every other change of it in every process:
//! what is there is read, compared with what is expected, and then replaced in one step. Reads take no lock; they find
//! the old file or the new one.

use std::{
    io::{self, ErrorKind},
    time::Duration,
};

use bytes::Bytes;
use session_core::{
    Clock, Entry, Expect, Removed, StoreError, StoreErrorKind, StoreKey, Stored, Version, Written,
};

use crate::{
    disk::{Cached, Content, Disk, Folder, Lock, Staging},
    durability::Durability,
    failure::{STORE, corrupt, indeterminate, refused, timed_out, unavailable},
    layout::{Place, lock_name, record_name, record_path, shard_of, temporary_name},
    record::{self, Header, MAX_PAYLOAD, RecordError, file_len},
    stats::Counters,
    sync::{Arc, PoisonError, RwLock, thread},
    ticket::Permit,
};

/// Everything that a thread of the pool needs.
#[derive(Debug)]
pub(crate) struct Records {
    /// `None` after the environment was dropped.
    pub(crate) disk: RwLock<Option<Arc<dyn Disk>>>,
    pub(crate) durability: Durability,
    pub(crate) clock: Box<dyn Clock>,
    pub(crate) counters: Counters,
}

impl Records {
    /// The record, if the page cache has it: `None` when only [`load`](Self::load) can tell.
    pub(crate) fn load_cached(&self, key: &StoreKey) -> Option<Option<Stored>> {
        let disk = self.disk.read().unwrap_or_else(PoisonError::into_inner);
        let mut buffer = [0; CACHED_READ];
        let large;
        let file = match disk.as_ref()?.read_cached(&record_path(key), &mut buffer) {
            Cached::Small(file) => Some(file),
            Cached::Large(file) => {
                large = file;
                Some(large.as_slice())
            }
            Cached::Absent => None,
            Cached::Unsure => return None,
        };
        let stored = match file {
            None => None,
            Some(file) => {
                let (header, payload) = record::decode(key, file).ok()?;
                Some(Stored::new(Bytes::copy_from_slice(payload), header.expires_at, header.version))
            }
        };
        self.counters.cached_loads.add(1);
        Some(stored)
    }

    pub(crate) fn load(&self, key: &StoreKey, permit: &dyn Permit) -> Result<Option<Stored>, StoreError> {
        self.counters.waiting_loads.add(1);
        let disk = self.disk()?;
        let Some(folder) = open_if_there(&*disk, &Place::of(key))? else { return Ok(None) };
        let mut found = read(&*folder, key)?;
        if matches!(found, Found::Unusable(error) if error.is_damage()) {
            // Under the lock it is certain that nobody has replaced it meanwhile.
            let _lock = self.lock(&*disk, shard_of(key), permit)?;
            found = read(&*folder, key)?;
            if let Found::Unusable(error) = found {
                self.set_aside(&*disk, key, error);
            }
        }
        match found {
            Found::Nothing => Ok(None),
            Found::Intact(header, payload) => {
                Ok(Some(Stored::new(payload, header.expires_at, header.version)))
            }
            Found::Unusable(error) => Err(corrupt(error)),
        }
    }

    pub(crate) fn write(
        &self,
        key: &StoreKey,
        entry: &Entry,
        expect: Expect,
        permit: &dyn Permit,
    ) -> Result<Written, StoreError> {
        if entry.bytes.len() > MAX_PAYLOAD {
            return Err(StoreError::new(StoreErrorKind::Full, STORE));
        }
        let nonce = nonce().map_err(unavailable("draw a random number"))?;
        let version = Version::new(nonce);
        let content = record::encode(key, version, entry);

        let disk = self.disk()?;
        let lock = self.lock(&*disk, shard_of(key), permit)?;
        let folder = open_or_make(&*disk, &Place::of(key)).map_err(unavailable("open a folder"))?;
        let current = match read(&*folder, key)? {
            Found::Nothing => None,
            Found::Intact(header, _) => Some(header),
            Found::Unusable(error) => {
                self.set_aside(&*disk, key, error);
                return Err(corrupt(error));
            }
        };
        if !self.meets(current.as_ref(), expect) {
            return Ok(Written::Conflict);
        }
        let replace = current.is_some();
        let (before, after) = (current.and_then(|header| header.principal), entry.principal);

        // Before the record can be seen, so that no record is ever missing in the list of its principal.
        let new_marker = match after {
            Some(principal) => self.mark(&*disk, &principal, key, before == after)?,
            None => false,
        };
        let staging = Staging {
            bytes: &content,
            modified: record::modification_time(entry.expires_at),
            sync: self.durability.syncs_file(),
            replace,
        };
        let staged = folder.stage(&temporary_name(key, nonce), staging).map_err(unavailable("write a file"));
        let published = staged.and_then(|staged| {
            if permit.commit() {
                folder.publish(staged, &record_name(key), replace).map_err(refused("name a file"))
            } else {
                folder.discard(staged);
                Err(timed_out())
            }
        });
        match published {
            Ok(true) if before == after => drop(lock),
            Ok(true) => {
                // The old marker must not vanish before the old record has, not even in a power cut.
                self.sync(&*folder)?;
                self.unmark(&*disk, before, key);
                return Ok(Written::Stored(version));
            }
            failed => {
                let unsure =
                    failed.as_ref().is_err_and(|error| error.kind() == StoreErrorKind::Indeterminate);
                if new_marker && !unsure {
                    self.unmark(&*disk, after, key);
                }
                return failed.map(|_| Written::Conflict);
            }
        }
        self.sync(&*folder)?;
        Ok(Written::Stored(version))
    }

    pub(crate) fn remove(
        &self,
        key: &StoreKey,
        expect: Option<Version>,
        permit: &dyn Permit,
    ) -> Result<Removed, StoreError> {
        let disk = self.disk()?;
        let lock = self.lock(&*disk, shard_of(key), permit)?;
        let Some(folder) = open_if_there(&*disk, &Place::of(key))? else { return Ok(Removed::Gone) };
        let found = read(&*folder, key)?;
        let mut principal = None;
        match (&found, expect) {
            (Found::Nothing, _) => {}
            (Found::Intact(header, _), Some(expected)) if header.version != expected => {
                return Ok(Removed::Conflict);
            }
            (Found::Intact(header, _), _) => principal = header.principal,
            // Whatever it is, it is not the expected version, and whether that was there before, nobody can tell.
            (Found::Unusable(error), Some(_)) => {
                self.set_aside(&*disk, key, *error);
                return Err(corrupt(*error));
            }
            (Found::Unusable(RecordError::NotAFile), None) => return Err(corrupt(RecordError::NotAFile)),
            // A logout ends a session also when this version of the crate cannot read it.
            (Found::Unusable(error), None) => self.set_aside(&*disk, key, *error),
        }
        if !matches!(found, Found::Nothing) {
            if !permit.commit() {
                return Err(timed_out());
            }
            folder.remove(&record_name(key)).map_err(refused("delete a file"))?;
        }
        // The marker must not vanish before the record has, not even in a power cut.
        let _lock_of_marker = principal.is_some().then_some(lock);
        // Also when it was gone already: whoever deleted it may not have got to the sync.
        self.sync(&*folder)?;
        self.unmark(&*disk, principal, key);
        Ok(Removed::Gone)
    }

    pub(crate) fn disk(&self) -> Result<Arc<dyn Disk>, StoreError> {
        let disk = self.disk.read().unwrap_or_else(PoisonError::into_inner);
        disk.clone().ok_or_else(|| unavailable("find the folder")(ErrorKind::NotFound.into()))
    }

    /// Waits for the lock of a shard for as long as somebody waits for the answer.
    ///
    /// By asking again and again, because a wait in the kernel cannot be ended: a process that is stopped while it holds
    /// the lock would keep a thread of ours for as long.
    pub(crate) fn lock(&self, disk: &dyn Disk, shard: u8, permit: &dyn Permit) -> Result<Lock, StoreError> {
        let mut pause = FIRST_PAUSE;
        loop {
            if let Some(lock) = try_lock(disk, shard).map_err(unavailable("lock a folder"))? {
                return Ok(lock);
            }
            if !permit.is_wanted() {
                return Err(timed_out());
            }
            thread::sleep(pause);
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    pub(crate) fn sync(&self, folder: &dyn Folder) -> Result<(), StoreError> {
        if self.durability.syncs_folder() {
            folder.sync().map_err(indeterminate("sync a folder"))?;
        }
        Ok(())
    }

    fn meets(&self, current: Option<&Header>, expect: Expect) -> bool {
        match expect {
            Expect::Absent => current.is_none_or(|header| header.expires_at <= self.clock.now()),
            Expect::Version(version) => current.is_some_and(|header| header.version == version),
        }
    }
}

/// What lies under the name of a record.
pub(crate) enum Found {
    Nothing,
    /// A record, and its payload.
    Intact(Header, Bytes),
    Unusable(RecordError),
}

pub(crate) fn read(folder: &dyn Folder, key: &StoreKey) -> Result<Found, StoreError> {
    let content =
        folder.read(&record_name(key), file_len(MAX_PAYLOAD)).map_err(unavailable("read a file"))?;
    Ok(match content {
        Content::Absent => Found::Nothing,
        Content::NotAFile => Found::Unusable(RecordError::NotAFile),
        Content::TooLarge => Found::Unusable(RecordError::Damaged("it is too large")),
        Content::Bytes(file) => match record::decode(key, &file) {
            Ok((header, _)) => Found::Intact(header, record::payload(file)),
            Err(error) => Found::Unusable(error),
        },
    })
}

/// Opens a folder, and makes it again if somebody has deleted it.
pub(crate) fn open_or_make(disk: &dyn Disk, place: &Place) -> io::Result<Box<dyn Folder>> {
    match (disk.folder(place), place.parent()) {
        (Err(error), Some((parent, name))) if error.kind() == ErrorKind::NotFound => {
            let parent = open_or_make(disk, &parent)?;
            parent.make_folder(&name)?;
            parent.sync()?;
            disk.folder(place)
        }
        (opened, _) => opened,
    }
}

/// Opens a folder; nothing is in one that does not exist.
pub(crate) fn open_if_there(disk: &dyn Disk, place: &Place) -> Result<Option<Box<dyn Folder>>, StoreError> {
    match disk.folder(place) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        opened => opened.map(Some).map_err(unavailable("open a folder")),
    }
}

fn try_lock(disk: &dyn Disk, shard: u8) -> io::Result<Option<Lock>> {
    match disk.try_lock(&lock_name(shard)) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            open_or_make(disk, &Place::Locks)?;
            disk.try_lock(&lock_name(shard))
        }
        locked => locked,
    }
}

/// 64 random bits: the version of a record, so that no two of a key are ever alike, not even before and after a
/// removal, a restored backup or a clock set back; and part of the names of temporary files.
pub(crate) fn nonce() -> io::Result<u64> {
    getrandom::u64().map_err(|error| io::Error::other(error.to_string()))
}

/// Most records are smaller, and need no second look at their size.
const CACHED_READ: usize = 4 << 10;
const FIRST_PAUSE: Duration = Duration::from_micros(50);
const LONGEST_PAUSE: Duration = Duration::from_millis(2);

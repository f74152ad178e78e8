//! Making, checking and removing the folders.

use std::{
    error::Error,
    fmt,
    io::{self, ErrorKind},
    time::Instant,
};

use session_core::StoreError;

use crate::{
    disk::Disk,
    failure::{STORE, unavailable},
    layout::{
        Place, RelPath, ShardEntry, lock_names, parse_marker, parse_principal, parse_quarantined, record_name,
    },
    records::Records,
    root::{Part, Root},
    sync::PoisonError,
    ticket::Permit,
};

impl Records {
    /// Opens the root anew, after making it if it is missing.
    pub(crate) fn create_root(&self, root: &Root) -> Result<(), StoreError> {
        let disk = root.create().map_err(StoreError::unavailable(STORE))?;
        *self.disk.write().unwrap_or_else(PoisonError::into_inner) = Some(disk);
        Ok(())
    }

    pub(crate) fn create_part(&self, part: &Part) -> Result<(), StoreError> {
        part.make(&*self.disk()?, self.durability).map_err(unavailable("make a folder or a lock"))
    }

    /// Every folder and lock that is missing or unusable.
    pub(crate) fn check_environment(&self, root: &Root) -> Result<(), Vec<StoreError>> {
        root.open().map_err(|error| vec![StoreError::unavailable(STORE)(error)])?;
        // The folder that the store holds open, which is not the one at the path if that was replaced.
        let disk = self.disk().map_err(|error| vec![error])?;
        let mut problems = Vec::new();
        for place in Place::permanent() {
            let folder = disk.folder(&place).and_then(|folder| folder.list(&mut |_| ()));
            problems.extend(folder.err().map(|error| problem(&place.path(), error)));
        }
        for name in lock_names() {
            let path = Place::Locks.join(&name);
            let missing = match disk.exists(&path) {
                Ok(true) => None,
                Ok(false) => Some(ErrorKind::NotFound.into()),
                Err(error) => Some(error),
            };
            problems.extend(missing.map(|error| problem(&path, error)));
        }
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }

    /// Deletes what is the store's own in one folder, and then the folder. `false` if the time was not enough.
    pub(crate) fn drop_folder(&self, place: &Place, permit: &dyn Permit) -> Result<bool, StoreError> {
        let disk = self.disk()?;
        let now = Instant::now();
        let until = now + permit.deadline().saturating_duration_since(now) / 2;
        let _lock = match place {
            Place::Shard(shard) => Some(self.lock(&*disk, *shard, permit)?),
            _ => None,
        };
        empty_and_remove(&*disk, place, until).map_err(|error| problem(&place.path(), error))
    }

    /// Deletes the locks and the root, after everything else.
    pub(crate) fn drop_root(&self, root: &Root) -> Result<(), StoreError> {
        let disk = self.disk()?;
        let removed = remove_all(&*disk, &Place::Locks, lock_names())
            .and_then(|()| remove_folder(&*disk, &Place::Locks));
        removed.map_err(|error| problem(&Place::Locks.path(), error))?;
        root.remove().map_err(|error| problem(&Place::Root.path(), error))?;
        *self.disk.write().unwrap_or_else(PoisonError::into_inner) = None;
        Ok(())
    }
}

/// What is dropped before the root, one after the other.
pub(crate) fn droppable() -> impl Iterator<Item = Place> {
    Place::all().filter(|place| *place != Place::Locks)
}

fn empty_and_remove(disk: &dyn Disk, place: &Place, until: Instant) -> io::Result<bool> {
    let folder = match disk.folder(place) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(true),
        opened => opened?,
    };
    let mut own = Vec::new();
    let mut principals = Vec::new();
    folder.list(&mut |name| match place {
        Place::Shard(shard) => match ShardEntry::parse(*shard, name) {
            ShardEntry::Record(key) => own.push(record_name(&key)),
            ShardEntry::Temporary(name) => own.push(name),
            ShardEntry::Foreign => {}
        },
        Place::Quarantine => own.extend(parse_quarantined(name)),
        Place::PrincipalShard(shard) => {
            principals.extend(parse_principal(*shard, name).map(Place::Principal))
        }
        Place::Principal(_) => own.extend(parse_marker(name).map(|key| crate::layout::marker_name(&key))),
        Place::Root | Place::Locks | Place::Principals => {}
    })?;
    for name in own {
        if Instant::now() >= until {
            return Ok(false);
        }
        folder.remove(&name)?;
    }
    for principal in principals {
        if !empty_and_remove(disk, &principal, until)? {
            return Ok(false);
        }
    }
    remove_folder(disk, place)?;
    Ok(true)
}

fn remove_folder(disk: &dyn Disk, place: &Place) -> io::Result<()> {
    let Some((parent, name)) = place.parent() else { return Ok(()) };
    match disk.folder(&parent).and_then(|parent| parent.remove_folder(&name)) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

fn remove_all(disk: &dyn Disk, place: &Place, names: impl Iterator<Item = RelPath>) -> io::Result<()> {
    let folder = disk.folder(place)?;
    for name in names {
        folder.remove(&name)?;
    }
    Ok(())
}

fn problem(path: &RelPath, source: io::Error) -> StoreError {
    StoreError::unavailable(STORE)(Problem { path: *path, source })
}

/// What is wrong with one part of the environment.
#[derive(Debug)]
struct Problem {
    path: RelPath,
    source: io::Error,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.as_str();
        match self.source.kind() {
            ErrorKind::NotFound => write!(f, "{path} is missing"),
            ErrorKind::DirectoryNotEmpty => write!(f, "{path} holds something that is not the store's"),
            _ => write!(f, "{path} is unusable"),
        }
    }
}

impl Error for Problem {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.source)
    }
}

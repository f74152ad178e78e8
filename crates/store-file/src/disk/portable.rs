//! The disk as the standard library offers it: for macOS and Windows, and for their sake also tested on Linux.
//!
//! The same protocol with the same files as on Linux, so that processes of both kinds may share a folder. What it
//! lacks: reads that refuse to wait (every read goes through the pool), files that are nameless until complete (a
//! crash may leave a temporary one for the next sweep) and, on Windows, durable names.

use std::{
    fs::{self, File, FileTimes, OpenOptions, TryLockError},
    io::{self, ErrorKind, Read, Write},
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

use super::{Cached, Content, Disk, Folder, Lock, Staged, Staging, Status};
use crate::layout::{Place, RelPath};

/// A root folder, used by its absolute path.
#[derive(Debug)]
pub(crate) struct PortableDisk {
    root: PathBuf,
}

impl PortableDisk {
    pub(crate) fn new(root: PathBuf) -> Self {
        Self { root }
    }

    fn open(&self, place: &Place) -> io::Result<PortableFolder> {
        let path = match place.parent() {
            None => self.root.clone(),
            Some((parent, name)) => self.open(&parent)?.0.join(name.as_path()),
        };
        if fs::symlink_metadata(&path)?.is_dir() {
            Ok(PortableFolder(path))
        } else {
            Err(ErrorKind::NotADirectory.into())
        }
    }
}

impl Disk for PortableDisk {
    fn folder(&self, place: &Place) -> io::Result<Box<dyn Folder>> {
        Ok(Box::new(self.open(place)?))
    }

    fn read_cached<'b>(&self, _path: &RelPath, _buffer: &'b mut [u8]) -> Cached<'b> {
        Cached::Unsure
    }

    fn exists(&self, path: &RelPath) -> io::Result<bool> {
        match fs::symlink_metadata(self.root.join(path.as_path())) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn try_lock(&self, name: &RelPath) -> io::Result<Option<Lock>> {
        let locks = self.open(&Place::Locks)?;
        if !matches!(locks.status(name)?, Status::File { .. } | Status::Absent) {
            return Err(ErrorKind::InvalidInput.into());
        }
        let path = locks.path(name);
        let file =
            private(OpenOptions::new().read(true).write(true).create(true).truncate(false)).open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Lock { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    fn rename(&self, from: (&Place, &RelPath), to: (&Place, &RelPath)) -> io::Result<()> {
        let (source, target) = (self.open(from.0)?, self.open(to.0)?);
        fs::rename(source.path(from.1), target.path(to.1))
    }
}

#[derive(Debug)]
struct PortableFolder(PathBuf);

impl PortableFolder {
    fn path(&self, name: &RelPath) -> PathBuf {
        self.0.join(name.as_path())
    }
}

impl Folder for PortableFolder {
    fn read(&self, name: &RelPath, limit: usize) -> io::Result<Content> {
        match self.status(name)? {
            Status::File { .. } => {}
            Status::Absent => return Ok(Content::Absent),
            Status::Folder | Status::Other => return Ok(Content::NotAFile),
        }
        let file = match File::open(self.path(name)) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Content::Absent),
            Err(error) => return Err(error),
        };
        let size = match usize::try_from(file.metadata()?.len()) {
            Ok(size) if size <= limit => size,
            _ => return Ok(Content::TooLarge),
        };
        let mut bytes = Vec::with_capacity(size);
        file.take(limit as u64).read_to_end(&mut bytes)?;
        Ok(Content::Bytes(bytes))
    }

    fn stage(&self, temporary: &RelPath, staging: Staging<'_>) -> io::Result<Staged> {
        let path = self.path(temporary);
        let file = private(OpenOptions::new().write(true).create_new(true)).open(&path)?;
        match fill(file, staging) {
            Ok(()) => Ok(Staged { file: None, temporary: Some(*temporary) }),
            Err(error) => {
                fs::remove_file(path)?;
                Err(error)
            }
        }
    }

    fn publish(&self, staged: Staged, name: &RelPath, replace: bool) -> io::Result<bool> {
        let Some(temporary) = &staged.temporary else { return Err(ErrorKind::NotFound.into()) };
        let (from, to) = (self.path(temporary), self.path(name));
        let published = if replace { fs::rename(from, to) } else { fs::hard_link(from, to) };
        if !(replace && published.is_ok()) {
            self.discard(staged);
        }
        match published {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::AlreadyExists && !replace => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn discard(&self, staged: Staged) {
        if let Some(temporary) = &staged.temporary {
            // What cannot be deleted now is deleted by the next sweep.
            let _ = self.remove(temporary);
        }
    }

    fn remove(&self, name: &RelPath) -> io::Result<bool> {
        match fs::remove_file(self.path(name)) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn status(&self, name: &RelPath) -> io::Result<Status> {
        let metadata = match fs::symlink_metadata(self.path(name)) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Status::Absent),
            Err(error) => return Err(error),
        };
        Ok(if metadata.is_file() {
            Status::File { modified: metadata.modified()?.max(UNIX_EPOCH) }
        } else if metadata.is_dir() {
            Status::Folder
        } else {
            Status::Other
        })
    }

    fn touch(&self, name: &RelPath) -> io::Result<bool> {
        match private(OpenOptions::new().write(true).create_new(true)).open(self.path(name)) {
            Ok(file) => make_private(&file).map(|()| true),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn make_folder(&self, name: &RelPath) -> io::Result<bool> {
        make_private_folder(&self.path(name))
    }

    fn remove_folder(&self, name: &RelPath) -> io::Result<()> {
        fs::remove_dir(self.path(name))
    }

    fn list(&self, each: &mut dyn FnMut(&[u8])) -> io::Result<()> {
        for entry in fs::read_dir(&self.0)? {
            each(entry?.file_name().as_encoded_bytes());
        }
        Ok(())
    }

    #[cfg(unix)]
    fn sync(&self) -> io::Result<()> {
        File::open(&self.0)?.sync_all()
    }

    /// Windows has no way to sync a folder without special rights.
    #[cfg(not(unix))]
    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}

/// Makes a folder that nobody else can enter, whatever the umask; `false` if it is there already.
pub(crate) fn make_private_folder(path: &Path) -> io::Result<bool> {
    match fs::create_dir(path) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(false),
        Err(error) => return Err(error),
    }
    #[cfg(unix)]
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
    Ok(true)
}

fn fill(mut file: File, staging: Staging<'_>) -> io::Result<()> {
    make_private(&file)?;
    file.write_all(staging.bytes)?;
    file.set_times(FileTimes::new().set_modified(staging.modified))?;
    if staging.sync {
        file.sync_all()?;
    }
    Ok(())
}

#[cfg(unix)]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600)
}

#[cfg(not(unix))]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

#[cfg(unix)]
fn make_private(file: &File) -> io::Result<()> {
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))
}

/// Files inherit the access list of the folder they are made in.
#[cfg(not(unix))]
fn make_private(_file: &File) -> io::Result<()> {
    Ok(())
}

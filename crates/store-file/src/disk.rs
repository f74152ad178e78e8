//! The operations on files that the store is made of, so that it can be built from two sets of them.

#[cfg(target_os = "linux")]
mod linux;
mod portable;

use std::{fmt, fs::File, io, time::SystemTime};

#[cfg(target_os = "linux")]
pub(crate) use linux::LinuxDisk;
pub(crate) use portable::{PortableDisk, make_private_folder};

use crate::layout::{Place, RelPath};

/// A root folder.
pub(crate) trait Disk: fmt::Debug + Send + Sync + 'static {
    /// Opens a folder, refusing links. An error of the kind `NotFound` if it is missing.
    fn folder(&self, place: &Place) -> io::Result<Box<dyn Folder>>;

    /// Reads a file if, and only if, that needs no waiting for a disk.
    fn read_cached<'b>(&self, path: &RelPath, buffer: &'b mut [u8]) -> Cached<'b>;

    /// Whether anything is there. Follows no link at its end.
    fn exists(&self, path: &RelPath) -> io::Result<bool>;

    /// Takes the lock of this name in [`Place::Locks`] if nobody has it, in this or any other process. The lock is
    /// released when it is dropped, also by the death of the process.
    fn try_lock(&self, name: &RelPath) -> io::Result<Option<Lock>>;

    /// Moves a file to another folder.
    fn rename(&self, from: (&Place, &RelPath), to: (&Place, &RelPath)) -> io::Result<()>;
}

/// An open folder. Names are single: nothing here walks a path.
pub(crate) trait Folder {
    /// Reads a file of at most `limit` bytes, without waiting on a pipe or following a link.
    fn read(&self, name: &RelPath, limit: usize) -> io::Result<Content>;

    /// Makes a new file that no one sees yet. Whatever fails, nothing is left of it.
    fn stage(&self, temporary: &RelPath, staging: Staging<'_>) -> io::Result<Staged>;

    /// Gives a staged file its name, over what is there if `replace`; `false` if something is there and it is not to
    /// be replaced. Whatever fails, nothing is left of the staged file.
    fn publish(&self, staged: Staged, name: &RelPath, replace: bool) -> io::Result<bool>;

    /// Deletes a staged file.
    fn discard(&self, staged: Staged);

    /// Deletes a file; `false` if it is not there.
    fn remove(&self, name: &RelPath) -> io::Result<bool>;

    /// What is there, without opening it.
    fn status(&self, name: &RelPath) -> io::Result<Status>;

    /// Makes an empty file; `false` if it is there already.
    fn touch(&self, name: &RelPath) -> io::Result<bool>;

    /// Makes a folder; `false` if it is there already.
    fn make_folder(&self, name: &RelPath) -> io::Result<bool>;

    /// Deletes an empty folder.
    fn remove_folder(&self, name: &RelPath) -> io::Result<()>;

    /// Calls `each` with every name but `.` and `..`, in any order.
    fn list(&self, each: &mut dyn FnMut(&[u8])) -> io::Result<()>;

    /// Makes the names in this folder durable.
    fn sync(&self) -> io::Result<()>;
}

/// What a read that may not wait found.
#[derive(Debug)]
#[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "elsewhere every read may have to wait"))]
pub(crate) enum Cached<'b> {
    /// The whole file, in the buffer that was handed in.
    Small(&'b [u8]),
    /// The whole file, larger than the buffer or not to be read into it.
    Large(Vec<u8>),
    Absent,
    /// Only a read that may wait can tell.
    Unsure,
}

/// What a read that may wait found.
#[derive(Debug)]
pub(crate) enum Content {
    Bytes(Vec<u8>),
    Absent,
    NotAFile,
    TooLarge,
}

/// What lies under a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    File { modified: SystemTime },
    Folder,
    Other,
    Absent,
}

/// A file to make.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Staging<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) modified: SystemTime,
    /// Whether the content is to be durable before the file gets its name.
    pub(crate) sync: bool,
    /// Whether it will replace another.
    pub(crate) replace: bool,
}

/// A file that has not got its name yet.
#[derive(Debug)]
pub(crate) struct Staged {
    /// Kept open where the file has no name at all.
    file: Option<File>,
    /// Its temporary name, if it has one.
    temporary: Option<RelPath>,
}

/// A lock that is held until dropped.
#[derive(Debug)]
#[must_use]
pub(crate) struct Lock {
    _file: File,
}

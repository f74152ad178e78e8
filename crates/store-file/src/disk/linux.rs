//! The disk as Linux offers it: everything relative to open folders, no link ever followed, files that are nameless
//! until they are complete, and reads that refuse to wait.

use std::{
    fs::{File, FileTimes},
    io::{self, IoSliceMut, Read, Write},
    mem::MaybeUninit,
    os::fd::{AsRawFd, OwnedFd},
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, UNIX_EPOCH},
};

use rustix::{
    fs::{self, AtFlags, FileType, FlockOperation, Mode, OFlags, RawDir, ResolveFlags, SeekFrom},
    io::{Errno, ReadWriteFlags, retry_on_intr},
};

use super::{Cached, Content, Disk, Folder, Lock, Staged, Staging, Status};
use crate::{
    layout::{Place, RelPath},
    record::{MAX_PAYLOAD, file_len},
};

/// A root folder that was opened once and is used for as long as the store lives, whatever happens to its path.
#[derive(Debug)]
pub(crate) struct LinuxDisk {
    root: OwnedFd,
    cached_reads: ReadWriteFlags,
    /// Whether the kernel or the file system cannot tell a read that would wait.
    no_cached_reads: AtomicBool,
    /// Whether a file can be made without a name and named later.
    nameless: bool,
}

impl LinuxDisk {
    pub(crate) fn new(root: File) -> io::Result<Self> {
        let root = OwnedFd::from(root);
        // A file in memory never waits, and tmpfs does not know the flag.
        let in_memory = fs::fstatfs(&root)?.f_type == TMPFS_MAGIC;
        let cached_reads = if in_memory { ReadWriteFlags::empty() } else { ReadWriteFlags::NOWAIT };
        let nameless = can_name_later(&root);
        Ok(Self { root, cached_reads, no_cached_reads: AtomicBool::new(false), nameless })
    }

    fn open(&self, place: &Place) -> io::Result<LinuxFolder> {
        let fd = match self.open_beneath(&place.path(), FOLDER, ResolveFlags::empty()) {
            // Before Linux 5.6, or under a filter of system calls: one name after the other.
            Err(Errno::NOSYS | Errno::PERM) => match place.parent() {
                None => fs::openat(&self.root, c".", FOLDER, Mode::empty())?,
                Some((parent, name)) => fs::openat(
                    self.open(&parent)?.fd,
                    name.as_c_str(),
                    FOLDER | OFlags::NOFOLLOW,
                    Mode::empty(),
                )?,
            },
            opened => opened?,
        };
        Ok(LinuxFolder { fd, nameless: self.nameless })
    }

    fn open_beneath(&self, path: &RelPath, flags: OFlags, resolve: ResolveFlags) -> Result<OwnedFd, Errno> {
        let resolve =
            resolve | ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
        fs::openat2(&self.root, path.as_c_str(), flags, Mode::empty(), resolve)
    }
}

impl Disk for LinuxDisk {
    fn folder(&self, place: &Place) -> io::Result<Box<dyn Folder>> {
        Ok(Box::new(self.open(place)?))
    }

    fn read_cached<'b>(&self, path: &RelPath, buffer: &'b mut [u8]) -> Cached<'b> {
        if self.no_cached_reads.load(Ordering::Relaxed) {
            return Cached::Unsure;
        }
        // Without O_NOATIME a read may have to wait for the journal.
        let file = match self.open_beneath(path, FILE | OFlags::NOATIME, ResolveFlags::CACHED) {
            Ok(file) => file,
            Err(Errno::NOENT) => return Cached::Absent,
            Err(errno) => {
                // Before Linux 5.6, and before 5.12.
                if matches!(errno, Errno::NOSYS | Errno::INVAL) {
                    self.no_cached_reads.store(true, Ordering::Relaxed);
                }
                return Cached::Unsure;
            }
        };
        match rustix::io::preadv2(&file, &mut [IoSliceMut::new(buffer)], 0, self.cached_reads) {
            Ok(len) if len < buffer.len() => Cached::Small(&buffer[..len]),
            // Where blocks are smaller than pages, what lies behind the end of a file counts as not cached, so that only a
            // read of its exact size succeeds.
            Ok(_) | Err(Errno::AGAIN) => {
                read_exactly(&file, self.cached_reads).map_or(Cached::Unsure, Cached::Large)
            }
            Err(errno) => {
                if errno == Errno::OPNOTSUPP {
                    self.no_cached_reads.store(true, Ordering::Relaxed);
                }
                Cached::Unsure
            }
        }
    }

    fn exists(&self, path: &RelPath) -> io::Result<bool> {
        match fs::statat(&self.root, path.as_c_str(), AtFlags::SYMLINK_NOFOLLOW) {
            Ok(_) => Ok(true),
            Err(Errno::NOENT) => Ok(false),
            Err(errno) => Err(errno.into()),
        }
    }

    fn try_lock(&self, name: &RelPath) -> io::Result<Option<Lock>> {
        let locks = self.open(&Place::Locks)?;
        loop {
            let open = |flags| fs::openat(&locks.fd, name.as_c_str(), FILE | flags, PRIVATE_FILE);
            let file = match open(OFlags::RDONLY) {
                Err(Errno::NOENT) => open(OFlags::RDWR | OFlags::CREATE)?,
                opened => opened?,
            };
            match retry_on_intr(|| fs::flock(&file, FlockOperation::NonBlockingLockExclusive)) {
                Err(Errno::WOULDBLOCK) => return Ok(None),
                locked => locked?,
            }
            // A lock on a file that somebody has deleted meanwhile excludes nobody.
            if make_private(&file)?.st_nlink > 0 {
                return Ok(Some(Lock { _file: File::from(file) }));
            }
        }
    }

    fn rename(&self, from: (&Place, &RelPath), to: (&Place, &RelPath)) -> io::Result<()> {
        let (source, target) = (self.open(from.0)?, self.open(to.0)?);
        Ok(fs::renameat(&source.fd, from.1.as_c_str(), &target.fd, to.1.as_c_str())?)
    }
}

#[derive(Debug)]
struct LinuxFolder {
    fd: OwnedFd,
    nameless: bool,
}

impl Folder for LinuxFolder {
    fn read(&self, name: &RelPath, limit: usize) -> io::Result<Content> {
        let open = |flags| fs::openat(&self.fd, name.as_c_str(), flags, Mode::empty());
        let opened = match open(FILE | OFlags::NOATIME) {
            Err(Errno::PERM) => open(FILE),
            opened => opened,
        };
        let file = match opened {
            Ok(file) => file,
            Err(Errno::NOENT) => return Ok(Content::Absent),
            // A link, and a socket or a device without a driver.
            Err(Errno::LOOP | Errno::NXIO | Errno::NODEV) => return Ok(Content::NotAFile),
            Err(errno) => return Err(errno.into()),
        };
        let stat = fs::fstat(&file)?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Ok(Content::NotAFile);
        }
        let size = match usize::try_from(stat.st_size) {
            Ok(size) if size <= limit => size,
            _ => return Ok(Content::TooLarge),
        };
        let mut bytes = Vec::with_capacity(size);
        File::from(file).take(limit as u64).read_to_end(&mut bytes)?;
        Ok(Content::Bytes(bytes))
    }

    fn stage(&self, temporary: &RelPath, staging: Staging<'_>) -> io::Result<Staged> {
        if self.nameless && !staging.replace {
            let file =
                fs::openat(&self.fd, c".", OFlags::TMPFILE | OFlags::WRONLY | OFlags::CLOEXEC, PRIVATE_FILE)?;
            let file = fill(file, staging)?;
            return Ok(Staged { file: Some(file), temporary: None });
        }
        let file = fs::openat(&self.fd, temporary.as_c_str(), NEW_FILE, PRIVATE_FILE)?;
        match fill(file, staging) {
            Ok(file) => Ok(Staged { file: Some(file), temporary: Some(*temporary) }),
            Err(error) => {
                self.remove(temporary)?;
                Err(error)
            }
        }
    }

    fn publish(&self, staged: Staged, name: &RelPath, replace: bool) -> io::Result<bool> {
        let published = match (&staged.temporary, &staged.file) {
            (Some(temporary), _) if replace => {
                fs::renameat(&self.fd, temporary.as_c_str(), &self.fd, name.as_c_str())
            }
            (Some(temporary), _) => {
                let (from, to) = (temporary.as_c_str(), name.as_c_str());
                fs::linkat(&self.fd, from, &self.fd, to, AtFlags::empty())
            }
            (None, Some(file)) => give_name(file, &self.fd, name),
            (None, None) => Err(Errno::BADF),
        };
        if !(replace && published.is_ok()) {
            self.discard(staged);
        }
        match published {
            Ok(()) => Ok(true),
            Err(Errno::EXIST) if !replace => Ok(false),
            Err(errno) => Err(errno.into()),
        }
    }

    fn discard(&self, staged: Staged) {
        if let Some(temporary) = &staged.temporary {
            // What cannot be deleted now is deleted by the next sweep.
            let _ = self.remove(temporary);
        }
    }

    fn remove(&self, name: &RelPath) -> io::Result<bool> {
        match fs::unlinkat(&self.fd, name.as_c_str(), AtFlags::empty()) {
            Ok(()) => Ok(true),
            Err(Errno::NOENT) => Ok(false),
            Err(errno) => Err(errno.into()),
        }
    }

    fn status(&self, name: &RelPath) -> io::Result<Status> {
        let stat = match fs::statat(&self.fd, name.as_c_str(), AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => stat,
            Err(Errno::NOENT) => return Ok(Status::Absent),
            Err(errno) => return Err(errno.into()),
        };
        Ok(match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => {
                let seconds = u64::try_from(stat.st_mtime).unwrap_or(0);
                let nanos = u32::try_from(stat.st_mtime_nsec).unwrap_or(0);
                let modified = UNIX_EPOCH.checked_add(Duration::new(seconds, nanos)).unwrap_or(UNIX_EPOCH);
                Status::File { modified }
            }
            FileType::Directory => Status::Folder,
            _ => Status::Other,
        })
    }

    fn touch(&self, name: &RelPath) -> io::Result<bool> {
        match fs::openat(&self.fd, name.as_c_str(), NEW_FILE, PRIVATE_FILE) {
            Ok(file) => make_private(&file).map(|_| true),
            Err(Errno::EXIST) => Ok(false),
            Err(errno) => Err(errno.into()),
        }
    }

    fn make_folder(&self, name: &RelPath) -> io::Result<bool> {
        match fs::mkdirat(&self.fd, name.as_c_str(), PRIVATE_FOLDER) {
            Err(Errno::EXIST) => return Ok(false),
            made => made?,
        }
        let stat = fs::statat(&self.fd, name.as_c_str(), AtFlags::SYMLINK_NOFOLLOW)?;
        if Mode::from_raw_mode(stat.st_mode) != PRIVATE_FOLDER {
            fs::chmodat(&self.fd, name.as_c_str(), PRIVATE_FOLDER, AtFlags::empty())?;
        }
        Ok(true)
    }

    fn remove_folder(&self, name: &RelPath) -> io::Result<()> {
        Ok(fs::unlinkat(&self.fd, name.as_c_str(), AtFlags::REMOVEDIR)?)
    }

    fn list(&self, each: &mut dyn FnMut(&[u8])) -> io::Result<()> {
        fs::seek(&self.fd, SeekFrom::Start(0))?;
        let mut buffer = [MaybeUninit::uninit(); 8 << 10];
        let mut entries = RawDir::new(&self.fd, &mut buffer);
        while let Some(entry) = entries.next() {
            let entry = entry?;
            let name = entry.file_name().to_bytes();
            if name != b"." && name != b".." {
                each(name);
            }
        }
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        Ok(fs::fsync(&self.fd)?)
    }
}

/// Reads a file in one go by its size; `None` if that would need waiting.
fn read_exactly(file: &OwnedFd, flags: ReadWriteFlags) -> Option<Vec<u8>> {
    let stat = fs::fstat(file).ok()?;
    let size = usize::try_from(stat.st_size).ok().filter(|size| *size <= file_len(MAX_PAYLOAD))?;
    let mut bytes = vec![0; size];
    let len = rustix::io::preadv2(file, &mut [IoSliceMut::new(&mut bytes)], 0, flags).ok()?;
    (len == size).then_some(bytes)
}

/// An error here, even at the last step, means that the file must not be used: the kernel may have dropped what it
/// could not write and would report the next sync as a success.
fn fill(file: OwnedFd, staging: Staging<'_>) -> io::Result<File> {
    make_private(&file)?;
    let mut file = File::from(file);
    file.write_all(staging.bytes)?;
    file.set_times(FileTimes::new().set_modified(staging.modified))?;
    if staging.sync {
        file.sync_all()?;
    }
    Ok(file)
}

/// Whatever the umask and the access lists of the folder made of the mode.
fn make_private(file: &OwnedFd) -> io::Result<fs::Stat> {
    let stat = fs::fstat(file)?;
    if Mode::from_raw_mode(stat.st_mode) != PRIVATE_FILE {
        fs::fchmod(file, PRIVATE_FILE)?;
    }
    Ok(stat)
}

fn give_name(file: &File, folder: &OwnedFd, name: &RelPath) -> Result<(), Errno> {
    match fs::linkat(file, c"", folder, name.as_c_str(), AtFlags::EMPTY_PATH) {
        // Needs a capability before Linux 6.10; the detour over /proc does not.
        Err(Errno::NOENT) => {
            let path = format!("/proc/self/fd/{}", file.as_raw_fd());
            fs::linkat(fs::CWD, path, folder, name.as_c_str(), AtFlags::SYMLINK_FOLLOW)
        }
        named => named,
    }
}

/// Tries to give a nameless file a name that is taken: the answer tells whether a free one would have been accepted.
fn can_name_later(root: &OwnedFd) -> bool {
    let flags = OFlags::TMPFILE | OFlags::WRONLY | OFlags::CLOEXEC;
    fs::openat(root, c".", flags, PRIVATE_FILE)
        .is_ok_and(|file| give_name(&File::from(file), root, &Place::Root.path()) == Err(Errno::EXIST))
}

const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
const FILE: OFlags = OFlags::CLOEXEC.union(OFlags::NOFOLLOW).union(OFlags::NONBLOCK).union(OFlags::NOCTTY);
const NEW_FILE: OFlags =
    OFlags::WRONLY.union(OFlags::CREATE).union(OFlags::EXCL).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
const PRIVATE_FILE: Mode = Mode::RUSR.union(Mode::WUSR);
const PRIVATE_FOLDER: Mode = Mode::RWXU;
const TMPFS_MAGIC: fs::FsWord = 0x0102_1994;

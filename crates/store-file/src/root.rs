//! The root folder: which one is accepted, and what is made in it.

use std::{
    fs::{self, DirBuilder, Metadata},
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    disk::{Disk, PortableDisk, make_private_folder},
    durability::Durability,
    layout::{Place, lock_name, sweep_lock_name},
    open_error::{OpenError, RootRule},
};

/// Which folder, and which rules are waived.
#[derive(Clone, Debug)]
pub(crate) struct Root {
    pub(crate) path: PathBuf,
    pub(crate) create: bool,
    pub(crate) portable: bool,
    pub(crate) network_file_system: bool,
    pub(crate) durability: Durability,
}

impl Root {
    /// Opens the root and makes what is missing in it.
    pub(crate) fn create(&self) -> Result<Arc<dyn Disk>, OpenError> {
        let unusable = |error| self.broken(RootRule::MustBeUsable(error));
        let path = self.path()?;
        if self.create && fs::symlink_metadata(&path).is_err() {
            make_root(&path, self.durability).map_err(unusable)?;
        }
        let disk = self.open()?;
        make_layout(&*disk, self.durability).map_err(unusable)?;
        Ok(disk)
    }

    /// Opens the root if it keeps every rule, changing nothing.
    pub(crate) fn open(&self) -> Result<Arc<dyn Disk>, OpenError> {
        let path = self.path()?;
        let metadata = fs::symlink_metadata(&path).map_err(|error| match error.kind() {
            ErrorKind::NotFound => self.broken(RootRule::MustExist),
            _ => self.broken(RootRule::MustBeUsable(error)),
        })?;
        if metadata.is_symlink() {
            return Err(self.broken(RootRule::MustNotBeALink));
        }
        self.check(&metadata)?;
        self.open_disk(path)
    }

    /// Removes the folder itself, which must be empty.
    pub(crate) fn remove(&self) -> io::Result<()> {
        let path = std::path::absolute(&self.path)?;
        fs::remove_dir(&path)?;
        sync_parent(&path, self.durability)
    }

    #[cfg(target_os = "linux")]
    fn open_disk(&self, path: PathBuf) -> Result<Arc<dyn Disk>, OpenError> {
        use std::os::unix::fs::OpenOptionsExt;

        use rustix::fs::OFlags;

        let flags = (OFlags::DIRECTORY | OFlags::NOFOLLOW).bits();
        let unusable = |error| self.broken(RootRule::MustBeUsable(error));
        let root = fs::OpenOptions::new().read(true).custom_flags(flags.cast_signed()).open(&path);
        let root = root.map_err(unusable)?;
        // Once more, now for the folder that was really opened.
        self.check(&root.metadata().map_err(unusable)?)?;
        if !self.network_file_system
            && let Some(file_system) = network_file_system(&root).map_err(unusable)?
        {
            return Err(self.broken(RootRule::MustBeLocal { file_system }));
        }
        Ok(if self.portable {
            Arc::new(PortableDisk::new(path))
        } else {
            Arc::new(crate::disk::LinuxDisk::new(root).map_err(unusable)?)
        })
    }

    #[cfg(not(target_os = "linux"))]
    fn open_disk(&self, path: PathBuf) -> Result<Arc<dyn Disk>, OpenError> {
        Ok(Arc::new(PortableDisk::new(path)))
    }

    fn check(&self, metadata: &Metadata) -> Result<(), OpenError> {
        if !metadata.is_dir() {
            return Err(self.broken(RootRule::MustBeAFolder));
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;

            let (owner, process) = (metadata.uid(), rustix::process::geteuid().as_raw());
            if owner != process {
                return Err(self.broken(RootRule::MustBeOwned { owner, process }));
            }
            let mode = metadata.mode() & 0o7777;
            if mode & 0o077 != 0 {
                return Err(self.broken(RootRule::MustBePrivate { mode }));
            }
        }
        Ok(())
    }

    /// Absolute, so that it stays the same folder when the process changes its own, and without a slash at its end,
    /// which would make the system follow a link.
    fn path(&self) -> Result<PathBuf, OpenError> {
        let path =
            std::path::absolute(&self.path).map_err(|error| self.broken(RootRule::MustBeUsable(error)))?;
        Ok(path.components().collect())
    }

    fn broken(&self, rule: RootRule) -> OpenError {
        OpenError::new(&self.path, rule)
    }
}

fn make_root(path: &Path, durability: Durability) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        let mut parents = DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut parents, 0o700);
        parents.recursive(true).create(parent)?;
    }
    make_private_folder(path)?;
    sync_parent(path, durability)
}

#[cfg(unix)]
fn sync_parent(path: &Path, durability: Durability) -> io::Result<()> {
    match path.parent() {
        Some(parent) if durability.syncs_folder() => fs::File::open(parent)?.sync_all(),
        _ => Ok(()),
    }
}

#[cfg(not(unix))]
fn sync_parent(_path: &Path, _durability: Durability) -> io::Result<()> {
    Ok(())
}

/// Makes every folder and every lock, so that nothing has to be made on a full disk to log somebody out.
fn make_layout(disk: &dyn Disk, durability: Durability) -> io::Result<()> {
    let mut parents: Vec<Place> = Vec::new();
    for place in Place::permanent() {
        let Some((parent, name)) = place.parent() else { continue };
        if disk.folder(&parent)?.make_folder(&name)? && !parents.contains(&parent) {
            parents.push(parent);
        }
    }
    let locks = disk.folder(&Place::Locks)?;
    for name in (0..=u8::MAX).map(lock_name).chain([sweep_lock_name()]) {
        if locks.touch(&name)? && !parents.contains(&Place::Locks) {
            parents.push(Place::Locks);
        }
    }
    if durability.syncs_folder() {
        for parent in parents {
            disk.folder(&parent)?.sync()?;
        }
    }
    Ok(())
}

/// The name of the file system if it is, or may be, one whose locks and durability depend on another machine.
///
/// Magic numbers from `linux/magic.h`. FUSE is among them because nothing tells sshfs or an object store behind it from
/// a local file system.
#[cfg(target_os = "linux")]
fn network_file_system(root: &fs::File) -> io::Result<Option<&'static str>> {
    let magic = rustix::fs::fstatfs(root)?.f_type as u64 & 0xffff_ffff;
    Ok(NETWORK_FILE_SYSTEMS.iter().find(|(known, _)| *known == magic).map(|(_, name)| *name))
}

#[cfg(target_os = "linux")]
const NETWORK_FILE_SYSTEMS: [(u64, &str); 13] = [
    (0x0000_6969, "NFS"),
    (0x0000_517b, "SMB"),
    (0xfe53_4d42, "SMB2"),
    (0xff53_4d42, "CIFS"),
    (0x0102_1997, "9P"),
    (0x00c3_6400, "Ceph"),
    (0x5346_414f, "AFS"),
    (0x6b41_4653, "kAFS"),
    (0x7375_7245, "Coda"),
    (0x0bd0_0bd0, "Lustre"),
    (0x0116_1970, "GFS2"),
    (0x7461_636f, "OCFS2"),
    (0x6573_5546, "FUSE"),
];

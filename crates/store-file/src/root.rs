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
    layout::{Place, RelPath, lock_names},
    open_error::{OpenError, RootRule},
};

/// Which folder, and which rules are waived.
#[derive(Clone, Debug)]
pub(crate) struct Root {
    /// Made absolute when the store is opened, so that it stays the same folder when the process changes its own, and
    /// without a slash at its end, which would make the system follow a link.
    pub(crate) path: PathBuf,
    pub(crate) create: bool,
    #[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "there is only the portable way"))]
    pub(crate) portable: bool,
    #[cfg_attr(
        not(target_os = "linux"),
        expect(dead_code, reason = "only Linux tells what a file system is")
    )]
    pub(crate) network_file_system: bool,
    pub(crate) durability: Durability,
}

impl Root {
    /// The same root by its absolute path.
    pub(crate) fn resolve(mut self) -> Result<Self, OpenError> {
        match std::path::absolute(&self.path) {
            Ok(path) => self.path = path.components().collect(),
            Err(error) => return Err(self.broken(RootRule::MustBeUsable(error))),
        }
        Ok(self)
    }

    /// Makes the root if it is missing, and opens it.
    pub(crate) fn create(&self) -> Result<Arc<dyn Disk>, OpenError> {
        if self.create && fs::symlink_metadata(&self.path).is_err() {
            make_root(&self.path, self.durability)
                .map_err(|error| self.broken(RootRule::MustBeUsable(error)))?;
        }
        self.open()
    }

    /// Opens the root if it keeps every rule, changing nothing.
    pub(crate) fn open(&self) -> Result<Arc<dyn Disk>, OpenError> {
        let metadata = fs::symlink_metadata(&self.path).map_err(|error| match error.kind() {
            ErrorKind::NotFound => self.broken(RootRule::MustExist),
            _ => self.broken(RootRule::MustBeUsable(error)),
        })?;
        if metadata.is_symlink() {
            return Err(self.broken(RootRule::MustNotBeALink));
        }
        self.check(&metadata)?;
        self.open_disk()
    }

    /// Removes the folder itself, which must be empty.
    pub(crate) fn remove(&self) -> io::Result<()> {
        fs::remove_dir(&self.path)?;
        sync_parent(&self.path, self.durability)
    }

    #[cfg(target_os = "linux")]
    fn open_disk(&self) -> Result<Arc<dyn Disk>, OpenError> {
        use std::os::unix::fs::OpenOptionsExt;

        use rustix::fs::OFlags;

        let flags = (OFlags::DIRECTORY | OFlags::NOFOLLOW).bits();
        let unusable = |error| self.broken(RootRule::MustBeUsable(error));
        let root = fs::OpenOptions::new().read(true).custom_flags(flags.cast_signed()).open(&self.path);
        let root = root.map_err(unusable)?;
        // Once more, now for the folder that was really opened.
        self.check(&root.metadata().map_err(unusable)?)?;
        if !self.network_file_system
            && let Some(file_system) = network_file_system(&root).map_err(unusable)?
        {
            return Err(self.broken(RootRule::MustBeLocal { file_system }));
        }
        Ok(if self.portable {
            Arc::new(PortableDisk::new(self.path.clone()))
        } else {
            Arc::new(crate::disk::LinuxDisk::new(root).map_err(unusable)?)
        })
    }

    #[cfg(not(target_os = "linux"))]
    fn open_disk(&self) -> Result<Arc<dyn Disk>, OpenError> {
        Ok(Arc::new(PortableDisk::new(self.path.clone())))
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

/// Makes every folder and every lock that is missing, so that nothing has to be made on a full disk to log somebody out.
pub(crate) fn make_layout(disk: &dyn Disk, durability: Durability) -> io::Result<()> {
    parts().try_for_each(|part| part.make(disk, durability))
}

/// What is made in one go.
#[derive(Clone, Debug)]
pub(crate) enum Part {
    Folders(Vec<Place>),
    Locks(Vec<RelPath>),
}

/// Everything that [`make_layout`] makes, in parts that take a moment each.
pub(crate) fn parts() -> impl Iterator<Item = Part> {
    let places: Vec<_> = Place::permanent().collect();
    let folders: Vec<_> = places.chunks(PART).map(|places| Part::Folders(places.to_vec())).collect();
    let names: Vec<_> = lock_names().collect();
    let locks: Vec<_> = names.chunks(PART).map(|names| Part::Locks(names.to_vec())).collect();
    folders.into_iter().chain(locks)
}

impl Part {
    pub(crate) fn make(&self, disk: &dyn Disk, durability: Durability) -> io::Result<()> {
        let mut made = false;
        let folder = match self {
            Self::Folders(places) => {
                let root = disk.folder(&Place::Root)?;
                for name in places.iter().filter_map(|place| Some(place.parent()?.1)) {
                    made |= root.make_folder(&name)?;
                }
                root
            }
            Self::Locks(names) => {
                let locks = disk.folder(&Place::Locks)?;
                for name in names {
                    made |= locks.touch(name)?;
                }
                locks
            }
        };
        if made && durability.syncs_folder() { folder.sync() } else { Ok(()) }
    }
}

const PART: usize = 64;

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

//! The settings of a store.

use std::{path::PathBuf, time::Duration};

use session_core::{Clock, SystemClock};

use crate::{
    durability::Durability,
    open_error::{OpenError, RootRule},
    pool::{Limits, Pool},
    records::Records,
    root::{Root, make_layout},
    stats::Counters,
    store::FileStore,
    sync::{Arc, RwLock},
};

/// The settings of a [`FileStore`], begun with [`FileStore::builder`] and ended with [`open`](Self::open).
///
/// ```
/// # use std::time::Duration;
/// # use session_store_file::{Durability, FileStore};
/// # let folder = tempfile::tempdir()?;
/// # let root = folder.path().join("sessions");
/// let store = FileStore::builder(root)
///     .durability(Durability::Data)
///     .deadline(Duration::from_millis(500))
///     .open()?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[must_use]
pub struct FileStoreBuilder {
    root: Root,
    layout: bool,
    limits: Limits,
    clock: Box<dyn Clock>,
}

impl FileStoreBuilder {
    pub(crate) fn new(root: PathBuf) -> Self {
        Self {
            root: Root {
                path: root,
                create: true,
                portable: cfg!(not(target_os = "linux")),
                network_file_system: false,
                durability: Durability::default(),
            },
            layout: true,
            limits: Limits { threads: 32, queued: 1_024, deadline: Duration::from_secs(1) },
            clock: Box::new(SystemClock),
        }
    }

    /// What survives a power cut. Default: [`Durability::Full`].
    pub fn durability(mut self, durability: Durability) -> Self {
        self.root.durability = durability;
        self
    }

    /// How many threads may wait for the disk at a time, at least 1. Default: 32. They are started when they are
    /// needed, and end after some seconds without work.
    ///
    /// The kernel writes the changes of several threads in one go, so more threads mean more changes a second, not
    /// slower ones.
    pub fn io_threads(mut self, threads: usize) -> Self {
        self.limits.threads = threads.max(1);
        self
    }

    /// How many operations may wait for a thread, at least 1. Default: 1,024. Further ones are
    /// [`Overloaded`](session_core::StoreErrorKind::Overloaded) at once.
    pub fn queue_limit(mut self, operations: usize) -> Self {
        self.limits.queued = operations.max(1);
        self
    }

    /// How long an operation may take, at most a day. Default: one second. Afterwards it is
    /// [`Unavailable`](session_core::StoreErrorKind::Unavailable), or
    /// [`Indeterminate`](session_core::StoreErrorKind::Indeterminate) if the record was being changed.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.limits.deadline = deadline.min(Duration::from_secs(86_400));
        self
    }

    /// The clock that tells whether a record has expired when a new one is to take its place. Default: the system's.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Box::new(clock);
        self
    }

    /// Whether to create the root folder, and the folders above it, if missing. Default: `true`. With `false` a store
    /// on a volume that is not mounted is an error and not a new, empty store.
    pub fn create_root(mut self, create: bool) -> Self {
        self.root.create = create;
        self
    }

    /// Whether to create whatever is missing: the root, and the folders and locks in it. Default: `true`. With `false`
    /// opening changes nothing, for tools that look at a store or [check](session_core::Environment::check) it; what is
    /// missing then fails when it is needed.
    pub fn create(mut self, create: bool) -> Self {
        self.root.create = create;
        self.layout = create;
        self
    }

    /// Accepts a root on a network file system, or on FUSE, which may be one.
    ///
    /// Danger: `flock` may exclude only processes on the same machine, so that two machines both win a write; other
    /// machines may see old records for seconds after a logout; an acknowledged write may be in no memory but the
    /// server's. Use a store that was made for the network.
    pub fn dangerous_network_file_system(mut self) -> Self {
        self.root.network_file_system = true;
        self
    }

    /// Uses nothing but the standard library for files, as on macOS and Windows, so that this way can be tested on
    /// Linux. Default: `false` on Linux. Both ways use the same files and locks.
    pub fn portable(mut self, portable: bool) -> Self {
        self.root.portable = portable || cfg!(not(target_os = "linux"));
        self
    }

    /// Opens the store, and makes its folders if they are missing. Waits for the disk: to be called while the
    /// application starts, outside of the executor or before it serves.
    ///
    /// # Errors
    /// [`OpenError`] if the root breaks a [rule](crate::RootRule).
    pub fn open(self) -> Result<FileStore, OpenError> {
        let root = self.root.resolve()?;
        let disk = root.create()?;
        if self.layout {
            make_layout(&*disk, root.durability)
                .map_err(|error| OpenError::new(&root.path, RootRule::MustBeUsable(error)))?;
        }
        let records = Records {
            disk: RwLock::new(Some(disk)),
            durability: root.durability,
            clock: self.clock,
            counters: Counters::default(),
        };
        Ok(FileStore::new(Arc::new(root), Arc::new(records), Pool::new(self.limits)))
    }
}

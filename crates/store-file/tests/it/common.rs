//! What every test of this crate needs.

use std::{
    fs,
    future::Future,
    path::{Path, PathBuf},
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
    thread::{self, Thread},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use session_conformance::processes::{Run, run};
pub(crate) use session_conformance::{skip, store::sample::key};
use session_core::{Entry, Expect, ManualClock, Store, StoreKey, SweepRequest, Swept, Version, Written};
use session_store_file::{FileStore, FileStoreBuilder};

/// Runs each test on both ways to use the disk: in memory, where that makes no difference, because making and deleting
/// hundreds of folders on a disk that others use takes seconds; on the disk itself if asked to.
macro_rules! on_both_paths {
    (on_disk $($cases:tt)*) => { on_both_paths! { @ $crate::common::Medium::Disk, $($cases)* } };
    (@ $medium:expr, $($(#[$meta:meta])* fn $name:ident($fixture:ident) $body:block)*) => {
        mod cases {
            #[allow(unused_imports, reason = "whatever the cases of the file need")]
            use super::*;
            $(pub(super) fn $name($fixture: $crate::common::Fixture) $body)*
        }
        on_both_paths! { @ $medium, native false, $($(#[$meta])* $name)* }
        on_both_paths! { @ $medium, portable true, $($(#[$meta])* $name)* }
    };
    (@ $medium:expr, $path:ident $portable:literal, $($(#[$meta:meta])* $name:ident)*) => {
        mod $path {
            $($(#[$meta])* #[test] fn $name() {
                let test = concat!(module_path!(), "::", stringify!($name));
                super::cases::$name($crate::common::Fixture::new($medium, $portable, test));
            })*
        }
    };
    ($($cases:tt)*) => { on_both_paths! { @ $crate::common::Medium::Memory, $($cases)* } };
}

pub(crate) use on_both_paths;

/// Where the folder of a test is.
#[derive(Clone, Copy)]
pub(crate) enum Medium {
    Memory,
    Disk,
}

/// A folder, a clock, and the stores opened in them.
pub(crate) struct Fixture {
    folder: tempfile::TempDir,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) portable: bool,
    medium: Medium,
    /// The name of the test, with that of the program in front.
    test: &'static str,
}

impl Medium {
    /// An empty folder of its own.
    pub(crate) fn folder(self) -> tempfile::TempDir {
        let in_memory = Path::new("/dev/shm");
        let parent = match self {
            Self::Memory if in_memory.is_dir() => in_memory.to_owned(),
            Self::Memory | Self::Disk => std::env::temp_dir(),
        };
        tempfile::tempdir_in(parent).unwrap()
    }
}

/// What the clock shows at the beginning.
pub(crate) const START: u64 = 1_900_000_000;

impl Fixture {
    pub(crate) fn new(medium: Medium, portable: bool, test: &'static str) -> Self {
        let folder = medium.folder();
        Self { folder, clock: Arc::new(ManualClock::at_unix(START)), portable, medium, test }
    }

    /// Another empty folder for the same test.
    pub(crate) fn another(&self) -> Self {
        Self::new(self.medium, self.portable, self.test)
    }

    /// The same test again in a process of its own, which finds a [`Task`](session_conformance::processes::Task).
    pub(crate) fn child(&self) -> Run {
        let (_, test) = self.test.split_once("::").unwrap();
        run(test).with("root", self.root().display()).with("portable", u8::from(self.portable))
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.folder.path().join("sessions")
    }

    pub(crate) fn builder(&self) -> FileStoreBuilder {
        FileStore::builder(self.root())
            .clock(Arc::clone(&self.clock))
            .portable(self.portable)
            // Tests share the machine with others, and none measures time.
            .deadline(Duration::from_secs(60))
    }

    pub(crate) fn open(&self) -> FileStore {
        self.builder().open().unwrap()
    }

    /// The file of a record.
    pub(crate) fn file(&self, key: &StoreKey) -> PathBuf {
        let hex = key.to_hex();
        self.root().join(&hex[..2]).join(&hex[2..])
    }

    /// Everything below the root that is no folder and no lock, in order.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let mut files = Vec::new();
        walk(&self.root(), &mut files);
        files.retain(|path| !path.starts_with(self.root().join("lock")));
        files.sort();
        files
    }

    /// The names in the quarantine.
    pub(crate) fn quarantined(&self) -> Vec<String> {
        names(&self.root().join("quarantine"))
    }
}

pub(crate) fn names(folder: &Path) -> Vec<String> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

pub(crate) fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            walk(&entry.path(), files);
        } else {
            files.push(entry.path());
        }
    }
}

pub(crate) fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

/// An entry that expires an hour after the beginning.
pub(crate) fn entry(bytes: impl AsRef<[u8]>) -> Entry {
    Entry::new(bytes.as_ref(), at(START + 3_600))
}

pub(crate) fn create(store: &FileStore, key: &StoreKey, entry: Entry) -> Version {
    stored(block_on(store.write(key, entry, Expect::Absent)).unwrap())
}

pub(crate) fn stored(written: Written) -> Version {
    match written {
        Written::Stored(version) => version,
        Written::Conflict => panic!("conflict"),
    }
}

/// The bytes of a record.
pub(crate) fn load(store: &FileStore, key: &StoreKey) -> Option<Vec<u8>> {
    block_on(store.load(key)).unwrap().map(|stored| stored.bytes.to_vec())
}

/// The smallest executor there is: the store needs no more.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);

    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

/// Polls once.
pub(crate) fn poll_once<F: Future + ?Sized>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// Different keys in one folder.
pub(crate) fn in_shard(shard: u8, number: u64) -> StoreKey {
    let mut bytes = *key(number).as_bytes();
    bytes[0] = shard;
    StoreKey::from_bytes(bytes)
}

pub(crate) fn sorted<T: Ord>(items: impl Into<Vec<T>>) -> Vec<T> {
    let mut items = items.into();
    items.sort();
    items
}

/// Sweeps everything that expires before `seconds`, to the end.
pub(crate) fn sweep_all(store: &FileStore, seconds: u64) -> Swept {
    sweep_with(store, SweepRequest::before(at(seconds)))
}

pub(crate) fn sweep_with(store: &FileStore, request: SweepRequest) -> Swept {
    let mut total = Swept::default();
    while !total.finished {
        let swept = block_on(store.as_sweep().unwrap().sweep(request)).unwrap();
        total.examined += swept.examined;
        total.removed += swept.removed;
        total.failed += swept.failed;
        total.finished = swept.finished;
    }
    total
}

/// How often to repeat something: `SESSION_CONFORMANCE_SCALE` times the short form.
pub(crate) fn scale(short: u64) -> u64 {
    let factor = std::env::var("SESSION_CONFORMANCE_SCALE").map_or(1, |factor| factor.parse().unwrap());
    short * factor
}

//! The cases with several processes, on a store that keeps the contract by a lock between processes, and on the same store
//! with a fault, which they have to see.

#![allow(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::{
    fs::{self, File},
    io::ErrorKind,
    path::PathBuf,
    sync::Mutex,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use async_trait::async_trait;
use rustix::fs::{FlockOperation, flock};
use session_conformance::{
    Verdict,
    processes::{Case, Place, judge},
};
use session_core::{
    Entry, Expect, PrincipalIndex, PrincipalKey, Removed, Store, StoreError, StoreErrorKind, StoreKey,
    Stored, Version, Written,
};

/// What is wrong with a [`Folder`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    None,
    /// Looks and changes in one step within a process, in two between processes.
    LocksForItselfOnly,
    /// Takes a record that is gone for one that may be written.
    WritesWhatIsGone,
}

/// A file a record: the version, the expiry, whose it is, and the bytes.
#[derive(Debug)]
struct Folder {
    path: PathBuf,
    fault: Fault,
    turn: Mutex<()>,
}

struct Row {
    version: u64,
    entry: Entry,
}

impl Folder {
    /// Does something while no other process does.
    fn alone<T>(&self, work: impl FnOnce() -> std::io::Result<T>) -> Result<T, StoreError> {
        let _turn = self.turn.lock().unwrap();
        let lock = File::create(self.path.join("lock")).unwrap();
        if self.fault != Fault::LocksForItselfOnly {
            flock(&lock, FlockOperation::LockExclusive).unwrap();
        }
        work().map_err(|error| StoreError::new(StoreErrorKind::Unavailable, "folder").with_source(error))
    }

    fn read(&self, name: &str) -> std::io::Result<Option<Row>> {
        let bytes = match fs::read(self.path.join(name)) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let number = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap());
        let expires_at = UNIX_EPOCH + Duration::from_millis(number(8));
        let principal = (bytes[16] == 1).then(|| PrincipalKey::from_bytes(bytes[17..49].try_into().unwrap()));
        let entry = Entry::new(&bytes[49..], expires_at).with_principal(principal);
        Ok(Some(Row { version: number(0), entry }))
    }

    fn put(&self, name: &str, row: &Row) -> std::io::Result<()> {
        let since = row.entry.expires_at.duration_since(UNIX_EPOCH).unwrap();
        let principal = row.entry.principal;
        let bytes = [
            &row.version.to_le_bytes()[..],
            &u64::try_from(since.as_millis()).unwrap().to_le_bytes(),
            &[u8::from(principal.is_some())],
            principal.as_ref().map_or(&[0; 32][..], |principal| principal.as_bytes()),
            &row.entry.bytes,
        ];
        let new = self.path.join(format!("new-{}", std::process::id()));
        fs::write(&new, bytes.concat())?;
        fs::rename(new, self.path.join(name))
    }

    /// What happens between looking and changing.
    fn linger(&self) {
        if self.fault == Fault::LocksForItselfOnly {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

#[async_trait]
impl Store for Folder {
    async fn load(&self, key: &StoreKey) -> Result<Option<Stored>, StoreError> {
        let row = self.alone(|| self.read(&key.to_hex()))?;
        Ok(row.map(|row| Stored::new(row.entry.bytes, row.entry.expires_at, Version::new(row.version))))
    }

    async fn write(&self, key: &StoreKey, entry: Entry, expect: Expect) -> Result<Written, StoreError> {
        let name = key.to_hex();
        self.alone(|| {
            let found = self.read(&name)?.map(|row| Version::new(row.version));
            let as_expected = match expect {
                Expect::Absent => found.is_none(),
                Expect::Version(_) if found.is_none() => self.fault == Fault::WritesWhatIsGone,
                Expect::Version(version) => found == Some(version),
            };
            if !as_expected {
                return Ok(Written::Conflict);
            }
            self.linger();
            let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
            let version = u64::try_from(since.as_nanos()).unwrap();
            self.put(&name, &Row { version, entry })?;
            Ok(Written::Stored(Version::new(version)))
        })
    }

    async fn remove(&self, key: &StoreKey, expect: Option<Version>) -> Result<Removed, StoreError> {
        let name = key.to_hex();
        self.alone(|| {
            let Some(row) = self.read(&name)? else { return Ok(Removed::Gone) };
            if expect.is_some_and(|version| version.number() != row.version) {
                return Ok(Removed::Conflict);
            }
            self.linger();
            match fs::remove_file(self.path.join(&name)) {
                Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
                _ => Ok(Removed::Gone),
            }
        })
    }

    fn as_principal_index(&self) -> Option<&dyn PrincipalIndex> {
        Some(self)
    }
}

#[async_trait]
impl PrincipalIndex for Folder {
    async fn keys_of(
        &self,
        principal: &PrincipalKey,
        after: Option<&StoreKey>,
        limit: usize,
    ) -> Result<Vec<StoreKey>, StoreError> {
        self.alone(|| {
            let mut keys = Vec::new();
            for entry in fs::read_dir(&self.path)? {
                let name = entry?.file_name().into_string().unwrap();
                let Some(key) = StoreKey::from_hex(&name) else { continue };
                let whose = self.read(&name)?.and_then(|row| row.entry.principal);
                if whose.as_ref() == Some(principal) && after.is_none_or(|after| key > *after) {
                    keys.push(key);
                }
            }
            keys.sort_unstable();
            keys.truncate(limit);
            Ok(keys)
        })
    }
}

fn place() -> Place {
    let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
    Place::new(folder.path().display().to_string()).keep(folder)
}

async fn open(path: String, fault: Fault) -> Folder {
    Folder { path: path.into(), fault, turn: Mutex::new(()) }
}

mod sound {
    session_conformance::process_tests!(super::place, |path, _| super::open(path, super::Fault::None));
}

macro_rules! is_seen {
    ($($fault:ident in $module:ident: $($case:ident)*;)*) => {
        $(mod $module {
            $(#[test]
            fn $case() {
                let test = concat!(module_path!(), "::", stringify!($case));
                super::is_seen_by(stringify!($case), test, super::Fault::$fault);
            })*
        })*
    };
}

is_seen! {
    LocksForItselfOnly in locks_for_itself_only:
        of_two_creates_one_wins
        no_step_is_lost
        a_removal_is_final
        no_update_is_lost
        one_of_many_rotations_wins
        a_routine_rotation_turns_nobody_away
        an_end_beside_requests_is_final;
    WritesWhatIsGone in writes_what_is_gone:
        a_removal_is_final
        a_commit_after_an_end_elsewhere_is_refused
        an_end_beside_requests_is_final;
}

fn is_seen_by(case: &str, test: &str, fault: Fault) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap();
    let case = Case::named(case).unwrap();
    // Nothing in a child.
    if let Some(verdict) = runtime.block_on(judge(case, test, place, |path, _| open(path, fault))) {
        assert!(matches!(verdict, Verdict::Fail(_)), "{fault:?} is not seen: {verdict}");
        println!("{verdict}");
    }
}

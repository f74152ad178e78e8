//! The store in files keeps the contract, through the calls of Linux and through the standard library alone.

#![allow(clippy::expect_used, reason = "helpers of tests fail the test")]

use std::{
    fs::{self, File},
    future::ready,
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use session_conformance::store::{Foreign, Fresh, ManualClock};
use session_core::StoreKey;
use session_store_file::{Durability, FileStore};
use tempfile::TempDir;

/// As it comes, on a disk.
mod default {
    async fn fresh(clock: super::Arc<super::ManualClock>) -> super::Fresh {
        let folder = tempfile::tempdir();
        super::declared(clock, folder, super::Durability::default(), false)
    }

    session_conformance::store_tests!(fresh);
}

/// As on macOS and Windows, in memory where there is a file system for that: folders are made faster there.
mod portable {
    async fn fresh(clock: super::Arc<super::ManualClock>) -> super::Fresh {
        let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
        super::declared(clock, folder, super::Durability::Process, true)
    }

    session_conformance::store_tests!(fresh);
}

fn declared(
    clock: Arc<ManualClock>,
    folder: io::Result<TempDir>,
    durability: Durability,
    portable: bool,
) -> Fresh {
    let folder = folder.expect("a temporary folder can be made");
    let root = folder.path().join("sessions");
    let open = {
        let root = root.clone();
        move || {
            let builder = FileStore::builder(&root).durability(durability).portable(portable);
            builder.deadline(PATIENCE).clock(Arc::clone(&clock)).open().expect("the root is ours")
        }
    };
    let (again, peer, victims, beside) = (open.clone(), open.clone(), root.clone(), root);
    Fresh::new(open())
        .reopen_with(move || ready(again()))
        .peer_with(move || ready(peer()))
        .damage_with(move |key| {
            damage(&victims, &key);
            ready(())
        })
        .foreign_with(move |ask| ready(foreign(&beside, ask)))
        .keep(folder)
}

/// Changes a byte in the middle of a record, as a bad disk does: the times of the file stay as they are.
fn damage(root: &Path, key: &StoreKey) {
    let hex = key.to_hex();
    let path = root.join(&hex[..2]).join(&hex[2..]);
    let times = fs::metadata(&path).expect("there is a record to damage");
    let mut bytes = fs::read(&path).expect("the record can be read");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&path, bytes).expect("the record can be written");
    let modified = times.modified().expect("files have a modification time");
    File::options()
        .write(true)
        .open(&path)
        .and_then(|file| file.set_modified(modified))
        .expect("times can be set");
}

/// Files of somebody else, in the root and among the records, older than every session.
fn foreign(root: &Path, ask: Foreign) -> bool {
    let files = ["notes", "00/notes", "a7/0000.tmp", "by-principal/notes", "quarantine/notes"];
    let files: Vec<PathBuf> = files.iter().map(|name| root.join(name)).collect();
    if ask == Foreign::Plant {
        for file in &files {
            fs::write(file, "not a session").expect("a file can be written");
            let file = File::options().write(true).open(file).expect("it is there");
            file.set_modified(std::time::UNIX_EPOCH).expect("times can be set");
        }
    }
    files.iter().all(|file| fs::read(file).is_ok_and(|bytes| bytes == b"not a session"))
}

/// What the kit tests is not how fast a disk is.
const PATIENCE: Duration = Duration::from_secs(20);

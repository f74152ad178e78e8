//! session-store-file.

use std::{
    fs::{self, File},
    future::ready,
    path::{Path, PathBuf},
    sync::Arc,
};

use session_conformance::store::{Foreign, Fresh, ManualClock};
use session_core::StoreKey;
use session_store_file::{Durability, FileStore};
use tempfile::TempDir;

use crate::{PATIENCE, folder};

/// As it comes, in memory where the system has such a thing.
pub async fn in_memory(clock: Arc<ManualClock>) -> Fresh {
    declared(clock, folder::in_memory(), Durability::default(), false)
}

/// As it comes, on a disk.
pub async fn on_disk(clock: Arc<ManualClock>) -> Fresh {
    declared(clock, folder::on_disk(), Durability::default(), false)
}

/// As on macOS and Windows, in memory, where folders are made faster.
pub async fn portable(clock: Arc<ManualClock>) -> Fresh {
    declared(clock, folder::in_memory(), Durability::Process, true)
}

fn declared(clock: Arc<ManualClock>, folder: TempDir, durability: Durability, portable: bool) -> Fresh {
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
        .answers_at_once()
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

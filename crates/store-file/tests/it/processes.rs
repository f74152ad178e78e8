//! Several processes on one folder: the kit's cases, on each way to use the disk, and with one process on either, which
//! share files and locks.

use std::time::Duration;

use session_conformance::{process_tests, processes::Place};
use session_store_file::{Durability, FileStore};

use crate::common::Medium;

fn place() -> Place {
    let folder = Medium::Memory.folder();
    Place::new(folder.path().join("sessions").display().to_string()).keep(folder)
}

async fn open(root: String, portable: bool) -> FileStore {
    let builder = FileStore::builder(root).portable(portable).durability(Durability::Process);
    builder.deadline(Duration::from_secs(60)).open().unwrap()
}

mod native {
    super::process_tests!(super::place, |root, _| super::open(root, false));
}

mod portable {
    super::process_tests!(super::place, |root, _| super::open(root, true));
}

mod mixed {
    super::process_tests!(super::place, |root, process| super::open(root, process == 1));
}

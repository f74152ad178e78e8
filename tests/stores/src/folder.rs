//! Folders for stores in files.

use std::{env, path::Path};

use tempfile::TempDir;

/// An empty folder, in memory where the system has such a thing: the suites open hundreds of stores, and what survives a
/// power cut is tested elsewhere. `TMPDIR` puts it on a disk.
pub(crate) fn in_memory() -> TempDir {
    let memory = Path::new("/dev/shm");
    if env::var_os("TMPDIR").is_none() && memory.is_dir() {
        tempfile::tempdir_in(memory).expect("a temporary folder in memory")
    } else {
        on_disk()
    }
}

/// An empty folder where the system puts temporary files.
pub(crate) fn on_disk() -> TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

//! session-store-file for the suites and for serving.

use std::{env, fs, future::ready, io, path::Path, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use session_conformance::store::{Fresh, ManualClock};
use session_core::{Store, StoreKey};
use session_store_file::FileStore;
use tempfile::TempDir;

/// No case measures time, and several run at once.
const PATIENCE: Duration = Duration::from_secs(60);

#[expect(clippy::expect_used, reason = "the suite makes a panic the failure of its case")]
pub(super) async fn fresh(clock: Arc<ManualClock>) -> Fresh {
    let folder = folder().expect("a temporary folder");
    let root = folder.path().join("sessions");
    let records = root.clone();
    let open = move || {
        let store = FileStore::builder(&root).clock(clock.clone()).deadline(PATIENCE).open();
        store.expect("a store in a folder that is empty or has one")
    };
    let (again, more) = (open.clone(), open.clone());
    Fresh::new(open())
        .reopen_with(move || ready(again()))
        .peer_with(move || ready(more()))
        .damage_with(move |key| {
            damage(&records, &key).expect("a record to damage");
            ready(())
        })
        .keep(folder)
}

pub(super) fn open(folder: &str) -> Result<Arc<dyn Store>> {
    let store = FileStore::open(folder).with_context(|| format!("cannot keep sessions in {folder}"))?;
    Ok(Arc::new(store))
}

/// Flips a bit in the middle of a record's file, as a bad disk does: its times stay as they are.
fn damage(root: &Path, key: &StoreKey) -> io::Result<()> {
    let hex = key.to_hex();
    let file = root.join(&hex[..2]).join(&hex[2..]);
    let modified = fs::metadata(&file)?.modified()?;
    let mut bytes = fs::read(&file)?;
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&file, bytes)?;
    fs::File::options().write(true).open(&file)?.set_modified(modified)
}

/// An empty folder, in memory where the system has such a thing: the suites open hundreds of stores, and what survives a
/// power cut is tested elsewhere. `TMPDIR` puts it on a disk.
fn folder() -> io::Result<TempDir> {
    let memory = Path::new("/dev/shm");
    if env::var_os("TMPDIR").is_none() && memory.is_dir() {
        tempfile::tempdir_in(memory)
    } else {
        tempfile::tempdir()
    }
}

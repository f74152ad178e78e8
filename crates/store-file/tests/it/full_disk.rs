//! A full disk: nothing new is taken, nothing old is lost, and what makes room works.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use session_core::{Entry, Expect, PrincipalKey, Removed, Store, StoreErrorKind, Version};
use session_store_file::{FileStore, FileStoreBuilder};

use crate::common::*;

/// A small file system, unmounted in the end.
struct Mount {
    at: PathBuf,
    _folder: tempfile::TempDir,
}

impl Mount {
    /// A file system in memory with these bounds; `None`, and why, if this process may not mount.
    fn new(bounds: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path().join("mount");
        fs::create_dir(&at).unwrap();
        let options = format!("mode=0700,{bounds}");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(&at).output();
        match mounted {
            Ok(output) if output.status.success() => Some(Self { at, _folder: folder }),
            refused => {
                skip(format_args!("cannot mount a small file system: {refused:?}"));
                None
            }
        }
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.at).status();
    }
}

fn builder(fixture: &Fixture, root: &Path) -> FileStoreBuilder {
    FileStore::builder(root).portable(fixture.portable).clock(std::sync::Arc::clone(&fixture.clock))
}

/// Fills the store until it takes no more, then checks everything that must go on.
fn fill_and_check(fixture: &Fixture, mount: &Mount, payload: usize) {
    let root = mount.at.join("sessions");
    let store = builder(fixture, &root).open().unwrap();
    let principal = PrincipalKey::from_bytes([1; 32]);
    let expired = Entry::new(vec![7; payload], at(START - 1)).with_principal(principal);
    let mut written: Vec<(u64, Version)> = Vec::new();
    let mut fill = |expired: Option<&Entry>| loop {
        let number = written.len() as u64;
        assert!(number < 10_000, "the disk does not become full");
        let entry = expired.filter(|_| number % 2 == 1).cloned().unwrap_or_else(|| entry(vec![7; payload]));
        match block_on(store.write(&key(number), entry, Expect::Absent)) {
            Ok(answer) => written.push((number, stored(answer))),
            Err(error) => break error,
        }
    };
    // First with what needs several files, then with what needs one, until there is no room for that either.
    let (error, last) = (fill(Some(&expired)), fill(None));
    assert_eq!(last.kind(), StoreErrorKind::Unavailable, "{last:?}");
    let fillers = (0..).map(|number| mount.at.join(format!("filler-{number}")));
    let _ = fillers.map(|path| fs::write(path, [1; 4096])).take(10_000).find(Result::is_err).unwrap();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{error:?}");
    assert!(written.len() >= 10, "{}", written.len());

    // What is there stays as it is, also when it was to be replaced, and nothing is left of what failed.
    for (number, version) in &written {
        let stored = block_on(store.load(&key(*number))).unwrap().unwrap();
        assert_eq!((stored.bytes.len(), stored.version), (payload, *version));
    }
    let large = entry(vec![8; payload + 64 * 1024]);
    for (number, version) in &written[..4] {
        let answer = block_on(store.write(&key(*number), large.clone(), Expect::Version(*version)));
        assert_eq!(answer.unwrap_err().kind(), StoreErrorKind::Unavailable);
        assert_eq!(block_on(store.load(&key(*number))).unwrap().unwrap().version, *version);
    }
    let mut files = Vec::new();
    walk(&root, &mut files);
    assert!(!files.iter().any(|path| path.extension().is_some_and(|end| end == "tmp")), "{files:?}");

    // A store can be opened, somebody can log out, and a sweep makes room.
    let store = builder(fixture, &root).open().unwrap();
    block_on(store.as_environment().unwrap().check()).unwrap();
    assert_eq!(block_on(store.remove(&key(0), Some(written[0].1))).unwrap(), Removed::Gone);
    assert_eq!(load(&store, &key(0)), None);
    let swept = sweep_all(&store, START);
    assert!(swept.removed >= 4 && swept.failed == 0, "{swept:?}");
    create(&store, &key(10_001), entry(vec![7; payload]));
}

on_both_paths! {
    fn a_disk_without_blocks(fixture) {
        if let Some(mount) = Mount::new("size=2m") {
            fill_and_check(&fixture, &mount, 8_000);
        }
    }

    fn a_disk_without_inodes(fixture) {
        if let Some(mount) = Mount::new("size=64m,nr_inodes=700") {
            fill_and_check(&fixture, &mount, 100);
        }
    }

    fn a_file_system_in_memory_is_read_on_the_calling_thread(fixture) {
        if let Some(mount) = Mount::new("size=8m") {
            let store = builder(&fixture, &mount.at.join("sessions")).open().unwrap();
            create(&store, &key(1), entry("x"));
            assert_eq!(load(&store, &key(1)).unwrap(), b"x");
            assert_eq!(store.stats().cached_loads, u64::from(!fixture.portable));
        }
    }
}

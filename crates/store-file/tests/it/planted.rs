//! What somebody else put where the store expects its own is not followed, not opened for long, and not touched.

use std::{fs, os::unix::fs::symlink, path::Path};

use rustix::fs::{CWD, FileType, Mode, makedev, mknodat};
use session_core::{Expect, PrincipalKey, Removed, Store, StoreErrorKind};
use session_store_file::{RecordError, RootRule};

use crate::common::*;

const NOT_A_FILE: &str = "not a regular file";

fn fifo(path: &Path) {
    mknodat(CWD, path, FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
}

/// Every operation on a record whose place is taken by something that is not a file: refused, at once.
fn assert_refused(fixture: &Fixture, what: &str) {
    let store = fixture.open();
    let refused = [
        block_on(store.load(&key(1))).map(drop),
        block_on(store.write(&key(1), entry("x"), Expect::Absent)).map(drop),
        block_on(store.remove(&key(1), None)).map(drop),
    ];
    for answer in refused {
        let error = answer.expect_err(what);
        assert_eq!(error.kind(), StoreErrorKind::Corrupt, "{what}");
        assert_eq!(std::error::Error::source(&error).unwrap().to_string(), NOT_A_FILE, "{what}");
    }
    let swept = sweep_all(&store, START + 10_000_000);
    assert_eq!((swept.removed, swept.failed), (0, 1), "{what}");
    assert!(fixture.file(&key(1)).symlink_metadata().is_ok(), "{what} was removed");
}

on_both_paths! {
    fn a_link_in_the_place_of_a_record(fixture) {
        // Shows: A32
        drop(fixture.open());
        let target = fixture.root().parent().unwrap().join("target");
        fs::write(&target, "precious").unwrap();
        symlink(&target, fixture.file(&key(1))).unwrap();
        assert_refused(&fixture, "a link");
        assert_eq!(fs::read(target).unwrap(), b"precious");
    }

    fn a_link_to_nothing_in_the_place_of_a_record(fixture) {
        // Shows: A32
        drop(fixture.open());
        let target = fixture.root().parent().unwrap().join("target");
        symlink(&target, fixture.file(&key(1))).unwrap();
        assert_refused(&fixture, "a dangling link");
        assert!(!target.exists());
    }

    fn a_pipe_in_the_place_of_a_record(fixture) {
        // Shows: A32
        drop(fixture.open());
        fifo(&fixture.file(&key(1)));
        assert_refused(&fixture, "a pipe");
    }

    fn a_folder_in_the_place_of_a_record(fixture) {
        // Shows: A32
        drop(fixture.open());
        fs::create_dir(fixture.file(&key(1))).unwrap();
        assert_refused(&fixture, "a folder");
    }

    fn a_socket_in_the_place_of_a_record(fixture) {
        // Shows: A32
        drop(fixture.open());
        mknodat(CWD, fixture.file(&key(1)), FileType::Socket, Mode::from_raw_mode(0o600), 0).unwrap();
        assert_refused(&fixture, "a socket");
    }

    fn a_device_in_the_place_of_a_record(fixture) {
        // Shows: A32
        drop(fixture.open());
        // /dev/zero, which never ends.
        let zero = makedev(1, 5);
        let (file, mode) = (fixture.file(&key(1)), Mode::from_raw_mode(0o600));
        if mknodat(CWD, &file, FileType::CharacterDevice, mode, zero).is_err() || fs::File::open(&file).is_err() {
            return skip("only root can make a device, where the file system allows one");
        }
        assert_refused(&fixture, "a device");
    }

    fn a_hard_link_in_the_place_of_a_record(fixture) {
        // Shows: A32
        let store = fixture.open();
        let target = fixture.root().parent().unwrap().join("target");
        fs::write(&target, "precious").unwrap();
        fs::hard_link(&target, fixture.file(&key(1))).unwrap();
        assert_eq!(block_on(store.load(&key(1))).unwrap_err().kind(), StoreErrorKind::Corrupt);
        create(&store, &key(1), entry("x"));
        assert_eq!(block_on(store.remove(&key(1), None)).unwrap(), Removed::Gone);
        assert_eq!(fs::read(&target).unwrap(), b"precious");

        // Of a record: as backups that save space make them. The record stays as it is under the other name.
        let version = create(&store, &key(2), entry("first"));
        let backup = fixture.root().parent().unwrap().join("backup");
        fs::hard_link(fixture.file(&key(2)), &backup).unwrap();
        let before = fs::read(&backup).unwrap();
        stored(block_on(store.write(&key(2), entry("second"), Expect::Version(version))).unwrap());
        assert_eq!(fs::read(&backup).unwrap(), before);
        // Of another session's record.
        fs::hard_link(&backup, fixture.file(&key(3))).unwrap();
        let error = block_on(store.load(&key(3))).unwrap_err();
        let reason = std::error::Error::source(&error).unwrap().downcast_ref::<RecordError>();
        assert_eq!(reason, Some(&RecordError::WrongKey));
    }

    fn a_link_in_the_place_of_a_folder(fixture) {
        // Shows: A40
        let store = fixture.open();
        let elsewhere = fixture.root().parent().unwrap().join("elsewhere");
        fs::create_dir(&elsewhere).unwrap();
        let shard = fixture.file(&key(1)).parent().unwrap().to_owned();
        for folder in [shard, fixture.root().join("lock")] {
            let aside = folder.with_extension("aside");
            fs::rename(&folder, &aside).unwrap();
            symlink(&elsewhere, &folder).unwrap();
            assert!(block_on(store.write(&key(1), entry("x"), Expect::Absent)).is_err());
            assert!(block_on(store.remove(&key(1), None)).is_err());
            assert_eq!(names(&elsewhere), Vec::<String>::new(), "{folder:?}");
            fs::remove_file(&folder).unwrap();
            fs::rename(aside, folder).unwrap();
        }
        create(&store, &key(1), entry("x"));
    }

    fn a_link_in_the_place_of_the_folder_of_a_load(fixture) {
        // Shows: A40
        let store = fixture.open();
        create(&store, &key(1), entry("x"));
        let shard = fixture.file(&key(1)).parent().unwrap().to_owned();
        let elsewhere = fixture.root().parent().unwrap().join("elsewhere");
        fs::rename(&shard, &elsewhere).unwrap();
        symlink(&elsewhere, &shard).unwrap();
        assert_eq!(block_on(store.load(&key(1))).unwrap_err().kind(), StoreErrorKind::Unavailable);
    }

    fn a_link_in_the_place_of_a_principal(fixture) {
        // Shows: A32, A40
        let store = fixture.open();
        let elsewhere = fixture.root().parent().unwrap().join("elsewhere");
        fs::create_dir(&elsewhere).unwrap();
        let principal = PrincipalKey::from_bytes([1; 32]);
        let hex = principal.to_hex();
        let folder = fixture.root().join("by-principal").join(&hex[..2]);
        fs::create_dir(&folder).unwrap();
        symlink(&elsewhere, folder.join(&hex[2..])).unwrap();
        assert!(block_on(store.write(&key(1), entry("x").with_principal(principal), Expect::Absent)).is_err());
        assert!(block_on(store.as_principal_index().unwrap().keys_of(&principal, None, 10)).is_err());
        sweep_all(&store, START);
        assert_eq!((names(&elsewhere), load(&store, &key(1))), (vec![], None));
    }

    fn a_link_in_the_place_of_a_lock(fixture) {
        // Shows: A32
        let store = fixture.open();
        let target = fixture.root().parent().unwrap().join("target");
        let lock = fixture.root().join("lock").join(&key(1).to_hex()[..2]);
        fs::remove_file(&lock).unwrap();
        symlink(&target, &lock).unwrap();
        assert!(block_on(store.write(&key(1), entry("x"), Expect::Absent)).is_err());
        assert!(!target.exists());
    }

    fn a_link_in_the_place_of_the_root(fixture) {
        // Shows: A32
        drop(fixture.open());
        let link = fixture.root().with_extension("link");
        symlink(fixture.root(), &link).unwrap();
        for path in [link.clone(), link.join(""), link.join(".")] {
            let opened = session_store_file::FileStore::builder(&path).portable(fixture.portable).open();
            let error = opened.unwrap_err();
            assert!(matches!(error.rule(), RootRule::MustNotBeALink), "{}", path.display());
        }
    }
}

//! Nobody else can read what the store keeps, and a root that others can reach is refused.

use std::{
    fs,
    os::unix::{
        fs::{MetadataExt, PermissionsExt, chown},
        process::CommandExt,
    },
    path::Path,
};

use session_conformance::processes::{Task, task};
use session_core::{Expect, PrincipalKey, Store};
use session_store_file::{FileStore, RootRule};

use crate::common::*;

fn assert_private(folder: &Path) {
    let metadata = fs::symlink_metadata(folder).unwrap();
    let expected = if metadata.is_dir() { 0o700 } else { 0o600 };
    assert_eq!(metadata.mode() & 0o7777, expected, "{}", folder.display());
    if metadata.is_dir() {
        names(folder).iter().for_each(|name| assert_private(&folder.join(name)));
    }
}

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// The mask belongs to the whole process, so this is one.
fn write_under_a_umask(task: &Task) {
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(task.number("umask") as u32));
    let store = FileStore::builder(task.path("root")).portable(task.number("portable") == 1).open().unwrap();
    let entry = entry("x").with_principal(PrincipalKey::from_bytes([1; 32]));
    let version = create(&store, &key(1), entry.clone());
    create(&store, &key(2), entry.clone());
    stored(block_on(store.write(&key(1), entry.clone(), Expect::Version(version))).unwrap());
    fs::write(task.path("root").join(&key(2).to_hex()[..2]).join(&key(2).to_hex()[2..]), "damage").unwrap();
    assert!(block_on(store.load(&key(2))).is_err());
    create(&store, &key(2), entry);
}

/// Another user than the one that made the folders, who is not the superuser.
fn open_as_somebody_else(task: &Task) {
    let root = task.path("root");
    let open = || FileStore::builder(&root).portable(task.number("portable") == 1).open().unwrap_err();
    let error = open();
    match task.number("expected") {
        0 => {
            assert!(matches!(error.rule(), RootRule::MustBeOwned { owner: 0, process: 65_534 }), "{error:?}")
        }
        _ => assert!(matches!(error.rule(), RootRule::MustBeUsable(_)), "{error:?}"),
    }
}

on_both_paths! {
    fn modes_do_not_depend_on_the_umask(fixture) {
        if let Some(task) = task() {
            return write_under_a_umask(&task);
        }
        for umask in [0o000, 0o022, 0o077, 0o777] {
            let root = fixture.root().with_extension(format!("{umask:o}"));
            fixture.child()
                .with("root", root.display())
                .with("umask", umask)
                .finish();
            assert_private(&root);
        }
    }

    fn a_root_open_to_others_is_refused(fixture) {
        // Shows: A32
        drop(fixture.open());
        for mode in [0o701, 0o710, 0o750, 0o704, 0o777, 0o1777] {
            chmod(&fixture.root(), mode);
            let error = fixture.builder().open().unwrap_err();
            assert!(matches!(error.rule(), RootRule::MustBePrivate { mode: found } if *found == mode), "{error:?}");
            assert!(error.to_string().contains(&fixture.root().display().to_string()), "{error}");
        }
        chmod(&fixture.root(), 0o700);
        drop(fixture.open());
    }

    fn a_root_that_is_no_folder_is_refused(fixture) {
        fs::write(fixture.root(), "mine").unwrap();
        let error = fixture.builder().open().unwrap_err();
        assert!(matches!(error.rule(), RootRule::MustBeAFolder), "{error:?}");
        assert_eq!(fs::read(fixture.root()).unwrap(), b"mine");
    }

    fn a_root_of_somebody_else_is_refused(fixture) {
        // Shows: A32
        if let Some(task) = task() {
            return open_as_somebody_else(&task);
        }
        if !rustix::process::geteuid().is_root() {
            return skip("only the superuser can make a folder of another user");
        }
        drop(fixture.open());
        chown(fixture.root(), Some(65_534), None).unwrap();
        let error = fixture.builder().open().unwrap_err();
        assert!(matches!(error.rule(), RootRule::MustBeOwned { owner: 65_534, process: 0 }), "{error:?}");
        chown(fixture.root(), Some(0), None).unwrap();

        chmod(fixture.root().parent().unwrap(), 0o755);
        for (expected, mode) in [(0, 0o755), (1, 0o700)] {
            chmod(fixture.root().parent().unwrap(), mode);
            fixture.child()
                .with("expected", expected)
                .command(|command| _ = command.uid(65_534).gid(65_534))
                .finish();
        }
    }

    fn a_relative_root_stays_the_same_folder(fixture) {
        if let Some(task) = task() {
            return move_about(&task);
        }
        let parent = fixture.root().parent().unwrap().to_owned();
        fixture.child().with("root", parent.display()).finish();
        assert_eq!(fs::read_dir(parent.join("here/sessions")).unwrap().count(), 259);
    }
}

/// The current folder belongs to the whole process, so this is one.
fn move_about(task: &Task) {
    let root = task.path("root");
    fs::create_dir_all(root.join("here")).unwrap();
    fs::create_dir_all(root.join("there")).unwrap();
    std::env::set_current_dir(root.join("here")).unwrap();
    let store = FileStore::builder("sessions").portable(task.number("portable") == 1).open().unwrap();
    create(&store, &key(1), entry("x"));
    std::env::set_current_dir(root.join("there")).unwrap();
    assert_eq!(load(&store, &key(1)).unwrap(), b"x");
    block_on(store.as_environment().unwrap().create()).unwrap();
    assert_eq!(names(&root.join("there")), Vec::<String>::new());
}

//! Making, checking and removing the folders.

use std::fs;

use session_core::{Expect, Store, StoreErrorKind};
use session_store_file::RootRule;

use crate::common::*;

fn messages(problems: &[session_core::StoreError]) -> Vec<String> {
    problems.iter().map(|problem| std::error::Error::source(problem).unwrap().to_string()).collect()
}

on_both_paths! {
    fn a_created_environment_is_in_order_and_creating_it_again_changes_nothing(fixture) {
        let store = fixture.open();
        create(&store, &key(1), entry("x"));
        let environment = store.as_environment().unwrap();
        block_on(environment.check()).unwrap();
        block_on(environment.create()).unwrap();
        block_on(environment.check()).unwrap();
        assert_eq!(load(&store, &key(1)).unwrap(), b"x");
    }

    fn every_problem_is_named(fixture) {
        let store = fixture.open();
        fs::remove_dir(fixture.root().join("3f")).unwrap();
        fs::remove_dir(fixture.root().join("40")).unwrap();
        fs::write(fixture.root().join("40"), "").unwrap();
        fs::remove_file(fixture.root().join("lock/77")).unwrap();
        let problems = block_on(store.as_environment().unwrap().check()).unwrap_err();
        assert_eq!(messages(&problems), ["3f is missing", "40 is unusable", "lock/77 is missing"]);
        assert!(!fixture.root().join("3f").exists() && !fixture.root().join("lock/77").exists());
        fs::remove_file(fixture.root().join("40")).unwrap();
        block_on(store.as_environment().unwrap().create()).unwrap();
        block_on(store.as_environment().unwrap().check()).unwrap();
    }

    fn a_dropped_environment_is_gone_and_can_be_created_again(fixture) {
        let store = fixture.open();
        let principal = session_core::PrincipalKey::from_bytes([1; 32]);
        for number in 0..50 {
            create(&store, &key(number), entry("x").with_principal(principal));
        }
        fs::write(fixture.file(&key(1)), "damage").unwrap();
        assert!(block_on(store.load(&key(1))).is_err());
        fs::write(fixture.file(&key(2)).with_extension("0123456789abcdef.tmp"), "").unwrap();

        let environment = store.as_environment().unwrap();
        block_on(environment.drop()).unwrap();
        assert!(!fixture.root().exists());
        assert_eq!(block_on(store.load(&key(3))).unwrap_err().kind(), StoreErrorKind::Unavailable);
        assert!(block_on(store.write(&key(3), entry("x"), Expect::Absent)).is_err());
        assert!(block_on(environment.check()).is_err());

        block_on(environment.create()).unwrap();
        block_on(environment.check()).unwrap();
        assert_eq!(load(&store, &key(3)), None);
        create(&store, &key(3), entry("x"));
    }

    fn what_is_not_the_stores_stays_and_is_named(fixture) {
        // Shows: A45
        let store = fixture.open();
        create(&store, &key(1), entry("x"));
        let foreign = fixture.file(&key(1)).with_file_name("notes");
        fs::write(&foreign, "mine").unwrap();
        let problems = block_on(store.as_environment().unwrap().drop()).unwrap_err();
        assert_eq!(messages(&problems), [format!("{} holds something that is not the store's", &key(1).to_hex()[..2])]);
        assert_eq!(fs::read(&foreign).unwrap(), b"mine");
        assert_eq!(fixture.files(), std::slice::from_ref(&foreign));

        fs::remove_file(foreign).unwrap();
        fs::write(fixture.root().join("notes"), "mine").unwrap();
        let problems = block_on(store.as_environment().unwrap().drop()).unwrap_err();
        assert_eq!(messages(&problems), [". holds something that is not the store's"]);
        assert_eq!(names(&fixture.root()), ["notes"]);
    }

    fn lost_locks_are_made_again(fixture) {
        let store = fixture.open();
        let version = create(&store, &key(1), entry("x"));
        fs::remove_dir_all(fixture.root().join("lock")).unwrap();
        stored(block_on(store.write(&key(1), entry("y"), Expect::Version(version))).unwrap());
        assert_eq!(load(&store, &key(1)).unwrap(), b"y");
    }

    fn a_store_that_is_only_looked_at_is_not_changed(fixture) {
        let error = fixture.builder().create(false).open().unwrap_err();
        assert!(matches!(error.rule(), RootRule::MustExist));
        assert!(!fixture.root().exists());

        create(&fixture.open(), &key(1), entry("x"));
        fs::remove_dir(fixture.root().join("3f")).unwrap();
        fs::remove_file(fixture.root().join("lock/77")).unwrap();
        let store = fixture.builder().create(false).open().unwrap();
        assert_eq!(load(&store, &key(1)).unwrap(), b"x");
        let problems = block_on(store.as_environment().unwrap().check()).unwrap_err();
        assert_eq!(messages(&problems), ["3f is missing", "lock/77 is missing"]);
        assert!(!fixture.root().join("3f").exists() && !fixture.root().join("lock/77").exists());
    }

    fn a_root_that_must_exist_is_not_created(fixture) {
        let error = fixture.builder().create_root(false).open().unwrap_err();
        assert!(matches!(error.rule(), RootRule::MustExist), "{error}");
        assert_eq!(error.path(), fixture.root());
        assert!(!fixture.root().exists());
        drop(fixture.open());
        fixture.builder().create_root(false).open().unwrap();
    }

    fn a_root_that_somebody_deleted_is_an_outage_for_writes(fixture) {
        let store = fixture.open();
        create(&store, &key(1), entry("x"));
        fs::remove_dir_all(fixture.root()).unwrap();
        let error = block_on(store.write(&key(1), entry("x"), Expect::Absent)).unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Unavailable);
        assert!(!fixture.root().exists());
        block_on(store.as_environment().unwrap().create()).unwrap();
        create(&store, &key(1), entry("x"));
    }
}

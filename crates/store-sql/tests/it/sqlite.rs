//! What only files have.

use std::os::unix::fs::PermissionsExt;

use session_core::{Expect, Removed, Store, StoreErrorKind};
use session_store_sql::{OpenError, SqlStore, SqliteDurability};

use crate::common::*;

fn on_a_file<F: Future<Output = ()>>(case: impl FnOnce(Lab) -> F) {
    run(Kind::Sqlite, "", case);
}

#[test]
fn a_file_is_for_its_owner_only() {
    on_a_file(|lab| async move {
        let store = lab.open().await;
        create(&store, &key(1), entry("x")).await;
        for suffix in ["", "-wal", "-shm"] {
            let file = format!("{}{suffix}", lab.file().display());
            let mode = std::fs::metadata(&file).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{file}");
        }
    });
}

#[test]
fn the_file_is_in_wal_mode_and_as_durable_as_asked() {
    on_a_file(|lab| async move {
        drop(lab.open().await);
        assert_eq!(
            lab.number("SELECT count(*) FROM pragma_journal_mode WHERE journal_mode = 'wal'").await,
            1
        );
        let relaxed = lab.builder().sqlite_durability(SqliteDurability::Normal);
        create(&relaxed.connect(&lab.url).await.unwrap(), &key(1), entry("x")).await;
    });
}

#[test]
fn a_folder_that_is_not_there_is_an_error() {
    on_a_file(|lab| async move {
        let error = SqlStore::connect("sqlite:/nonexistent/folder/sessions.db").await.unwrap_err();
        assert!(matches!(error, OpenError::File(_)), "{error:?}");
        std::fs::write(lab.file(), "this is no database, and long enough to be looked at closely by SQLite")
            .unwrap();
        let error = SqlStore::connect(&lab.url).await.unwrap_err();
        let OpenError::Environment(problems) = error else { panic!("{error:?}") };
        assert_eq!(problems[0].kind(), StoreErrorKind::Corrupt);
    });
}

/// Pages in the middle of the file are overwritten, as by a bad disk.
#[test]
fn a_damaged_file_is_corrupt_and_not_absent() {
    on_a_file(|lab| async move {
        let store = lab.open().await;
        for number in 0..300 {
            create(&store, &key(number), entry(vec![7; 1_000])).await;
        }
        lab.sql("PRAGMA wal_checkpoint(TRUNCATE)").await;
        store.close().await;
        let mut file = std::fs::read(lab.file()).unwrap();
        let pages = file.len() / 4_096;
        for page in (8..pages).step_by(2) {
            file[page * 4_096..][..4_096].fill(0xff);
        }
        std::fs::write(lab.file(), file).unwrap();
        let store = lab.builder().connect_lazy(&lab.url).unwrap();
        let (mut whole, mut corrupt) = (0, 0);
        for number in 0..300 {
            match store.load(&key(number)).await {
                Ok(Some(stored)) => {
                    assert_eq!(stored.bytes, vec![7; 1_000]);
                    whole += 1;
                }
                Ok(None) => panic!("a damaged record is reported as absent"),
                Err(error) => {
                    assert_eq!(error.kind(), StoreErrorKind::Corrupt, "{}", told(&error));
                    corrupt += 1;
                }
            }
        }
        assert!(whole > 0 && corrupt > 0, "{whole} {corrupt}");
    });
}

#[test]
fn memory_is_one_database_for_each_store_and_outlives_calls_that_are_dropped() {
    on_a_file(|lab| async move {
        let open = || lab.builder().connect("sqlite::memory:");
        let (one, two) = (open().await.unwrap(), open().await.unwrap());
        let version = create(&one, &key(1), entry("x")).await;
        assert_eq!(load(&two, &key(1)).await, None);
        for _ in 0..50 {
            let other = key(2);
            let write = one.write(&other, entry("y"), Expect::Absent);
            let _ = tokio::time::timeout(std::time::Duration::ZERO, write).await;
        }
        assert_eq!(load(&one, &key(1)).await.unwrap(), b"x");
        assert_eq!(one.remove(&key(1), Some(version)).await.unwrap(), Removed::Gone);
    });
}

/// Beside the kit's cases of full stores: with the disk itself as the bound.
#[test]
fn a_full_file_reads_removes_and_takes_again() {
    on_a_file(|lab| async move {
        let store = lab.builder().sqlite_max_bytes(200 << 10).connect(&lab.url).await.unwrap();
        let mut written = 0;
        let error = loop {
            match store.write(&key(written), entry(vec![1; 2_000]), Expect::Absent).await {
                Ok(_) => written += 1,
                Err(error) => break error,
            }
        };
        assert_eq!(error.kind(), StoreErrorKind::Full);
        assert!((20..100).contains(&written), "{written}");
        for number in 0..written {
            assert_eq!(load(&store, &key(number)).await.unwrap(), vec![1; 2_000]);
            assert_eq!(store.remove(&key(number), None).await.unwrap(), Removed::Gone);
        }
        create(&store, &key(0), entry(vec![1; 2_000])).await;
    });
}

//! A full disk: nothing new is taken, nothing old is lost, and what makes room works.

use std::{fs, io::Write, os::unix::fs::PermissionsExt, path::PathBuf, process::Command};

use session_core::{Environment, Expect, Removed, Store, StoreErrorKind};
use session_store_sql::SqlStore;
use session_test_servers::{MariadbRecipe, PostgresServer};
use sqlx::Connection;

use crate::common::*;

/// A small file system in memory, unmounted in the end.
struct Mount {
    at: PathBuf,
    _folder: tempfile::TempDir,
}

impl Mount {
    /// Of this many megabytes; nothing if this process may not mount, which is said.
    fn new(megabytes: u32) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o711)).unwrap();
        let at = folder.path().join("mount");
        fs::create_dir(&at).unwrap();
        // For nobody, who runs the servers where this runs as root.
        let options = format!("mode=0700,uid=65534,gid=65534,size={megabytes}m");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(&at).output();
        match mounted {
            Ok(output) if output.status.success() => Some(Self { at, _folder: folder }),
            refused => {
                session_conformance::skip(format_args!("cannot mount a small file system: {refused:?}"));
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

/// Such as cannot be compressed.
fn bytes() -> Vec<u8> {
    (0..625).flat_map(|number| *key(number).as_bytes()).collect()
}

/// Fills the disk with records, a few of which are checked afterwards. Answers how many there are.
async fn fill(store: &SqlStore) -> u64 {
    for number in 0.. {
        match store.write(&key(number), entry(bytes()), Expect::Absent).await {
            Ok(_) => {}
            Err(error) => {
                assert_eq!(error.kind(), StoreErrorKind::Full, "{}", told(&error));
                assert!(number > 10, "{number}");
                return number;
            }
        }
    }
    unreachable!("a disk has an end")
}

async fn all_are_there(store: &SqlStore, records: u64) {
    for number in 0..records {
        assert_eq!(load(store, &key(number)).await.unwrap(), bytes());
    }
}

/// Where the database has room for what it needs to remove.
async fn removals_work(store: &SqlStore, records: u64) {
    for number in 0..records {
        assert_eq!(store.remove(&key(number), None).await.unwrap(), Removed::Gone);
        assert_eq!(load(store, &key(number)).await, None);
    }
}

#[test]
fn postgres_on_a_full_disk_reads_and_removes() {
    run(Kind::Postgres, "", |lab: Lab| async move {
        let Some(mount) = Mount::new(4) else { return };
        let Some(server) = installed(PostgresServer::start()) else { return };
        let mut operator = sqlx::PgConnection::connect(&server.url()).await.unwrap();
        let sql = format!("CREATE TABLESPACE small LOCATION '{}'", mount.at.display());
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut operator).await.unwrap();
        let url = format!("{}&options[default_tablespace]=small", server.url());
        let store = lab.builder().connect(&url).await.unwrap();
        let records = fill(&store).await;
        all_are_there(&store, records).await;
        removals_work(&store, records).await;
        Environment::drop(&store).await.unwrap();
        Environment::create(&store).await.unwrap();
        create(&store, &key(0), entry(bytes())).await;
        drop((operator, server, mount));
    });
}

#[test]
fn mariadb_with_a_full_table_space_reads_and_removes() {
    run(Kind::MySql, "", |lab: Lab| async move {
        let recipe = MariadbRecipe::default().set("innodb-file-per-table", "OFF");
        let recipe = recipe.set("innodb-data-file-path", "ibdata1:12M:autoextend:max:24M");
        let Some(server) = installed(recipe.start()) else { return };
        let store = lab.builder().connect(&server.url()).await.unwrap();
        let records = fill(&store).await;
        all_are_there(&store, records).await;
        removals_work(&store, records).await;
    });
}

/// A removal in SQLite needs room in the log, which is up to 4 MiB, and is an error if there is none; with a bound of the
/// store's own there
/// always is (`sqlite::a_full_file_reads_removes_and_takes_again`).
#[test]
fn sqlite_on_a_full_disk_reads_and_says_what_it_cannot() {
    run(Kind::Sqlite, "", |lab: Lab| async move {
        let Some(mount) = Mount::new(24) else { return };
        let ballast = mount.at.join("ballast");
        fs::write(&ballast, vec![0; 6 << 20]).unwrap();
        let file = mount.at.join("sessions.db");
        let store = lab.builder().connect(&format!("sqlite:{}", file.display())).await.unwrap();
        let records = fill(&store).await;
        all_are_there(&store, records).await;
        match store.remove(&key(0), None).await {
            Ok(Removed::Gone) => assert_eq!(load(&store, &key(0)).await, None),
            Ok(Removed::Conflict) => panic!("a removal that expects nothing conflicts"),
            Err(error) => {
                assert_eq!(error.kind(), StoreErrorKind::Full, "{}", told(&error));
                assert!(load(&store, &key(0)).await.is_some());
            }
        }
        fs::remove_file(&ballast).unwrap();
        removals_work(&store, records).await;
        create(&store, &key(0), entry(bytes())).await;
        Environment::check(&store).await.unwrap();
        store.close().await;
    });
}

/// What the log holds is copied to where it belongs when the disk is full, and the log begins again: the room that it has
/// taken is enough for every removal, as many as there are.
#[test]
fn sqlite_on_a_full_disk_removes_in_the_room_of_its_log() {
    run(Kind::Sqlite, "", |lab: Lab| async move {
        let Some(mount) = Mount::new(24) else { return };
        let url = format!("sqlite:{}", mount.at.join("sessions.db").display());
        let store = lab.builder().connect(&url).await.unwrap();
        let mut versions = Vec::new();
        for number in 0..RECORDS {
            versions.push(create(&store, &key(number), entry(bytes())).await);
        }
        // All of it into the file, so that a copy from the log needs no more room there.
        let mut operator = sqlx::SqliteConnection::connect(&url).await.unwrap();
        sqlx::raw_sql("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut operator).await.unwrap();
        drop(operator);
        for (number, version) in (0..RECORDS).zip(versions) {
            let again = store.write(&key(number), entry(bytes()), Expect::Version(version)).await;
            stored(again.unwrap());
        }
        let log = mount.at.join("sessions.db-wal");
        let before = fs::metadata(&log).unwrap().len();
        assert!(before > 100 << 10, "{before} bytes in the log");
        fill_up(&mount);
        removals_work(&store, RECORDS).await;
        let after = fs::metadata(&log).unwrap().len();
        assert!(
            after <= before.next_multiple_of(4_096),
            "there was room for a longer log: {before}, {after}"
        );
        store.close().await;
    });
}

/// To the last byte.
fn fill_up(mount: &Mount) {
    let mut ballast = fs::File::create(mount.at.join("ballast")).unwrap();
    let full = loop {
        if let Err(error) = ballast.write_all(&[0; 4_096]) {
            break error;
        }
    };
    assert_eq!(full.kind(), std::io::ErrorKind::StorageFull);
}

/// More than fit into the room of the log at once, once they are removed.
const RECORDS: u64 = 60;

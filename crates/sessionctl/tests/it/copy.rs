//! `copy`.

use std::{
    io::{BufRead, BufReader},
    process::Stdio,
    time::{Duration, SystemTime},
};

use serde_json::Value;
use session_core::{Entry, Expect, StoreKey};

use crate::support::*;

fn arguments<'a>(from: &'a Lab, to: &'a Lab) -> Vec<&'a str> {
    let mut arguments = vec!["copy", &*from.url, &*to.url, "--deadline", "60s"];
    for (lab, option) in [(from, "--from-prefix"), (to, "--to-prefix")] {
        arguments.extend(lab.names.get(1).into_iter().flat_map(|prefix| [option, prefix]));
    }
    arguments
}

fn copy(from: &Lab, to: &Lab) -> Ran {
    run(&[&arguments(from, to)[..], &["--json"]].concat())
}

#[track_caller]
fn counts(copied: &Value, expected: [(&str, usize); 4]) {
    for (name, number) in expected {
        assert_eq!(copied[name], number, "{name}: {copied}");
    }
}

/// There, and on to the next store, and back.
fn around(kinds: &[Kind]) {
    let Some(labs) = kinds.iter().map(|kind| Lab::new(*kind)).collect::<Option<Vec<_>>>() else { return };
    let ids = labs[0].fill(5, 3, 4);
    for pair in labs.windows(2) {
        counts(
            &copy(&pair[0], &pair[1]).ok().json(),
            [("copied", 12), ("already_there", 0), ("verified", 12), ("missing", 0)],
        );
        counts(
            &copy(&pair[0], &pair[1]).ok().json(),
            [("copied", 0), ("already_there", 12), ("verified", 12), ("missing", 0)],
        );
        // With their principals, and under ids that work.
        let mut here = pair[1].handles(&["--principal", "ann"]);
        let mut there = pair[0].handles(&["--principal", "ann"]);
        here.sort();
        there.sort();
        assert_eq!((here.len(), &here), (5, &there));
    }
    labs.last().unwrap().with(async |manager| {
        for id in &ids {
            let request =
                http::Request::builder().header("cookie", format!("__Host-id={id}")).body(()).unwrap();
            let opened = manager.open(&session_core::RequestHead::from(&request)).await;
            let session_core::Opened::Continue(lazy) = opened else { panic!("a redirect") };
            assert_eq!(lazy.load().await.unwrap().get::<String>("note").unwrap().as_deref(), Some(SECRET));
        }
    });
}

#[test]
fn sessions_go_from_files_to_sqlite_and_back() {
    around(&[Kind::File, Kind::Sqlite, Kind::File]);
}

#[test]
fn sessions_go_from_files_to_sqlite_to_redis_and_back() {
    around(&[Kind::File, Kind::Sqlite, Kind::Redis, Kind::File]);
}

#[test]
fn sessions_go_from_redis_to_a_cluster_and_back() {
    around(&[Kind::Redis, Kind::Cluster, Kind::Redis]);
}

#[test]
fn sessions_go_from_postgres_to_mysql_and_back() {
    around(&[Kind::Postgres, Kind::MySql, Kind::Postgres]);
}

#[test]
fn expired_records_are_left_out() {
    let (from, to) = (Lab::new(Kind::File).unwrap(), Lab::new(Kind::Sqlite).unwrap());
    from.fill(1, 0, 0);
    block_on(async {
        let entry = Entry::new("x", SystemTime::now() - Duration::from_secs(60));
        let _ =
            from.store().await.write(&StoreKey::from_bytes([9; 32]), entry, Expect::Absent).await.unwrap();
    });
    let copied = copy(&from, &to).ok().json();
    counts(&copied, [("copied", 1), ("expired", 1), ("verified", 1), ("missing", 0)]);
}

#[test]
fn a_record_that_differs_is_reported_and_left_alone() {
    let (from, to) = (Lab::new(Kind::File).unwrap(), Lab::new(Kind::Sqlite).unwrap());
    from.fill(0, 0, 3);
    copy(&from, &to).ok();
    let handle = from.handles(&[]).remove(0);
    let key = StoreKey::from_hex(&handle).unwrap();
    let theirs = block_on(async {
        let store = to.store().await;
        let stored = store.load(&key).await.unwrap().unwrap();
        let entry = Entry::new("another", stored.expires_at);
        let _ = store.write(&key, entry, Expect::Version(stored.version)).await.unwrap();
        store.load(&key).await.unwrap().unwrap()
    });
    let ran = copy(&from, &to);
    assert_eq!((ran.code, &*ran.err), (1, ""), "{ran:?}");
    counts(&ran.json(), [("copied", 0), ("already_there", 2), ("verified", 2), ("missing", 0)]);
    assert_eq!(ran.json()["differing"], serde_json::json!([handle]));
    assert_eq!(block_on(async { to.store().await.load(&key).await.unwrap().unwrap() }), theirs);

    let told = run(&arguments(&from, &to));
    assert_eq!(told.code, 1);
    assert!(told.out.contains(&format!("differs: {handle}")), "{told:?}");
    assert!(told.out.lines().all(|line| line.chars().count() <= 80), "{}", told.out);
}

#[test]
fn a_copy_that_was_killed_goes_on() {
    const SESSIONS: u16 = 3_000;
    let (from, to) = (Lab::new(Kind::Sqlite).unwrap(), Lab::new(Kind::File).unwrap());
    block_on(async {
        let store = from.store().await;
        let expires_at = SystemTime::now() + Duration::from_secs(3_600);
        for number in 0..SESSIONS {
            let mut key = [7; 32];
            key[..2].copy_from_slice(&number.to_be_bytes());
            let entry = Entry::new(number.to_be_bytes(), expires_at);
            let _ = store.write(&StoreKey::from_bytes(key), entry, Expect::Absent).await.unwrap();
        }
    });
    let there = || walk(&to.folder.path().join("sessions"));
    let mut child = command(&arguments(&from, &to)).stdout(Stdio::piped()).spawn().unwrap();
    // Killed when it has copied some, whenever that is.
    while there() < 50 && child.try_wait().unwrap().is_none() {}
    child.kill().unwrap();
    let mut rest = String::new();
    let _ = BufReader::new(child.stdout.take().unwrap()).read_line(&mut rest);
    child.wait().unwrap();
    let before = there();
    assert!(before >= 50, "{before}");

    let copied = copy(&from, &to).ok().json();
    counts(
        &copied,
        [
            ("already_there", before),
            ("copied", usize::from(SESSIONS) - before),
            ("verified", SESSIONS.into()),
            ("missing", 0),
        ],
    );
    println!("killed after {before} of {SESSIONS}");
}

/// How many records a folder of sessions has.
fn walk(root: &std::path::Path) -> usize {
    let folders = (0..=255_u8).filter_map(|byte| std::fs::read_dir(root.join(format!("{byte:02x}"))).ok());
    let names = folders.flatten().flatten().map(|entry| entry.file_name());
    names.filter(|name| name.len() == 62).count()
}

#[test]
fn nothing_is_copied_to_where_no_store_was_made() {
    let (from, to) = (Lab::new(Kind::File).unwrap(), Lab::without_environment(Kind::Sqlite).unwrap());
    from.fill(0, 0, 1);
    let ran = copy(&from, &to);
    assert_eq!((ran.code, &*ran.out), (1, ""), "{ran:?}");
    assert!(ran.err.contains("TO is not ready"), "{ran:?}");
    let same = run(&["copy", &from.url, &from.url]);
    assert_eq!(same.code, 2, "{same:?}");
    assert_eq!(run(&["copy", &from.url, "redis://"]).code, 2);
    assert_eq!(run(&["copy", &from.url]).code, 2);
}

//! `sweep`.

use std::time::{Duration, SystemTime};

use session_core::{Entry, Expect, StoreKey};

use crate::support::*;

const DAY: Duration = Duration::from_secs(86_400);

/// Records that expired 1, 2, … days ago.
fn expired(lab: &Lab, days: u8) {
    block_on(async {
        let store = lab.store().await;
        for day in 1..=days {
            let entry = Entry::new([day; 9], SystemTime::now() - DAY * day.into() - DAY / 2);
            let _ = store.write(&StoreKey::from_bytes([day; 32]), entry, Expect::Absent).await.unwrap();
        }
    });
}

fn deletes_by_itself(lab: &Lab) -> bool {
    lab.url.starts_with("redis")
}

on_each_store! {
    fn what_has_expired_is_deleted_and_nothing_else(lab) {
        lab.fill(1, 0, 1);
        expired(lab, 5);
        if deletes_by_itself(lab) {
            let told = lab.run(&["sweep"]).ok().out;
            assert!(told.contains("by itself"), "{told}");
            assert_eq!(lab.json(&["sweep"])["by_itself"], true);
            return;
        }
        let dry = lab.json(&["sweep", "--dry-run"]);
        assert_eq!((&dry["dry_run"], &dry["would_remove"], &dry["removed"]), (&true.into(), &5.into(), &0.into()));
        assert_eq!(dry["examined"], 7);
        assert_eq!(lab.json(&["sweep"])["removed"], 5);
        assert_eq!(lab.json(&["sweep", "--dry-run"])["would_remove"], 0);
        assert_eq!(lab.json(&["stats"])["live"], 2);
    }

    fn a_range_is_kept_to(lab) {
        if deletes_by_itself(lab) {
            return;
        }
        expired(lab, 6);
        let range = ["--expired-from", "5d", "--expired-before", "3d"];
        assert_eq!(lab.json(&[&["sweep", "--dry-run"], &range[..]].concat())["would_remove"], 2);
        assert_eq!(lab.json(&[&["sweep"], &range[..]].concat())["removed"], 2);
        assert_eq!(lab.json(&["sweep", "--expired-before", "5d", "--dry-run"])["would_remove"], 2);
        assert_eq!(lab.json(&["sweep"])["removed"], 4);
    }
}

#[test]
fn live_sessions_cannot_be_swept() {
    let lab = Lab::new(Kind::File).unwrap();
    lab.fill(1, 0, 0);
    for arguments in [
        &["sweep", "--expired-before", "9998-01-01"][..],
        &["sweep", "--expired-before", "tomorrow"],
        &["sweep", "--expired-before", "-1d"],
        &["sweep", "--expired-from", "1d", "--expired-before", "2d"],
    ] {
        let ran = lab.run(arguments);
        assert_eq!((ran.code, &*ran.out), (2, ""), "{arguments:?}: {ran:?}");
    }
    assert_eq!(lab.handles(&[]).len(), 1);
}

//! `stats`.

use crate::support::*;

on_each_store! {
    fn every_record_is_counted_once(lab) {
        lab.fill(3, 2, 4);
        let stats = lab.json(&["stats"]);
        for (name, number) in
            [("records", 9), ("live", 9), ("signed_in", 5), ("visitors", 4), ("expired", 0), ("unreadable", 0)]
        {
            assert_eq!(stats[name], number, "{name}: {stats}");
        }
        let bytes: u64 = lab.json(&["list"])["sessions"].as_array().unwrap().iter()
            .map(|session| session["bytes"].as_u64().unwrap()).sum();
        assert_eq!(stats["bytes"], bytes);
        assert!(stats["oldest_created"].as_str() <= stats["newest_created"].as_str());
        let told = lab.run(&["stats"]).ok().out;
        assert!(told.lines().all(|line| line.chars().count() <= 80), "{told}");
    }
}

#[test]
fn what_is_no_session_any_more_is_counted_apart() {
    let lab = Lab::new(Kind::Sqlite).unwrap();
    lab.with(async |manager| {
        let id = visit(&manager, None).await;
        sign_in(&manager, &id, "ann").await;
        // Ended by the time that the application has set, and not swept yet.
        let entry = session_core::Entry::new(superseded_or_not(&lab).await, std::time::UNIX_EPOCH);
        let key = session_core::StoreKey::from_bytes([9; 32]);
        let _ = lab.store().await.write(&key, entry, session_core::Expect::Absent).await.unwrap();
    });
    let stats = lab.json(&["stats"]);
    for (name, number) in [("records", 3), ("live", 1), ("signed_in", 1), ("superseded", 1), ("expired", 1)] {
        assert_eq!(stats[name], number, "{name}: {stats}");
    }
    assert_eq!(lab.handles(&[]).len(), 1);
    let all = lab.json(&["list", "--all"]);
    let mut states: Vec<_> =
        all["sessions"].as_array().unwrap().iter().map(|session| session["state"].as_str()).collect();
    states.sort();
    assert_eq!(states, [Some("expired"), Some("live"), Some("superseded")]);
}

/// The bytes of some record.
async fn superseded_or_not(lab: &Lab) -> Vec<u8> {
    let store = lab.store().await;
    let page = store.as_scan().unwrap().scan(None, 1).await.unwrap();
    page.entries[0].1.bytes.to_vec()
}

#[test]
fn what_cannot_be_read_is_counted_and_not_shown() {
    let lab = Lab::new(Kind::File).unwrap();
    lab.fill(0, 0, 2);
    let handle = lab.handles(&[]).remove(0);
    let (folder, name) = handle.split_at(2);
    std::fs::write(lab.folder.path().join("sessions").join(folder).join(name), "damage").unwrap();
    let stats = lab.json(&["stats"]);
    assert_eq!((&stats["records"], &stats["unreadable"]), (&2.into(), &1.into()));
    assert_eq!(lab.json(&["list"])["unreadable"], 1);
}

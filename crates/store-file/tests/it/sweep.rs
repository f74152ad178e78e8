//! A sweep deletes what has expired and what was left behind, opens nothing else, and touches nothing else.

use std::{
    fs::{self, File, FileTimes},
    path::PathBuf,
    time::Duration,
};

use session_core::{Entry, Expect, Store, SweepRequest};

use crate::common::*;

fn until(seconds: u64) -> Entry {
    Entry::new(seconds.to_string(), at(seconds))
}

on_both_paths! {
    fn only_what_has_expired_is_deleted(fixture) {
        let store = fixture.open();
        for number in 0..100 {
            create(&store, &key(number), until(START + number));
        }
        let swept = sweep_all(&store, START + 50);
        assert_eq!((swept.examined, swept.removed, swept.failed), (100, 50, 0));
        assert_eq!(store.stats().swept_opened, 50, "a live record was opened");
        for number in 0..100 {
            assert_eq!(load(&store, &key(number)).is_some(), number >= 50, "{number}");
        }
        let again = sweep_all(&store, START + 50);
        assert_eq!((again.examined, again.removed), (50, 0));
        assert_eq!(store.stats().swept_opened, 50);
    }

    fn a_range_is_kept_to(fixture) {
        let store = fixture.open();
        for number in 0..30 {
            create(&store, &key(number), until(START + number));
        }
        let request = SweepRequest::before(at(START + 20)).from(at(START + 10));
        assert_eq!(sweep_with(&store, request).removed, 10);
        for number in 0..30 {
            assert_eq!(load(&store, &key(number)).is_some(), !(10..20).contains(&number), "{number}");
        }
    }

    fn a_budget_is_kept_to_and_the_next_call_goes_on(fixture) {
        let store = fixture.open();
        // Half of them in one folder, so that a call has to end within it.
        let keys: Vec<_> = (0..40).map(|number| if number % 2 == 0 { key(number) } else { in_shard(7, number) }).collect();
        keys.iter().for_each(|key| _ = create(&store, key, until(START)));
        let (mut calls, mut removed) = (0, 0);
        loop {
            let request = SweepRequest::before(at(START + 1)).budget(3);
            let swept = block_on(store.as_sweep().unwrap().sweep(request)).unwrap();
            assert!(swept.examined <= 3);
            calls += 1;
            removed += swept.removed;
            if swept.finished {
                break;
            }
        }
        assert_eq!(removed, 40);
        assert!((14..=16).contains(&calls), "{calls}");
        assert_eq!(fixture.files(), Vec::<PathBuf>::new());
    }

    fn what_a_dead_process_left_behind_is_deleted(fixture) {
        let store = fixture.open();
        create(&store, &key(1), until(START + 1));
        let temporary = fixture.file(&key(1)).with_extension("0123456789abcdef.tmp");
        fs::write(&temporary, "half a record").unwrap();
        let elsewhere = fixture.file(&key(2)).with_extension("0123456789abcdef.tmp");
        fs::write(&elsewhere, "").unwrap();
        let swept = sweep_all(&store, START);
        assert_eq!((swept.removed, swept.failed, store.stats().orphans_removed), (0, 0, 2));
        assert_eq!(fixture.files(), [fixture.file(&key(1))]);
    }

    fn foreign_files_are_counted_and_left_alone(fixture) {
        // Shows: A45
        let store = fixture.open();
        let shard = fixture.file(&key(1)).parent().unwrap().to_owned();
        let foreign = [
            shard.join("README"),
            shard.join("0".repeat(61)),
            shard.join(format!("{}.bak", "0".repeat(62))),
            shard.join(format!("{}.tmp", "0".repeat(62))),
            shard.join("F".repeat(62)),
        ];
        for path in &foreign {
            fs::write(path, "mine").unwrap();
        }
        let folder = shard.join("f".repeat(62));
        fs::create_dir(&folder).unwrap();
        let swept = sweep_all(&store, START + 10_000_000);
        assert_eq!((swept.removed, swept.failed), (0, 1));
        assert_eq!(store.stats().foreign_seen, 5);
        assert!(foreign.iter().all(|path| fs::read(path).unwrap() == b"mine") && folder.is_dir());
    }

    fn a_time_that_lies_costs_an_opening_and_no_record(fixture) {
        let store = fixture.open();
        create(&store, &key(1), until(START + 1_000));
        let file = File::options().write(true).open(fixture.file(&key(1))).unwrap();
        file.set_times(FileTimes::new().set_modified(at(START - 1_000))).unwrap();
        let swept = sweep_all(&store, START);
        assert_eq!((swept.removed, swept.failed, store.stats().swept_opened), (0, 0, 1));
        assert_eq!(sweep_all(&store, START + 1_001).removed, 1);
    }

    fn damage_is_counted_and_does_not_stop_a_sweep(fixture) {
        let store = fixture.open();
        for number in 0..20 {
            create(&store, &key(number), until(START));
        }
        for number in 0..5 {
            fs::write(fixture.file(&key(number)), "damage").unwrap();
            let file = File::options().write(true).open(fixture.file(&key(number))).unwrap();
            file.set_times(FileTimes::new().set_modified(at(START))).unwrap();
        }
        let swept = sweep_all(&store, START + 1);
        assert_eq!((swept.examined, swept.removed, swept.failed), (20, 15, 5));
        assert_eq!(fixture.quarantined().len(), 5);
    }

    fn one_sweeps_at_a_time(fixture) {
        let store = fixture.open();
        create(&store, &key(1), until(START));
        let elected = File::options().write(true).open(fixture.root().join("lock/sweep")).unwrap();
        elected.lock().unwrap();
        let swept = sweep_all(&store, START + 1);
        assert_eq!((swept.examined, swept.finished), (0, true));
        drop(elected);
        assert_eq!(sweep_all(&store, START + 1).removed, 1);
    }

    fn a_renewed_record_survives_every_sweep(fixture) {
        // Shows: A46
        let (store, other) = (fixture.open(), fixture.open());
        let mut version = create(&store, &key(1), until(START));
        let renewals = 300;
        let done = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(std::sync::atomic::Ordering::Relaxed) {
                    sweep_all(&other, START + 1);
                }
            });
            for round in 0..renewals {
                // Expired or renewed in turn: what expires may vanish, what was renewed may not.
                let expires_at = if round % 2 == 0 { at(START + 10) } else { at(START) };
                let entry = Entry::new("x", expires_at);
                match block_on(store.write(&key(1), entry.clone(), Expect::Version(version))).unwrap() {
                    session_core::Written::Stored(next) => version = next,
                    session_core::Written::Conflict => {
                        assert_eq!(round % 2, 0, "a live record was deleted");
                        version = create(&store, &key(1), entry);
                    }
                }
            }
            done.store(true, std::sync::atomic::Ordering::Relaxed);
        });
    }

    fn a_lost_folder_is_made_again(fixture) {
        let store = fixture.open();
        let shard = fixture.file(&key(1)).parent().unwrap().to_owned();
        for lost in [shard.clone(), fixture.root().join("by-principal")] {
            fs::remove_dir(lost).unwrap();
        }
        fs::remove_dir_all(fixture.root().join("lock")).unwrap();
        fs::remove_dir_all(fixture.root().join("quarantine")).unwrap();
        assert_eq!(load(&store, &key(1)), None);
        assert_eq!(sweep_all(&store, START + 1).failed, 0);
        let principal = session_core::PrincipalKey::from_bytes([1; 32]);
        create(&store, &key(1), until(START + 1).with_principal(principal));
        assert!(load(&store, &key(1)).is_some());
        assert!(shard.is_dir());
        fs::write(fixture.file(&key(1)), "damage").unwrap();
        assert!(block_on(store.load(&key(1))).is_err());
        assert_eq!(fixture.quarantined().len(), 1);
    }

    fn a_dropped_sweep_leaves_the_others_a_turn(fixture) {
        let store = fixture.open();
        (0..50).for_each(|number| _ = create(&store, &key(number), until(START)));
        for _ in 0..20 {
            let mut sweep = std::pin::pin!(store.as_sweep().unwrap().sweep(SweepRequest::before(at(START + 1))));
            let _ = poll_once(sweep.as_mut());
            std::thread::sleep(Duration::from_micros(200));
        }
        // A slice that is still going on holds the election, so somebody may have to ask again.
        while sweep_all(&store, START + 1).examined == 0 && !fixture.files().is_empty() {}
        assert_eq!(fixture.files(), Vec::<PathBuf>::new());
    }
}

//! The power is cut: what was acknowledged is on the disk, and no logout is undone.
//!
//! `SESSION_CONFORMANCE_SCALE=100` makes it two hundred cuts on each file system.

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use session_core::{Expect, PrincipalKey, Removed, Store, StoreKey};
use session_store_file::FileStore;

use crate::{
    common::*,
    volume::{Moment, Volume},
};

const WRITERS: u64 = 8;
const PRINCIPAL: PrincipalKey = PrincipalKey::from_bytes([5; 32]);

/// A record, and what was done to it, in order.
struct Written {
    key: StoreKey,
    steps: Vec<Step>,
}

#[derive(Debug)]
struct Step {
    /// What the record is after it: its bytes, or gone.
    leaves: Option<String>,
    acknowledged: Option<Moment>,
}

impl Written {
    /// Whether it may be in this state after a power cut: as it was last acknowledged to be before the power failed, or
    /// as anything later has left it.
    ///
    /// An answer that came after that is worth nothing, because no machine without power gives one. This one goes on, and
    /// xfs then answers an fsync with success: `xfs_file_fsync` has nothing to wait for in a file whose changes the
    /// shutdown has just thrown away.
    fn may_be(&self, found: &Option<String>, cut: Moment) -> bool {
        let before = |step: &Step| step.acknowledged.is_some_and(|moment| moment < cut);
        let kept = self.steps.iter().rposition(before);
        let nothing = kept.is_none() && found.is_none();
        nothing || self.steps[kept.unwrap_or(0)..].iter().any(|step| step.leaves == *found)
    }

    fn is_last_acknowledged(&self, found: &Option<String>) -> bool {
        let last = self.steps.iter().rfind(|step| step.acknowledged.is_some());
        last.is_none_or(|step| step.leaves == *found)
    }
}

/// Creates, changes and removes records until the disk answers no more, or the power could not be cut.
fn write_until_the_end(store: &FileStore, first: u64, done: &AtomicUsize, stop: &AtomicBool) -> Vec<Written> {
    let mut records = Vec::new();
    for number in first.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let key = key(number);
        let mut record = Written { key, steps: Vec::new() };
        let mut version = None;
        for step in 0..=number % 4 {
            // Every fourth ends with a logout.
            let leaves = (step < 3).then(|| format!("{number}/{step}").repeat(1 + number as usize % 200));
            let answer = match &leaves {
                Some(bytes) => {
                    let expect = version.map_or(Expect::Absent, Expect::Version);
                    let entry = entry(bytes).with_principal((number % 2 == 0).then_some(PRINCIPAL));
                    block_on(store.write(&key, entry, expect)).map(|written| version = Some(stored(written)))
                }
                None => {
                    block_on(store.remove(&key, version)).map(|removed| assert_eq!(removed, Removed::Gone))
                }
            };
            let acknowledged = answer.is_ok().then(Moment::now);
            record.steps.push(Step { leaves, acknowledged });
            if acknowledged.is_none() {
                records.push(record);
                return records;
            }
            done.fetch_add(1, Ordering::Relaxed);
        }
        records.push(record);
    }
    records
}

fn survives(portable: bool, kind: &str) {
    let Some(volume) = Volume::new(kind) else { return };
    if let Err(refused) = Volume::can_cut_power() {
        return skip(format_args!("cannot cut the power: {refused}"));
    }
    let root = volume.path().join("sessions");
    let open =
        || FileStore::builder(&root).portable(portable).deadline(Duration::from_secs(60)).open().unwrap();
    let (mut checked, mut gone, mut too_late) = (0, 0, 0);
    for round in 0..scale(2) {
        let store = Arc::new(open());
        let done = AtomicUsize::new(0);
        let stop = AtomicBool::new(false);
        let (cut, records): (Moment, Vec<Written>) = thread::scope(|scope| {
            let writers: Vec<_> = (0..WRITERS)
                .map(|writer| {
                    let (store, done, stop) = (&store, &done, &stop);
                    let first = (round * WRITERS + writer) * 1_000_000;
                    scope.spawn(move || write_until_the_end(store, first, done, stop))
                })
                .collect();
            // Enough to be in the middle of it, and never at the same point.
            while done.load(Ordering::Relaxed) < 300 + (round as usize * 37) % 100 {
                assert!(!writers.iter().all(|writer| writer.is_finished()), "nothing is written on {kind}");
                thread::sleep(Duration::from_micros(100));
            }
            let cut = volume.cut_power();
            stop.store(true, Ordering::Relaxed);
            (cut.unwrap(), writers.into_iter().flat_map(|writer| writer.join().unwrap()).collect())
        });
        drop(store);
        volume.restart();

        let store = open();
        let listed =
            block_on(store.as_principal_index().unwrap().keys_of(&PRINCIPAL, None, 1_000_000)).unwrap();
        for record in records {
            let found = block_on(store.load(&record.key))
                .unwrap()
                .map(|stored| String::from_utf8(stored.bytes.to_vec()).unwrap());
            assert!(record.may_be(&found, cut), "{found:?} on {kind}, after {:?}", record.steps);
            let has_principal = found.as_ref().is_some_and(|bytes| number(bytes).is_multiple_of(2));
            assert!(!has_principal || listed.contains(&record.key), "a live record is not listed on {kind}");
            checked += 1;
            gone += usize::from(found.is_none());
            too_late += usize::from(!record.is_last_acknowledged(&found));
        }
        let orphans = store.stats().orphans_removed;
        sweep_all(&store, START);
        assert!(store.stats().orphans_removed - orphans <= WRITERS);
        // Or each cut would look through the records of all before it, until the disk is full.
        drop(store);
        fs::remove_dir_all(&root).unwrap();
    }
    println!(
        "{kind}: {checked} records as acknowledged before the power failed, {gone} of them gone; \
         {too_late} had an answer after it"
    );
}

fn number(bytes: &str) -> u64 {
    bytes.split_once('/').unwrap().0.parse().unwrap()
}

on_both_paths! {
    fn nothing_acknowledged_is_lost_on_ext4(fixture) {
        super::survives(fixture.portable, "ext4");
    }

    fn nothing_acknowledged_is_lost_on_xfs(fixture) {
        super::survives(fixture.portable, "xfs");
    }
}

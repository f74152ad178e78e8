//! Several processes on one folder.

use std::{collections::HashSet, fs};

use session_core::{Expect, Removed, Store, Written};
use session_store_file::{Durability, FileStore};

use crate::{
    child::{self, Task},
    common::*,
};

fn open(task: &Task) -> FileStore {
    FileStore::builder(task.path("root"))
        .portable(task.number("portable") == 1)
        .durability(Durability::Process)
        .deadline(std::time::Duration::from_secs(60))
        .open()
        .unwrap()
}

/// Counts one record up, with four threads, each as often as it is told.
fn increment(task: &Task) {
    let store = open(task);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..task.number("increments")).for_each(|_| increment_once(&store)));
        }
    });
}

fn increment_once(store: &FileStore) {
    loop {
        let stored = block_on(store.load(&key(1))).unwrap().unwrap();
        let next = u64::from_le_bytes(stored.bytes[..].try_into().unwrap()) + 1;
        let write =
            block_on(store.write(&key(1), entry(next.to_le_bytes()), Expect::Version(stored.version)));
        if write.unwrap() != Written::Conflict {
            return;
        }
    }
}

/// Tries to create each of many records, and says which ones it has created.
fn claim(task: &Task) {
    let store = open(task);
    let claimed: Vec<_> = (0..task.number("records"))
        .filter(|number| {
            let written = block_on(store.write(&key(*number), entry("x"), Expect::Absent)).unwrap();
            written != Written::Conflict
        })
        .map(|number| number.to_string())
        .collect();
    fs::write(task.path("claimed"), claimed.join(" ")).unwrap();
}

/// Removes a record while the other process writes it.
fn write_until_it_is_gone(task: &Task) {
    let store = open(task);
    for number in 0..task.number("records") {
        while let Some(stored) = block_on(store.load(&key(number))).unwrap() {
            let _ =
                block_on(store.write(&key(number), entry("again"), Expect::Version(stored.version))).unwrap();
        }
        assert_eq!(load(&store, &key(number)), None);
    }
}

on_both_paths! {
    fn no_increment_is_lost_between_processes(fixture) {
        if let Some(task) = child::task() {
            return increment(&task);
        }
        let increments = scale(100);
        let store = fixture.open();
        create(&store, &key(1), entry(0_u64.to_le_bytes()));
        let children: Vec<_> = (0..2)
            .map(|_| {
                // On Linux one of them on each way, so that they are also tested against each other.
                let run = fixture.child();
                run.number("increments", increments).start()
            })
            .collect();
        children.into_iter().for_each(child::Running::finish);
        assert_eq!(load(&store, &key(1)).unwrap(), (8 * increments).to_le_bytes());
        assert_eq!(fixture.files(), [fixture.file(&key(1))]);
    }

    fn of_two_creations_one_wins(fixture) {
        if let Some(task) = child::task() {
            return claim(&task);
        }
        let records = scale(200);
        drop(fixture.open());
        let children: Vec<_> = (0..2)
            .map(|number| {
                let run = fixture.child().number("records", records);
                let claimed = fixture.root().with_extension(number.to_string());
                // One on each way to use the disk: they share files and locks.
                let portable = u64::from(fixture.portable) ^ number;
                (run.path("claimed", &claimed).number("portable", portable).start(), claimed)
            })
            .collect();
        let mut all = Vec::new();
        for (child, claimed) in children {
            child.finish();
            all.extend(fs::read_to_string(claimed).unwrap().split_whitespace().map(str::to_owned));
        }
        assert_eq!((all.len() as u64, all.into_iter().collect::<HashSet<_>>().len() as u64), (records, records));
    }

    fn a_removal_is_final_in_every_process(fixture) {
        if let Some(task) = child::task() {
            return write_until_it_is_gone(&task);
        }
        let records = scale(100);
        let store = fixture.builder().durability(Durability::Process).open().unwrap();
        (0..records).for_each(|number| _ = create(&store, &key(number), entry("first")));
        let children: Vec<_> = (0..2)
            .map(|_| {
                let run = fixture.child();
                run.number("records", records).start()
            })
            .collect();
        for number in 0..records {
            assert_eq!(block_on(store.remove(&key(number), None)).unwrap(), Removed::Gone);
        }
        children.into_iter().for_each(child::Running::finish);
        assert_eq!(fixture.files(), Vec::<std::path::PathBuf>::new());
    }
}

//! The bounds: of time, of threads, of the queue.

use std::{
    fs::{self, File},
    path::PathBuf,
    task::Poll,
    thread,
    time::Duration,
};

use session_core::{Entry, Expect, Removed, Store, StoreErrorKind, SweepRequest};
use session_store_file::FileStore;

use crate::common::*;

/// The lock of a shard, as another process would hold it.
fn hold(fixture: &Fixture, shard: u8) -> File {
    let lock = File::options().write(true).open(fixture.root().join(format!("lock/{shard:02x}"))).unwrap();
    lock.lock().unwrap();
    lock
}

fn kind<T: std::fmt::Debug>(answer: Result<T, session_core::StoreError>) -> StoreErrorKind {
    answer.unwrap_err().kind()
}

on_both_paths! {
    fn a_lock_that_is_never_released_is_an_outage_and_changes_nothing(fixture) {
        let (store, hasty) = (fixture.open(), fixture.builder().deadline(Duration::from_millis(50)).open().unwrap());
        let version = create(&store, &in_shard(7, 1), entry("first"));
        let lock = hold(&fixture, 7);
        for refused in [
            block_on(hasty.write(&in_shard(7, 1), entry("x"), Expect::Version(version))).map(drop),
            block_on(hasty.write(&in_shard(7, 2), entry("x"), Expect::Absent)).map(drop),
            block_on(hasty.remove(&in_shard(7, 1), None)).map(drop),
        ] {
            assert_eq!(kind(refused), StoreErrorKind::Unavailable);
        }
        // Reads and the other shards go on.
        assert_eq!(load(&store, &in_shard(7, 1)).unwrap(), b"first");
        create(&store, &in_shard(8, 1), entry("x"));
        drop(lock);
        // What timed out is not done later.
        let next = stored(block_on(store.write(&in_shard(7, 1), entry("second"), Expect::Version(version))).unwrap());
        assert_eq!(load(&store, &in_shard(7, 2)), None);
        assert_eq!(block_on(store.remove(&in_shard(7, 1), Some(next))).unwrap(), Removed::Gone);
        assert_eq!(fixture.files(), [fixture.file(&in_shard(8, 1))]);
    }

    /// Somebody else writes in the shard: nothing of it may be deleted meanwhile.
    fn a_sweep_waits_for_the_lock_of_what_it_deletes(fixture) {
        let store = fixture.builder().deadline(Duration::from_millis(200)).open().unwrap();
        let expired = in_shard(7, 1);
        create(&store, &expired, Entry::new("old", at(START - 10)));
        let record = fixture.file(&expired);
        let temporary = record.with_extension("0123456789abcdef.tmp");
        // A sweep that gave up may hold the right to sweep for a moment longer; for others there is nothing to do then.
        let sweeps = |until: &dyn Fn(bool) -> bool| {
            for _ in 0..500 {
                let failed = block_on(store.as_sweep().unwrap().sweep(SweepRequest::before(at(START)))).is_err();
                if until(failed) {
                    break;
                }
                thread::sleep(Duration::from_millis(1));
            }
        };

        let held = hold(&fixture, 7);
        sweeps(&|failed| failed || !record.exists());
        assert!(record.exists(), "a record that somebody may be renewing");
        fs::write(&temporary, "").unwrap();
        sweeps(&|failed| failed || !temporary.exists());
        assert!(temporary.exists(), "a file that somebody is writing");

        drop(held);
        sweeps(&|_| !record.exists() && !temporary.exists());
        assert!(!record.exists() && !temporary.exists());
    }

    fn a_full_queue_is_overload_at_once(fixture) {
        let store = fixture.builder().io_threads(1).queue_limit(2).open().unwrap();
        let lock = hold(&fixture, 7);
        let keys: Vec<_> = (0..6).map(|number| in_shard(7, number)).collect();
        let (mut waiting, mut refused) = (Vec::new(), 0);
        for key in &keys {
            let mut write = store.write(key, entry("x"), Expect::Absent);
            match poll_once(write.as_mut()) {
                Poll::Pending => waiting.push((key, write)),
                Poll::Ready(answer) => {
                    assert_eq!(kind(answer), StoreErrorKind::Overloaded);
                    refused += 1;
                }
            }
        }
        // Two in the queue, and one more if the thread had taken the first by then.
        assert!(refused == 3 || refused == 4, "{refused}");
        drop(lock);
        for (key, write) in waiting {
            stored(block_on(write).unwrap());
            assert!(load(&store, key).is_some());
        }
        assert_eq!(fixture.files().len(), keys.len() - refused);
    }

    fn a_shard_that_is_held_occupies_one_thread(fixture) {
        let store = fixture.builder().io_threads(2).open().unwrap();
        let lock = hold(&fixture, 7);
        let keys: Vec<_> = (0..20).map(|number| in_shard(7, number)).collect();
        let mut writes: Vec<_> = keys.iter().map(|key| store.write(key, entry("x"), Expect::Absent)).collect();
        for write in &mut writes {
            assert!(poll_once(write.as_mut()).is_pending());
        }
        // Twenty wait for the shard; with one thread left everything else is done.
        for number in 0..20 {
            create(&store, &in_shard(8, number), entry("x"));
        }
        drop(lock);
        for write in writes {
            stored(block_on(write).unwrap());
        }
    }

    fn a_dropped_write_is_whole_or_not_at_all(fixture) {
        let store = fixture.open();
        for number in 0..200 {
            let key = key(number);
            let mut write = store.write(&key, entry(number.to_string()).with_principal(PRINCIPAL), Expect::Absent);
            let _ = poll_once(write.as_mut());
            if number % 3 > 0 {
                thread::sleep(Duration::from_micros(number));
            }
            drop(write);
        }
        // A write behind each of them in the line of its shard: when that is done, so are they.
        for shard in 0..=u8::MAX {
            let _ = block_on(store.remove(&in_shard(shard, 10_000), None)).unwrap();
        }
        let listed = block_on(store.as_principal_index().unwrap().keys_of(&PRINCIPAL, None, 1_000)).unwrap();
        for number in 0..200 {
            match load(&store, &key(number)) {
                None => {}
                Some(bytes) => {
                    assert_eq!(bytes, number.to_string().as_bytes());
                    assert!(listed.contains(&key(number)));
                }
            }
        }
        assert_eq!(sweep_all(&store, START + 10_000).failed, 0);
        assert_eq!((fixture.files(), store.stats().orphans_removed), (Vec::<PathBuf>::new(), 0));
    }

    fn a_write_dropped_while_it_waits_is_not_made(fixture) {
        let store = fixture.open();
        let lock = hold(&fixture, 7);
        let dropped_key = in_shard(7, 1);
        let mut dropped = store.write(&dropped_key, entry("x"), Expect::Absent);
        assert!(poll_once(dropped.as_mut()).is_pending());
        drop(dropped);
        let behind_key = in_shard(7, 2);
        let mut behind = store.write(&behind_key, entry("x"), Expect::Absent);
        assert!(poll_once(behind.as_mut()).is_pending());
        drop(lock);
        stored(block_on(behind).unwrap());
        assert_eq!(load(&store, &dropped_key), None);
    }

    fn a_store_that_is_dropped_completes_what_was_begun(fixture) {
        let store = fixture.open();
        let clones: Vec<FileStore> = (0..8).map(|_| store.clone()).collect();
        thread::scope(|scope| {
            for (number, store) in clones.into_iter().enumerate() {
                scope.spawn(move || create(&store, &key(number as u64), entry("x")));
            }
        });
        drop(store);
        let again = fixture.open();
        assert!((0..8).all(|number| load(&again, &key(number)).is_some()));
    }
}

const PRINCIPAL: session_core::PrincipalKey = session_core::PrincipalKey::from_bytes([3; 32]);

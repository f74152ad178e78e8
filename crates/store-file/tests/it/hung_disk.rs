//! A disk that does not answer: an error in time, and nothing lost when it answers again.

use std::{sync::Arc, time::Duration};

use session_core::{Expect, Store, StoreErrorKind};
use session_store_file::FileStore;

use crate::{common::*, volume::Volume};

on_both_paths! {
    fn a_hung_disk_is_an_outage_and_loses_nothing(fixture) {
        let Some(volume) = Volume::new("ext4") else { return };
        let builder = || {
            let builder = FileStore::builder(volume.path().join("sessions")).portable(fixture.portable);
            builder.clock(Arc::clone(&fixture.clock)).io_threads(4)
        };
        let patient = builder().deadline(Duration::from_secs(60)).open().unwrap();
        let store = builder().deadline(Duration::from_millis(100)).open().unwrap();
        let versions: Vec<_> = (0..8).map(|number| create(&patient, &key(number), entry("first"))).collect();
        (0..8).for_each(|number| assert!(load(&patient, &key(number)).is_some()));

        volume.freeze();
        for (number, version) in (0..8).zip(&versions) {
            let error = if number % 2 == 0 {
                block_on(store.write(&key(number), entry("second"), Expect::Version(*version))).map(drop).unwrap_err()
            } else {
                block_on(store.remove(&key(number), Some(*version))).map(drop).unwrap_err()
            };
            // A write waits while it makes its file, which can be given up without a trace; a removal waits in the change.
            match number {
                0 => assert_eq!(error.kind(), StoreErrorKind::Unavailable),
                1 => assert_eq!(error.kind(), StoreErrorKind::Indeterminate),
                _ => assert!(matches!(error.kind(), StoreErrorKind::Unavailable | StoreErrorKind::Indeterminate)),
            }
        }
        // Every thread waits for the disk; what the page cache has needs none.
        if !fixture.portable {
            (0..8).for_each(|number| assert_eq!(load(&store, &key(number)).unwrap(), b"first"));
        }
        volume.thaw();

        // What was given up before it was begun is not done later; what was in doubt is done or not.
        for number in 0..8 {
            let behind = in_shard(key(number).as_bytes()[0], 1_000 + number);
            create(&patient, &behind, entry("x"));
            let found = load(&patient, &key(number));
            if number == 0 {
                assert_eq!(found.as_deref(), Some(&b"first"[..]));
            }
            assert!(matches!(found.as_deref(), None | Some(b"first")), "{found:?}");
        }
        drop((patient, store));
        let again = builder().open().unwrap();
        assert_eq!(sweep_all(&again, START).failed, 0);
    }
}

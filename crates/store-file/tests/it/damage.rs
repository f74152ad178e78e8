//! Damaged records are noticed, never served, and kept for whoever wants to know.

use std::fs;

use session_core::{Expect, Removed, Store, StoreErrorKind, Version, Written};
use session_store_file::RecordError;

use crate::common::*;

/// The reason in an error of the kind `Corrupt`.
fn reason(error: &session_core::StoreError) -> RecordError {
    assert_eq!(error.kind(), StoreErrorKind::Corrupt);
    *std::error::Error::source(error).unwrap().downcast_ref().unwrap()
}

on_both_paths! {
    fn every_truncation_is_noticed(fixture) {
        let store = fixture.open();
        create(&store, &key(1), entry("some payload"));
        let file = fs::read(fixture.file(&key(1))).unwrap();
        for len in 0..file.len() {
            fs::write(fixture.file(&key(1)), &file[..len]).unwrap();
            let error = block_on(store.load(&key(1))).unwrap_err();
            assert!(matches!(reason(&error), RecordError::Damaged(_)), "{len}");
            assert_eq!(fixture.quarantined().len(), len + 1);
        }
        fs::write(fixture.file(&key(1)), file).unwrap();
        assert_eq!(load(&store, &key(1)).unwrap(), b"some payload");
    }

    fn every_changed_byte_is_noticed(fixture) {
        // Shows: A23
        let store = fixture.open();
        create(&store, &key(1), entry("some payload"));
        let file = fs::read(fixture.file(&key(1))).unwrap();
        for position in 0..file.len() {
            let mut damaged = file.clone();
            damaged[position] ^= 1 << (position % 8);
            fs::write(fixture.file(&key(1)), damaged).unwrap();
            let error = block_on(store.load(&key(1))).unwrap_err();
            assert!(matches!(reason(&error), RecordError::Damaged(_)), "{position}");
            assert!(!fixture.file(&key(1)).exists());
        }
        assert_eq!(store.stats().quarantined, file.len() as u64);
    }

    fn bytes_at_the_end_are_noticed(fixture) {
        let store = fixture.open();
        create(&store, &key(1), entry("some payload"));
        let mut file = fs::read(fixture.file(&key(1))).unwrap();
        file.push(0);
        fs::write(fixture.file(&key(1)), file).unwrap();
        assert!(matches!(reason(&block_on(store.load(&key(1))).unwrap_err()), RecordError::Damaged(_)));
    }

    fn a_file_too_large_to_be_a_record_is_not_read(fixture) {
        // Shows: A22
        let store = fixture.open();
        create(&store, &key(1), entry("some payload"));
        let file = fs::OpenOptions::new().write(true).open(fixture.file(&key(1))).unwrap();
        file.set_len(1 << 40).unwrap();
        assert!(matches!(reason(&block_on(store.load(&key(1))).unwrap_err()), RecordError::Damaged(_)));
        assert_eq!(load(&store, &key(1)), None);
    }

    fn the_others_are_unaffected(fixture) {
        let store = fixture.open();
        for number in 0..20 {
            create(&store, &key(number), entry(number.to_string()));
        }
        for number in 0..10 {
            fs::write(fixture.file(&key(number)), "damage").unwrap();
        }
        for number in 0..20 {
            let loaded = block_on(store.load(&key(number)));
            assert_eq!(loaded.is_err(), number < 10, "{number}");
        }
        for number in 10..20 {
            assert_eq!(load(&store, &key(number)).unwrap(), number.to_string().as_bytes());
        }
    }

    fn swapped_records_are_both_refused(fixture) {
        // Shows: A23, A45
        let store = fixture.open();
        create(&store, &key(1), entry("one"));
        create(&store, &key(2), entry("two"));
        let aside = fixture.root().join("aside");
        fs::rename(fixture.file(&key(1)), &aside).unwrap();
        fs::rename(fixture.file(&key(2)), fixture.file(&key(1))).unwrap();
        fs::rename(aside, fixture.file(&key(2))).unwrap();
        for number in [1, 2] {
            assert_eq!(reason(&block_on(store.load(&key(number))).unwrap_err()), RecordError::WrongKey);
        }
        assert_eq!(fixture.quarantined().len(), 2);
    }

    fn a_damaged_record_can_be_removed_and_replaced(fixture) {
        let store = fixture.open();
        let version = create(&store, &key(1), entry("first"));
        fs::write(fixture.file(&key(1)), "damage").unwrap();
        let error = block_on(store.write(&key(1), entry("second"), Expect::Version(version))).unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Corrupt);
        assert_eq!(block_on(store.write(&key(1), entry("third"), Expect::Version(version))).unwrap(), Written::Conflict);
        create(&store, &key(1), entry("fourth"));

        fs::write(fixture.file(&key(1)), "damage").unwrap();
        assert_eq!(block_on(store.remove(&key(1), None)).unwrap(), Removed::Gone);
        assert_eq!(load(&store, &key(1)), None);

        create(&store, &key(1), entry("fifth"));
        fs::write(fixture.file(&key(1)), "damage").unwrap();
        let error = block_on(store.remove(&key(1), Some(version))).unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Corrupt);
        assert_eq!(block_on(store.remove(&key(1), Some(version))).unwrap(), Removed::Gone);
        assert_eq!(fixture.quarantined().len(), 3);
    }

    fn a_record_of_a_newer_format_is_left_alone_but_by_a_logout(fixture) {
        // Shows: A52
        let store = fixture.open();
        create(&store, &key(1), entry("first"));
        let mut file = fs::read(fixture.file(&key(1))).unwrap();
        file[8..12].copy_from_slice(&[2, 0, 0xfd, 0xff]);
        fs::write(fixture.file(&key(1)), &file).unwrap();
        let newer = RecordError::NewerFormat(2);
        assert_eq!(reason(&block_on(store.load(&key(1))).unwrap_err()), newer);
        assert_eq!(reason(&block_on(store.write(&key(1), entry("x"), Expect::Absent)).unwrap_err()), newer);
        assert_eq!(reason(&block_on(store.remove(&key(1), Some(Version::new(1)))).unwrap_err()), newer);
        let swept = sweep_all(&store, START + 10_000);
        assert_eq!((swept.removed, swept.failed), (0, 1));
        assert_eq!(fs::read(fixture.file(&key(1))).unwrap(), file);
        assert_eq!(fixture.quarantined().len(), 0);
        assert_eq!(block_on(store.remove(&key(1), None)).unwrap(), Removed::Gone);
        assert_eq!(load(&store, &key(1)), None);
    }

    fn the_quarantine_is_bounded(fixture) {
        let store = fixture.open();
        for number in 0..1_000_u64 {
            let name = format!("{}.{number:016x}", key(9).to_hex());
            fs::write(fixture.root().join("quarantine").join(name), "").unwrap();
        }
        create(&store, &key(1), entry("first"));
        fs::write(fixture.file(&key(1)), "damage").unwrap();
        for _ in 0..2 {
            assert!(matches!(reason(&block_on(store.load(&key(1))).unwrap_err()), RecordError::Damaged(_)));
            assert_eq!(fs::read(fixture.file(&key(1))).unwrap(), b"damage");
        }
        assert_eq!(fixture.quarantined().len(), 1_000);
        // A logout must end the session all the same.
        assert_eq!(block_on(store.remove(&key(1), None)).unwrap(), Removed::Gone);
        assert_eq!(load(&store, &key(1)), None);
    }
}

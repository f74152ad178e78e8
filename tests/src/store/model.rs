//! What the contract allows, as a value: the state of a few records, and whether an answer fits it.

use std::{collections::HashSet, time::SystemTime};

use session_core::{Entry, Expect, Removed, Stored, Version, Written};

use super::handle::{same_bytes, same_expiry};
use crate::{
    Result,
    failure::{ensure, fail},
};

/// One key as the contract sees it.
#[derive(Debug, Default)]
pub(super) struct Model {
    record: Option<Record>,
    /// Every version the key ever had.
    past: HashSet<Version>,
}

#[derive(Debug)]
struct Record {
    entry: Entry,
    version: Version,
}

impl Model {
    /// The version of the record, if there may be one.
    pub(super) fn version(&self) -> Option<Version> {
        self.record.as_ref().map(|record| record.version)
    }

    /// The entry that must be found now: the record, if it has not expired.
    pub(super) fn live(&self, now: SystemTime) -> Option<&Entry> {
        self.record.as_ref().map(|record| &record.entry).filter(|entry| now < entry.expires_at)
    }

    pub(super) fn loaded(&self, answer: Option<Stored>, now: SystemTime) -> Result {
        match (&self.record, answer) {
            (Some(record), Some(stored)) => {
                same_bytes(&stored.bytes, &record.entry.bytes)?;
                same_expiry(stored.expires_at, record.entry.expires_at)?;
                ensure!(
                    stored.version == record.version,
                    "a load returns another version than the last write"
                );
                Ok(())
            }
            (None, None) => Ok(()),
            (None, Some(_)) => fail!("a load finds a record where none is"),
            // An expired record may be gone, or be hidden and still count for writes.
            (Some(_), None) if self.live(now).is_none() => Ok(()),
            (Some(_), None) => fail!("a load does not find a live record"),
        }
    }

    pub(super) fn written(
        &mut self,
        entry: Entry,
        expect: Expect,
        answer: Written,
        now: SystemTime,
    ) -> Result {
        let live = self.live(now).is_some();
        let (may_store, may_conflict) = match (&self.record, expect) {
            (None, Expect::Absent) => (true, false),
            (None, Expect::Version(_)) => (false, true),
            (Some(_), Expect::Absent) => (!live, true),
            (Some(record), Expect::Version(expected)) => {
                (record.version == expected, record.version != expected || !live)
            }
        };
        match answer {
            Written::Stored(version) => {
                ensure!(may_store, "a write that expects {} is stored", kind(expect));
                ensure!(self.past.insert(version), "a write returns a version that the key had before");
                self.record = Some(Record { entry, version });
            }
            Written::Conflict => ensure!(may_conflict, "a write that expects {} conflicts", kind(expect)),
        }
        Ok(())
    }

    pub(super) fn removed(&mut self, expect: Option<Version>, answer: Removed, now: SystemTime) -> Result {
        let other = self
            .record
            .as_ref()
            .is_some_and(|record| expect.is_some_and(|expected| expected != record.version));
        match answer {
            Removed::Gone if other && self.live(now).is_some() => {
                fail!("a removal of a stale version removes")
            }
            // Of an expired record it is not known whether it was another version or nothing: it is gone or hidden.
            Removed::Gone if other => Ok(()),
            Removed::Gone => {
                self.record = None;
                Ok(())
            }
            Removed::Conflict if other => Ok(()),
            Removed::Conflict => fail!("a removal conflicts with no other version"),
        }
    }

    /// A sweep of everything that expires before `instant` has finished.
    pub(super) fn swept(&mut self, instant: SystemTime) {
        if self.record.as_ref().is_some_and(|record| record.entry.expires_at < instant) {
            self.record = None;
        }
    }
}

fn kind(expect: Expect) -> &'static str {
    match expect {
        Expect::Absent => "nothing",
        Expect::Version(_) => "a version",
    }
}

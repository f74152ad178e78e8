//! Where damaged records go: out of the way, but not away, so that somebody can find out what happened.

use std::io;

use session_core::StoreKey;

use crate::{
    disk::Disk,
    layout::{Place, parse_quarantined, quarantine_name, record_name},
    record::RecordError,
    records::{Records, nonce, open_or_make},
};

impl Records {
    /// Moves a record that was found to be damaged, under the lock of its shard, into the quarantine if there is room.
    /// What is unusable but not damaged stays where it is. No record of these is served either way.
    pub(crate) fn set_aside(&self, disk: &dyn Disk, key: &StoreKey, error: RecordError) {
        if error.is_damage() {
            let moved = move_away(disk, key);
            self.counters.quarantined.add(u64::from(matches!(moved, Ok(true))));
            tracing::error!(?key, ?moved, reason = %error, "damaged session record");
        }
    }
}

/// `false` if there is no room.
fn move_away(disk: &dyn Disk, key: &StoreKey) -> io::Result<bool> {
    let quarantine = open_or_make(disk, &Place::Quarantine)?;
    let mut there = 0;
    quarantine.list(&mut |name| there += usize::from(parse_quarantined(name).is_some()))?;
    if there >= QUARANTINE_LIMIT {
        return Ok(false);
    }
    let (from, to) = (record_name(key), quarantine_name(key, nonce()?));
    disk.rename((&Place::of(key), &from), (&Place::Quarantine, &to))?;
    Ok(true)
}

/// How many damaged records are kept. Further ones stay where they are.
const QUARANTINE_LIMIT: usize = 1_000;

//! Where damaged records go: out of the way, but not away, so that somebody can find out what happened.

use session_core::{StoreError, StoreKey};

use crate::{
    disk::Disk,
    failure::unavailable,
    layout::{Place, parse_quarantined, quarantine_name, record_name},
    record::RecordError,
    records::{Records, nonce, open_or_make},
};

impl Records {
    /// Moves a record that was found to be damaged, under the lock of its shard, into the quarantine if there is room.
    /// What is unusable but not damaged stays where it is.
    pub(crate) fn set_aside(
        &self,
        disk: &dyn Disk,
        key: &StoreKey,
        error: RecordError,
    ) -> Result<(), StoreError> {
        if !error.is_damage() {
            return Ok(());
        }
        let moved = self.move_away(disk, key)?;
        tracing::error!(?key, moved, reason = %error, "damaged session record");
        self.counters.quarantined.add(u64::from(moved));
        Ok(())
    }

    fn move_away(&self, disk: &dyn Disk, key: &StoreKey) -> Result<bool, StoreError> {
        let quarantine =
            open_or_make(disk, &Place::Quarantine).map_err(unavailable("open the quarantine"))?;
        let mut there = 0;
        quarantine
            .list(&mut |name| there += usize::from(parse_quarantined(name).is_some()))
            .map_err(unavailable("list the quarantine"))?;
        if there >= QUARANTINE_LIMIT {
            return Ok(false);
        }
        let (from, to) = (record_name(key), quarantine_name(key, nonce()?));
        // A full disk may have no room for one more name. The record is not served either way.
        Ok(disk.rename((&Place::of(key), &from), (&Place::Quarantine, &to)).is_ok())
    }
}

/// How many damaged records are kept. Further ones stay where they are.
const QUARANTINE_LIMIT: usize = 1_000;

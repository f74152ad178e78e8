//! Reading every record, a slice of a folder at a time.

use std::{collections::BinaryHeap, time::Instant};

use session_core::{Entry, StoreError, StoreKey};

use crate::{
    failure::unavailable,
    layout::{Place, ShardEntry},
    records::{Found, Records, open_if_there, read},
    ticket::Permit,
};

/// What one slice of a scan has read.
#[derive(Debug, Default)]
pub(crate) struct ScanSlice {
    pub(crate) entries: Vec<(StoreKey, Entry)>,
    pub(crate) failed: usize,
    /// Everything up to this record was read; `None` if the folder has no more.
    pub(crate) last: Option<StoreKey>,
}

impl Records {
    /// Reads up to `most` records of a folder behind `after`, and ends early when half of the time is over.
    pub(crate) fn scan_slice(
        &self,
        shard: u8,
        after: Option<&StoreKey>,
        most: usize,
        permit: &dyn Permit,
    ) -> Result<ScanSlice, StoreError> {
        let now = Instant::now();
        let until = now + permit.deadline().saturating_duration_since(now) / 2;
        let mut slice = ScanSlice::default();
        let Some(folder) = open_if_there(&*self.disk()?, &Place::Shard(shard))? else { return Ok(slice) };

        let mut lowest = BinaryHeap::new();
        let listed = folder.list(&mut |name| match ShardEntry::parse(shard, name) {
            ShardEntry::Record(key) if after.is_none_or(|after| key > *after) => {
                lowest.push(key);
                if lowest.len() > most {
                    lowest.pop();
                }
            }
            _ => {}
        });
        listed.map_err(unavailable("list a folder"))?;
        for key in lowest.into_sorted_vec() {
            match read(&*folder, &key)? {
                Found::Nothing => {}
                Found::Intact(header, payload) => {
                    let entry = Entry::new(payload, header.expires_at).with_principal(header.principal);
                    slice.entries.push((key, entry));
                }
                // Left where it is: a load or a sweep will set it aside under the lock.
                Found::Unusable(_) => slice.failed += 1,
            }
            slice.last = Some(key);
            if Instant::now() >= until {
                break;
            }
        }
        Ok(slice)
    }
}

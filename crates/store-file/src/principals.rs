//! The records of a principal: one empty file for each, in a folder of the principal.
//!
//! A marker is made, and durable, before its record can be seen, and deleted after the record is gone: so every record
//! has its marker at every instant, and what a crash can leave is a marker too many, which a sweep deletes.

use std::{
    collections::BinaryHeap,
    io::{self, ErrorKind},
};

use session_core::{PrincipalKey, StoreError, StoreKey};

use crate::{
    disk::{Disk, Folder},
    failure::unavailable,
    layout::{Place, marker_name, parse_marker},
    records::{Records, open_if_there, open_or_make},
};

impl Records {
    /// Lists `key` under `principal`; whether it was not listed yet. The lock of the key's shard must be held.
    ///
    /// `listed`: the record is under this principal already, so that a marker that is there is known to be durable.
    pub(crate) fn mark(
        &self,
        disk: &dyn Disk,
        principal: &PrincipalKey,
        key: &StoreKey,
        listed: bool,
    ) -> Result<bool, StoreError> {
        let (folder, is_new) = make_marker(disk, principal, key).map_err(unavailable("list a principal"))?;
        if (is_new || !listed) && self.durability.syncs_folder() {
            sync_up(disk, &*folder, Place::Principal(*principal)).map_err(unavailable("sync a folder"))?;
        }
        Ok(is_new)
    }

    /// Takes `key` off the list of `principal`, and the folder with its last key. The lock of the key's shard must be
    /// held. A marker that stays for some reason is a stale one, which is allowed.
    pub(crate) fn unmark(&self, disk: &dyn Disk, principal: Option<PrincipalKey>, key: &StoreKey) {
        let Some(place) = principal.map(Place::Principal) else { return };
        let removed = disk.folder(&place).and_then(|folder| folder.remove(&marker_name(key)));
        if removed.is_ok() {
            remove_if_empty(disk, &place);
        }
    }

    pub(crate) fn keys_of(
        &self,
        principal: &PrincipalKey,
        after: Option<&StoreKey>,
        limit: usize,
    ) -> Result<Vec<StoreKey>, StoreError> {
        let disk = self.disk()?;
        let Some(folder) = open_if_there(&*disk, &Place::Principal(*principal))? else {
            return Ok(Vec::new());
        };
        list_markers(&*folder, after, limit).map_err(unavailable("list a folder"))
    }
}

/// The `limit` smallest keys behind `after`, in ascending order. Keeps no more than these in memory.
pub(crate) fn list_markers(
    folder: &dyn Folder,
    after: Option<&StoreKey>,
    limit: usize,
) -> io::Result<Vec<StoreKey>> {
    let mut smallest = BinaryHeap::new();
    folder.list(&mut |name| {
        let Some(key) = parse_marker(name) else { return };
        if after.is_some_and(|after| key <= *after) {
            return;
        }
        if smallest.len() < limit {
            smallest.push(key);
        } else if let Some(mut largest) = smallest.peek_mut()
            && key < *largest
        {
            *largest = key;
        }
    })?;
    Ok(smallest.into_sorted_vec())
}

/// Deletes the folder of a principal if it has no keys any more.
pub(crate) fn remove_if_empty(disk: &dyn Disk, place: &Place) {
    if let Some((parent, name)) = place.parent() {
        // Refused as long as there is anything in it.
        let _ = disk.folder(&parent).and_then(|parent| parent.remove_folder(&name));
    }
}

fn make_marker(
    disk: &dyn Disk,
    principal: &PrincipalKey,
    key: &StoreKey,
) -> io::Result<(Box<dyn Folder>, bool)> {
    let place = Place::Principal(*principal);
    let mut attempts = ATTEMPTS;
    loop {
        let made = open_or_make(disk, &place).and_then(|folder| {
            let is_new = folder.touch(&marker_name(key))?;
            Ok((folder, is_new))
        });
        match made {
            // Somebody else has removed the folder between its making and its use, because it was empty.
            Err(error) if error.kind() == ErrorKind::NotFound && attempts > 0 => attempts -= 1,
            made => return made,
        }
    }
}

/// Makes the names in a folder durable, and those of the folder and of the ones above it, up to the ones that exist from
/// the start.
fn sync_up(disk: &dyn Disk, folder: &dyn Folder, mut place: Place) -> io::Result<()> {
    folder.sync()?;
    while let Some((parent, _)) = place.parent().filter(|(parent, _)| *parent != Place::Root) {
        disk.folder(&parent)?.sync()?;
        place = parent;
    }
    Ok(())
}

const ATTEMPTS: usize = 32;

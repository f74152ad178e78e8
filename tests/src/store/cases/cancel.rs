//! Futures dropped at every await: a server drops them whenever a client goes away.

use std::time::Duration;

use session_core::StoreKey;

use super::prelude::*;
use crate::store::{
    cut::{POLLS, cut, cuts, endless},
    handle::SWEEPS,
};

/// A create cancelled at any await leaves nothing or the whole record, and the key stays usable.
pub async fn a_cancelled_create_is_whole_or_nothing(subject: Subject) -> Result {
    for polls in cuts() {
        let (key, entry) = (key(polls as u64), subject.entry(pattern(3_000, 1)));
        let done = cut(polls, subject.store.write(&key, entry.clone(), Expect::Absent)).await;
        if let Some(stored) = subject.store.load(&key).await? {
            ensure!(stored.bytes == entry.bytes, "a cancelled create leaves a part of a record");
            same_expiry(stored.expires_at, entry.expires_at)?;
        }
        settle(&subject, &key).await?;
        if let Some(written) = done {
            ensure!(matches!(written?, Written::Stored(_)), "a create conflicts where nothing is");
            return Ok(());
        }
    }
    endless()
}

/// A write cancelled at any await leaves the old record or the new one, whole, and the record stays writable.
pub async fn a_cancelled_write_is_old_or_new(subject: Subject) -> Result {
    for polls in cuts() {
        let key = key(polls as u64);
        let (old, new) =
            (subject.entry(pattern(3_000, 1)), Entry::new(pattern(4_000, 2), subject.within(7_200)));
        let version = subject.store.create(&key, old.clone()).await?;
        let done = cut(polls, subject.store.write(&key, new.clone(), Expect::Version(version))).await;
        let stored = subject.store.found(&key).await?;
        match &stored.bytes {
            bytes if *bytes == new.bytes => same_expiry(stored.expires_at, new.expires_at)?,
            bytes if *bytes == old.bytes => same_expiry(stored.expires_at, old.expires_at)?,
            _ => fail!("a cancelled write leaves a record that is neither the old nor the new one"),
        }
        settle(&subject, &key).await?;
        if let Some(written) = done {
            ensure!(matches!(written?, Written::Stored(_)), "a write over the current version conflicts");
            return Ok(());
        }
    }
    endless()
}

/// A removal cancelled at any await leaves the record as it was or gone, and the key stays usable.
pub async fn a_cancelled_removal_is_done_or_not(subject: Subject) -> Result {
    for polls in cuts() {
        let (key, other) = (key(2 * polls as u64), key(2 * polls as u64 + 1));
        let entry = subject.entry(pattern(3_000, 1));
        subject.store.create(&key, entry.clone()).await?;
        let done = cut(polls, subject.store.remove(&key, None)).await;
        if let Some(stored) = subject.store.load(&key).await? {
            ensure!(stored.bytes == entry.bytes, "a cancelled removal changes the record");
        }
        subject.store.create(&other, subject.entry("other")).await?;
        if let Some(removed) = done {
            ensure!(removed? == Removed::Gone, "a removal that expects nothing conflicts");
            return subject.store.lacks(&key).await;
        }
        subject.store.delete(&key).await?;
        subject.store.lacks(&key).await?;
    }
    endless()
}

/// A removal of one version that is cancelled at any await never removes a later version, whenever it lands.
pub async fn a_cancelled_removal_spares_a_later_write(subject: Subject) -> Result {
    for polls in cuts() {
        let key = key(polls as u64);
        let version = subject.store.create(&key, subject.entry("old")).await?;
        let done = cut(polls, subject.store.remove(&key, Some(version))).await;
        let renewed = subject.store.write(&key, subject.entry("renewed"), Expect::Version(version)).await?;
        if let Written::Stored(_) = renewed {
            for _ in 0..5 {
                tokio::task::yield_now().await;
                subject.store.holds(&key, b"renewed").await?;
            }
        }
        if let Some(removed) = done {
            ensure!(removed? == Removed::Gone, "a removal of the current version conflicts");
            return subject.store.lacks(&key).await;
        }
    }
    endless()
}

/// A load cancelled at any await changes nothing and blocks nobody.
pub async fn a_cancelled_load_changes_nothing(subject: Subject) -> Result {
    let version = subject.store.create(&key(0), subject.entry("read")).await?;
    let before = subject.store.found(&key(0)).await?;
    for polls in cuts() {
        let done = cut(polls, subject.store.load(&key(0))).await;
        ensure!(subject.store.found(&key(0)).await? == before, "a cancelled load changes the record");
        if done.is_some() {
            subject.store.replace(&key(0), subject.entry("written"), version).await?;
            return Ok(());
        }
    }
    endless()
}

/// A list cancelled at any await, be it the first page or a later one, takes no live record off the list, changes none and
/// blocks nobody, also where it clears away what is stale.
pub async fn a_cancelled_list_changes_nothing(subject: Subject) -> Result {
    let ann = principal(0);
    let listed = |text| subject.entry(text).with_principal(ann);
    let (live, stale) = (keys(20), (20..30).map(key));
    let mut before = Vec::new();
    for key in &live {
        subject.store.create(key, listed("there")).await?;
        before.push(subject.store.found(key).await?);
    }
    for (number, key) in stale.enumerate() {
        let version = subject.store.create(&key, listed("stale")).await?;
        match number % 2 {
            0 => subject.store.delete(&key).await?,
            _ => drop(subject.store.replace(&key, subject.entry("nobody's"), version).await?),
        }
    }
    for after in [None, live.iter().min()] {
        for polls in cuts() {
            let done = cut(polls, subject.store.index()?.keys_of(&ann, after, 7)).await;
            subject.store.lists(&ann, &live).await?;
            if let Some(page) = done {
                ensure!(!page?.is_empty(), "a list that is not cancelled is empty");
                break;
            }
            ensure!(polls + 1 < POLLS, "a list is not done after {POLLS} polls");
        }
    }
    for (key, before) in live.iter().zip(before) {
        ensure!(subject.store.found(key).await? == before, "a cancelled list changes a record");
        subject.store.replace(key, listed("written"), before.version).await?;
    }
    subject.store.lists(&ann, &live).await
}

/// A scan cancelled at any await, at its beginning or further on, changes nothing and blocks nobody, and the next one finds
/// everything.
pub async fn a_cancelled_scan_changes_nothing(subject: Subject) -> Result {
    let mut before = Vec::new();
    for key in keys(20) {
        subject.store.create(&key, subject.entry("there").with_principal(principal(0))).await?;
        before.push((key, subject.store.found(&key).await?));
    }
    let first = subject.store.scanner()?.scan(None, 7).await?;
    for cursor in [None, first.next.as_ref()] {
        for polls in cuts() {
            let done = cut(polls, subject.store.scanner()?.scan(cursor, 7)).await;
            let found = subject.store.scanned(6).await?.len();
            ensure!(found == 20, "after a cancelled scan another finds {found} of 20 records");
            if let Some(page) = done {
                page?;
                break;
            }
            ensure!(polls + 1 < POLLS, "a scan is not done after {POLLS} polls");
        }
    }
    for (key, before) in before {
        ensure!(subject.store.found(&key).await? == before, "a cancelled scan changes a record");
        subject.store.replace(&key, subject.entry("written"), before.version).await?;
    }
    Ok(())
}

/// A sweep cancelled at any await deletes no live record, and a later one reaches what it left.
pub async fn a_cancelled_sweep_deletes_no_live_record(subject: Subject) -> Result {
    for number in 0..20 {
        let seconds = if number % 2 == 0 { 60 } else { 7_200 };
        subject.store.create(&key(number), Entry::new("swept or not", subject.within(seconds))).await?;
    }
    subject.advance(600);
    let request = SweepRequest::before(subject.now()).budget(8);
    for polls in cuts() {
        let done = cut(polls, subject.store.sweeper()?.sweep(request)).await;
        for number in (1..20).step_by(2) {
            subject.store.holds(&key(number), b"swept or not").await?;
        }
        if let Some(swept) = done {
            swept?;
            return all_swept(&subject, request).await;
        }
    }
    endless()
}

/// Repeated calls reach everything, sooner or later: the work of a cancelled call may still be going on, and while it
/// does, others may find nothing to do.
async fn all_swept(subject: &Subject, request: SweepRequest) -> Result {
    for _ in 0..SWEEPS {
        subject.store.sweeper()?.sweep(request).await?;
        let mut left = 0;
        subject.clock().rewind(Duration::from_secs(600));
        for number in (0..20).step_by(2) {
            left += u32::from(subject.store.load(&key(number)).await?.is_some());
        }
        subject.advance(600);
        if left == 0 {
            return Ok(());
        }
    }
    fail!("{SWEEPS} sweeps after a cancelled one do not reach what it left")
}

/// After a write was cancelled: whatever lands late, a write over what is there now is stored and stays.
async fn settle(subject: &Subject, key: &StoreKey) -> Result {
    if subject.store.load(key).await?.is_none() {
        // A conflict means that the cancelled create has landed after all.
        let _ = subject.store.write(key, subject.entry("created after all"), Expect::Absent).await?;
    }
    let last = subject.entry("last");
    let written = subject.store.update(key, |_| last.clone()).await?;
    ensure!(written.is_some(), "a record is gone after a cancelled write");
    for _ in 0..5 {
        tokio::task::yield_now().await;
        subject.store.holds(key, b"last").await?;
    }
    Ok(())
}

//! A scan: every record, as it was written, and nothing changed by it.

use std::collections::BTreeMap;

use session_core::{Entry, StoreKey};
use tokio::task::JoinSet;

use super::prelude::*;
use crate::store::{Medium, handle::same_expiry};

/// A scan in pages of any size returns every record with its bytes, expiry and principal, and ends.
pub async fn a_scan_returns_every_record_as_it_was_written(subject: Subject) -> Result {
    let mut written = BTreeMap::new();
    for number in 0..60 {
        let owner = (number % 3 > 0).then(|| principal(number % 3));
        let entry = Entry::new(pattern(number as usize * 7, number), subject.within(600 + number));
        let entry = entry.with_principal(owner);
        subject.store.create(&key(number), entry.clone()).await?;
        written.insert(key(number), entry);
    }
    for limit in [1, 7, 59, 60, 61, usize::MAX] {
        are_equal(&subject.store.scanned(limit).await?, &written)?;
    }
    Ok(())
}

/// A scan of a store without records ends, and finds none.
pub async fn a_scan_of_an_empty_store_ends(subject: Subject) -> Result {
    ensure!(subject.store.scanned(10).await?.is_empty(), "a scan finds a record in an empty store");
    subject.store.create(&key(0), subject.entry("gone")).await?;
    subject.store.delete(&key(0)).await?;
    ensure!(subject.store.scanned(10).await?.is_empty(), "a scan finds a record that was removed");
    Ok(())
}

/// A limit of none still gets on.
pub async fn a_scan_without_a_limit_gets_on(subject: Subject) -> Result {
    for key in keys(5) {
        subject.store.create(&key, subject.entry("there")).await?;
    }
    let found = subject.store.scanned(0).await?.len();
    ensure!(found == 5, "a scan with a limit of 0 finds {found} of 5 records");
    Ok(())
}

/// A scan shows the last acknowledged write, and no principal that a later write took off.
pub async fn a_scan_sees_the_last_acknowledged_write(subject: Subject) -> Result {
    let first = subject.entry("first").with_principal(principal(0));
    let version = subject.store.create(&key(0), first).await?;
    let second = Entry::new("second", subject.within(5_000));
    subject.store.replace(&key(0), second.clone(), version).await?;
    are_equal(&subject.store.scanned(10).await?, &BTreeMap::from([(key(0), second)]))
}

/// A scan changes nothing: the versions from before it are still current.
pub async fn a_scan_changes_nothing(subject: Subject) -> Result {
    let mut versions = Vec::new();
    for key in keys(10) {
        versions.push((key, subject.store.create(&key, subject.entry("there")).await?));
    }
    subject.store.scanned(3).await?;
    for (key, version) in versions {
        subject.store.replace(&key, subject.entry("changed"), version).await?;
    }
    Ok(())
}

/// Records that stay are found however many others come and go meanwhile, and the scan ends.
pub async fn a_scan_beside_writers_misses_nothing_that_stays(subject: Subject) -> Result {
    for key in keys(50) {
        subject.store.create(&key, subject.entry("stays")).await?;
    }
    let mut writers: JoinSet<Result> = JoinSet::new();
    let rounds = subject.rounds(40);
    for writer in 1..=3 {
        let (store, entry) = (subject.store.clone(), subject.entry("comes and goes"));
        writers.spawn(async move {
            for round in 0..rounds {
                let key = key(1_000 * writer + round);
                store.create(&key, entry.clone()).await?;
                store.delete(&key).await?;
            }
            Ok(())
        });
    }
    for _ in 0..5 {
        let scanned = subject.store.scanned(7).await?;
        let missing = keys(50).into_iter().filter(|key| !scanned.contains_key(key)).count();
        ensure!(missing == 0, "a scan beside writers misses {missing} of 50 records that stay");
    }
    while let Some(writer) = writers.join_next().await {
        writer??;
    }
    Ok(())
}

/// A record that cannot be read is counted, and does not end the scan.
pub async fn a_scan_goes_on_after_a_damaged_record(subject: Subject) -> Result {
    for key in keys(20) {
        subject.store.create(&key, subject.entry("sound")).await?;
    }
    subject.damage(key(7)).await?;
    for limit in [1, 6, 100] {
        let (found, failed) = subject.store.scan_to_end(limit).await?;
        ensure!(!found.contains_key(&key(7)), "a scan returns a damaged record");
        ensure!(found.len() == 19, "a scan finds {} of 19 sound records beside a damaged one", found.len());
        ensure!(failed > 0, "a scan does not say that it could not read a record");
    }
    Ok(())
}

/// While the medium is down a scan is an error, never an end.
pub async fn an_outage_does_not_end_a_scan(subject: Subject) -> Result {
    for key in keys(5) {
        subject.store.create(&key, subject.entry("there")).await?;
    }
    subject.turn(Medium::Down).await?;
    let during = subject.store.scanned(2).await;
    subject.turn(Medium::Up).await?;
    if let Ok(found) = during {
        ensure!(found.len() == 5, "a scan during an outage ends after {} of 5 records", found.len());
    }
    Ok(())
}

fn are_equal(found: &BTreeMap<StoreKey, Entry>, written: &BTreeMap<StoreKey, Entry>) -> Result {
    ensure!(
        found.keys().eq(written.keys()),
        "a scan finds {} records where {} were written, or others",
        found.len(),
        written.len()
    );
    for (found, written) in found.values().zip(written.values()) {
        ensure!(found.bytes == written.bytes, "a scan returns other bytes than were written");
        ensure!(found.principal == written.principal, "a scan returns a record under another principal");
        same_expiry(found.expires_at, written.expires_at)?;
    }
    Ok(())
}

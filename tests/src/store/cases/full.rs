//! A bounded store refuses what does not fit; it forgets nothing and goes on with everything else.

use session_core::Version;

use super::prelude::*;
use crate::store::handle::Handle;

/// A full store refuses a new record with `Full`, at the latest behind its bound.
pub async fn a_full_store_says_so(subject: Subject) -> Result {
    // Shows: A20
    let full = fill(&subject).await?;
    for extra in 0..3 {
        full.refuses(&subject, extra).await?;
    }
    Ok(())
}

/// A full store has everything that it acknowledged for a principal: it refuses the new rather than forget the old,
/// which would be a silent logout.
pub async fn a_full_store_forgets_nothing(subject: Subject) -> Result {
    // Shows: A20
    let full = fill(&subject).await?;
    full.refuses(&subject, 0).await?;
    for (number, version) in full.versions.iter().enumerate() {
        let stored = full.store.holds(&key(number as u64), &kilobyte(number)).await?;
        ensure!(stored.version == *version, "a record has another version once the store is full");
    }
    if full.store.as_principal_index().is_some() {
        full.store.lists(&principal(0), &keys(full.versions.len() as u64)).await?;
    }
    Ok(())
}

/// A record that was refused is not there, nor listed, nor in the way.
pub async fn a_refused_record_leaves_nothing(subject: Subject) -> Result {
    let full = fill(&subject).await?;
    full.refuses(&subject, 0).await?;
    full.store.lacks(&full.extra(0)).await?;
    full.store.delete(&full.extra(0)).await?;
    full.refuses(&subject, 0).await
}

/// A full store goes on loading and removing, and answers conflicts as always.
pub async fn a_full_store_reads_and_removes(subject: Subject) -> Result {
    let full = fill(&subject).await?;
    let store = &full.store;
    store.holds(&key(0), &kilobyte(0)).await?;
    let written = store.write(&key(0), entry(&subject, 1), Expect::Version(Version::new(u64::MAX))).await?;
    ensure!(written == Written::Conflict, "a write over a stale version is stored in a full store");
    let removed = store.remove(&key(1), Some(full.versions[0])).await?;
    ensure!(removed == Removed::Conflict, "a removal of a stale version removes from a full store");
    store.delete(&key(0)).await?;
    store.lacks(&key(0)).await?;
    let removed = store.remove(&key(1), Some(full.versions[1])).await?;
    ensure!(removed == Removed::Gone, "a removal of the current version conflicts in a full store");
    store.lacks(&key(1)).await
}

/// A removal makes room for a new record.
pub async fn a_removal_makes_room(subject: Subject) -> Result {
    let full = fill(&subject).await?;
    full.refuses(&subject, 0).await?;
    for number in 0..4_u64 {
        full.store.delete(&key(number)).await?;
    }
    full.store.create(&full.extra(0), entry(&subject, 0)).await?;
    full.store.holds(&full.extra(0), &kilobyte(0)).await?;
    Ok(())
}

/// A rewrite in a full store is stored or refused with `Full`; refused, it leaves the old record.
pub async fn a_rewrite_in_a_full_store_is_old_or_new(subject: Subject) -> Result {
    let full = fill(&subject).await?;
    for (number, length) in [(0, 10), (1, 1_024), (2, 20_000)] {
        let new = subject.entry(pattern(length, 77)).with_principal(principal(0));
        let expect = Expect::Version(full.versions[number]);
        match full.store.write(&key(number as u64), new.clone(), expect).await {
            Ok(Written::Stored(_)) => full.store.holds(&key(number as u64), &new.bytes).await?,
            Ok(Written::Conflict) => fail!("a write over the current version conflicts in a full store"),
            Err(error) => {
                ensure!(error.kind() == StoreErrorKind::Full, "a full store says {:?}", error.kind());
                full.store.holds(&key(number as u64), &kilobyte(number)).await?
            }
        };
    }
    Ok(())
}

/// Expired records make room for new ones, after a sweep if the store has one, else by themselves (D6).
pub async fn expired_records_make_room(subject: Subject) -> Result {
    let full = fill(&subject).await?;
    subject.advance(7_200);
    if full.store.as_sweep().is_some() {
        full.store.sweep_to_end(SweepRequest::before(subject.now())).await?;
    }
    for extra in 0..full.versions.len() as u64 {
        full.store.create(&full.extra(extra), entry(&subject, 0)).await?;
    }
    Ok(())
}

/// A store that has refused a record for lack of room.
struct Full {
    store: Handle,
    versions: Vec<Version>,
}

impl Full {
    fn extra(&self, number: u64) -> session_core::StoreKey {
        key(1_000_000 + number)
    }

    async fn refuses(&self, subject: &Subject, number: u64) -> Result {
        match self.store.write(&self.extra(number), entry(subject, 0), Expect::Absent).await {
            Ok(written) => fail!("a store that was full answers a create with {written:?}"),
            Err(error) => {
                ensure!(error.kind() == StoreErrorKind::Full, "a full store says {:?}", error.kind())
            }
        }
        Ok(())
    }
}

/// Creates records until the bounded variant refuses one.
async fn fill(subject: &Subject) -> Result<Full> {
    let (store, most_records) = subject.bounded().await?;
    let mut versions = Vec::new();
    for number in 0..=most_records {
        match store.write(&key(number as u64), entry(subject, number), Expect::Absent).await {
            Ok(Written::Stored(version)) => versions.push(version),
            Ok(Written::Conflict) => fail!("a create conflicts where nothing is"),
            Err(error) => {
                ensure!(error.kind() == StoreErrorKind::Full, "a full store says {:?}", error.kind());
                ensure!(versions.len() >= 4, "a bounded store holds {} records only", versions.len());
                return Ok(Full { store, versions });
            }
        }
    }
    fail!("a store declared to hold at most {most_records} records takes one more")
}

fn entry(subject: &Subject, number: usize) -> Entry {
    subject.entry(kilobyte(number)).with_principal(principal(0))
}

fn kilobyte(number: usize) -> Vec<u8> {
    pattern(1_024, number as u64)
}

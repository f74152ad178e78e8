//! What is written comes back, byte for byte.

use super::prelude::*;

/// The bytes of a record come back exactly as written: none at all, one, every byte value, and many.
pub async fn bytes_come_back_exactly(subject: Subject) -> Result {
    let every_value: Vec<u8> = (0..=u8::MAX).collect();
    let records = [vec![], vec![0], vec![0; 100], vec![0xff; 100], every_value, pattern(70_000, 1)];
    for (key, bytes) in keys(6).iter().zip(&records) {
        subject.store.create(key, subject.entry(bytes.clone())).await?;
    }
    for (key, bytes) in keys(6).iter().zip(&records) {
        subject.store.holds(key, bytes).await?;
    }
    Ok(())
}

/// A record of 1 MiB, or of the largest size that the store declares, comes back whole.
pub async fn a_large_record_comes_back_whole(subject: Subject) -> Result {
    let bytes = pattern(subject.largest_record(), 2);
    subject.store.create(&key(0), subject.entry(bytes.clone())).await?;
    subject.store.holds(&key(0), &bytes).await?;
    Ok(())
}

/// A record larger than the store takes is refused with an error, never cut short.
pub async fn a_record_too_large_is_never_cut_short(subject: Subject) -> Result {
    // Shows: A22
    let bytes = pattern(subject.largest_record() + 1, 3);
    match subject.store.write(&key(0), subject.entry(bytes.clone()), Expect::Absent).await {
        Ok(Written::Stored(_)) => subject.store.holds(&key(0), &bytes).await.map(drop),
        Ok(Written::Conflict) => fail!("a record too large is reported as a conflict"),
        Err(_) => subject.store.lacks(&key(0)).await,
    }
}

/// Rewriting a long record with a short one leaves no tail of the long one, and a long one over a short one is whole.
pub async fn a_rewrite_replaces_every_byte(subject: Subject) -> Result {
    let mut version = subject.store.create(&key(0), subject.entry(pattern(5_000, 4))).await?;
    for (round, length) in [10, 9_000, 0, 3, 2].into_iter().enumerate() {
        let bytes = pattern(length, 5 + round as u64);
        version = subject.store.replace(&key(0), subject.entry(bytes.clone()), version).await?;
        subject.store.holds(&key(0), &bytes).await?;
    }
    Ok(())
}

/// Records with equal bytes, expiry and principal under different keys are different records.
pub async fn equal_records_stay_apart(subject: Subject) -> Result {
    let entry = subject.entry("the same").with_principal(principal(0));
    for key in keys(3) {
        subject.store.create(&key, entry.clone()).await?;
    }
    let changed = subject.store.found(&key(1)).await?.version;
    subject.store.replace(&key(1), subject.entry("another"), changed).await?;
    subject.store.delete(&key(2)).await?;
    subject.store.holds(&key(0), b"the same").await?;
    subject.store.holds(&key(1), b"another").await?;
    subject.store.lacks(&key(2)).await
}

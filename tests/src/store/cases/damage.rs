//! A record that cannot be read any more: an error for its own key, and for no other.

use super::prelude::*;

/// A damaged record is `Corrupt`: neither absent, nor an outage, nor served.
pub async fn a_damaged_record_is_corrupt(subject: Subject) -> Result {
    // Shows: A23
    subject.store.create(&key(0), subject.entry(pattern(500, 1))).await?;
    subject.damage(key(0)).await?;
    match subject.store.load(&key(0)).await {
        Ok(Some(_)) => fail!("a damaged record is served"),
        Ok(None) => fail!("a damaged record is reported as absent"),
        Err(error) => {
            ensure!(error.kind() == StoreErrorKind::Corrupt, "damage is reported as {:?}", error.kind())
        }
    }
    Ok(())
}

/// A write over a damaged record never pretends that the record was as expected.
pub async fn a_damaged_record_is_not_written_over(subject: Subject) -> Result {
    let version = subject.store.create(&key(0), subject.entry(pattern(500, 1))).await?;
    subject.damage(key(0)).await?;
    let written = subject.store.write(&key(0), subject.entry("over it"), Expect::Version(version)).await;
    ensure!(
        !matches!(written, Ok(Written::Stored(_))),
        "a write that expects a version is stored over damage"
    );
    ensure!(!matches!(subject.store.load(&key(0)).await, Ok(Some(_))), "a damaged record is served");
    Ok(())
}

/// A damaged record harms no other: they load, change and go as always.
pub async fn a_damaged_record_harms_no_other(subject: Subject) -> Result {
    for key in keys(20) {
        subject.store.create(&key, subject.entry("sound")).await?;
    }
    subject.damage(key(7)).await?;
    let _ = subject.store.load(&key(7)).await;
    for number in (0..20).filter(|number| *number != 7) {
        let stored = subject.store.holds(&key(number), b"sound").await?;
        subject.store.replace(&key(number), subject.entry("written"), stored.version).await?;
        subject.store.delete(&key(number)).await?;
        subject.store.lacks(&key(number)).await?;
    }
    Ok(())
}

/// A damaged record can be removed, and its key used again.
pub async fn a_damaged_record_can_be_removed(subject: Subject) -> Result {
    subject.store.create(&key(0), subject.entry(pattern(500, 1))).await?;
    subject.damage(key(0)).await?;
    subject.store.delete(&key(0)).await?;
    subject.store.lacks(&key(0)).await?;
    subject.store.create(&key(0), subject.entry("new")).await?;
    subject.store.holds(&key(0), b"new").await?;
    Ok(())
}

/// A sweep goes on after a damaged record, reaches every other expired one, and counts what it could not delete (D7).
pub async fn a_sweep_goes_on_after_a_damaged_record(subject: Subject) -> Result {
    for number in 0..40 {
        let seconds = if number % 2 == 0 { 60 } else { 7_200 };
        subject.store.create(&key(number), Entry::new("swept or not", subject.within(seconds))).await?;
    }
    for number in [0, 1, 10, 11] {
        subject.damage(key(number)).await?;
    }
    subject.advance(600);
    let swept = subject.store.sweep_to_end(SweepRequest::before(subject.now()).budget(9)).await?;
    for number in [0, 10] {
        let is_left = subject.store.load(&key(number)).await.is_err();
        ensure!(!is_left || swept.failed > 0, "a sweep leaves a damaged record behind and counts no failure");
    }
    subject.clock().rewind(std::time::Duration::from_secs(600));
    for number in (0..40).filter(|number| ![0, 1, 10, 11].contains(number)) {
        match number % 2 {
            0 => subject.store.lacks(&key(number)).await?,
            _ => drop(subject.store.holds(&key(number), b"swept or not").await?),
        }
    }
    Ok(())
}

/// A damaged record leaves the other records of its principal listed.
pub async fn a_damaged_record_leaves_the_others_listed(subject: Subject) -> Result {
    for key in keys(10) {
        subject.store.create(&key, subject.entry("listed").with_principal(principal(0))).await?;
    }
    let mut sorted = keys(10);
    sorted.sort_unstable();
    subject.damage(sorted[0]).await?;
    subject.damage(sorted[5]).await?;
    subject.store.lists(&principal(0), &[&sorted[1..5], &sorted[6..]].concat()).await
}

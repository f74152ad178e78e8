//! Sweeping: the expired go, whatever the budget, and only they.

use std::time::{Duration, UNIX_EPOCH};

use session_core::SweepRequest;

use super::{expiry::YEAR_9999, prelude::*};
use crate::store::handle::SWEEPS;

/// A sweep deletes every record that expires before the given instant, and no other.
pub async fn a_sweep_deletes_the_expired_only(subject: Subject) -> Result {
    populate(&subject, 30).await?;
    subject.advance(600);
    let swept = subject.store.sweep_to_end(SweepRequest::before(subject.now())).await?;
    ensure!(swept.removed <= 30, "a sweep of 30 expired records counts {} as removed", swept.removed);
    ensure!(swept.removed <= swept.examined, "a sweep removes more records than it looks at");
    ensure!(swept.failed == 0, "a sweep of a healthy store counts {} failures", swept.failed);
    half_is_gone(&subject, 30).await
}

/// A sweep keeps to its range: it includes the instant it starts from and excludes the one it ends before.
pub async fn a_sweep_keeps_to_its_range(subject: Subject) -> Result {
    let base = subject.within(100);
    for second in 0..10 {
        let entry = Entry::new("ranged", base + Duration::from_secs(second));
        subject.store.create(&key(second), entry.with_principal(principal(0))).await?;
    }
    subject.store.create(&key(99), Entry::new("far", UNIX_EPOCH + Duration::from_secs(YEAR_9999))).await?;
    let first = subject.now();
    subject.advance(600);
    let request = |from, to| {
        SweepRequest::before(base + Duration::from_secs(to)).from(base + Duration::from_secs(from))
    };
    subject.store.sweep_to_end(request(3, 6)).await?;
    // Back to where nothing has expired, so that a record which is there is loaded.
    subject.clock().rewind(subject.now().duration_since(first)?);
    for second in 0..10 {
        match second {
            3..6 => subject.store.lacks(&key(second)).await?,
            _ => drop(subject.store.holds(&key(second), b"ranged").await?),
        }
    }
    subject.store.holds(&key(99), b"far").await?;
    Ok(())
}

/// A sweep of an empty range, or of one in which nothing expires, deletes nothing.
pub async fn a_sweep_of_an_empty_range_deletes_nothing(subject: Subject) -> Result {
    populate(&subject, 10).await?;
    let (start, later) = (subject.now(), subject.within(600));
    subject.advance(600);
    for request in [
        SweepRequest::before(UNIX_EPOCH),
        SweepRequest::before(start),
        SweepRequest::before(start).from(later),
        SweepRequest::before(later).from(later),
    ] {
        let swept = subject.store.sweep_to_end(request).await?;
        ensure!(swept.removed == 0, "a sweep of an empty range counts {} records as removed", swept.removed);
    }
    subject.clock().rewind(later.duration_since(start)?);
    for number in 0..20 {
        subject.store.holds(&key(number), b"swept or not").await?;
    }
    Ok(())
}

/// One call looks at no more records than its budget, and repeated calls reach every expired record all the same.
pub async fn a_sweep_keeps_to_its_budget(subject: Subject) -> Result {
    populate(&subject, 30).await?;
    subject.advance(600);
    let request = SweepRequest::before(subject.now()).budget(7);
    for _ in 0..SWEEPS {
        let swept = subject.store.sweeper()?.sweep(request).await?;
        ensure!(swept.examined <= 7, "a sweep with a budget of 7 looks at {} records", swept.examined);
        ensure!(swept.removed <= 7, "a sweep with a budget of 7 removes {} records", swept.removed);
        if swept.finished {
            return half_is_gone(&subject, 30).await;
        }
    }
    fail!("a sweep with a budget of 7 has not finished 60 records after {SWEEPS} calls")
}

/// A sweep with a budget of one, called again and again, reaches every expired record, however many live ones lie
/// between.
pub async fn a_sweep_with_a_budget_of_one_reaches_everything(subject: Subject) -> Result {
    populate(&subject, 12).await?;
    subject.advance(600);
    subject.store.sweep_to_end(SweepRequest::before(subject.now()).budget(1)).await?;
    half_is_gone(&subject, 12).await
}

/// A sweep with no budget deletes nothing and does no harm.
pub async fn a_sweep_without_a_budget_deletes_nothing(subject: Subject) -> Result {
    populate(&subject, 5).await?;
    subject.advance(600);
    for _ in 0..3 {
        let swept = subject.store.sweeper()?.sweep(SweepRequest::before(subject.now()).budget(0)).await?;
        ensure!(swept.removed == 0 && swept.examined == 0, "a sweep with no budget looks at records");
    }
    subject.store.sweep_to_end(SweepRequest::before(subject.now())).await?;
    half_is_gone(&subject, 5).await
}

/// A sweep says when it has finished, also of an empty store, and the next one starts over.
pub async fn a_sweep_that_finished_starts_over(subject: Subject) -> Result {
    for round in 0..4 {
        subject.store.sweep_to_end(SweepRequest::before(subject.now()).budget(5)).await?;
        for number in 0..8 {
            let entry = Entry::new("short", subject.within(60));
            subject.store.create(&key(round * 8 + number), entry).await?;
        }
        subject.advance(120);
        subject.store.sweep_to_end(SweepRequest::before(subject.now()).budget(5)).await?;
        subject.clock().rewind(Duration::from_secs(120));
        for number in 0..8 {
            subject.store.lacks(&key(round * 8 + number)).await?;
        }
    }
    Ok(())
}

/// A record whose expiry was moved ahead before the sweep is kept.
pub async fn a_sweep_keeps_what_was_renewed(subject: Subject) -> Result {
    for key in keys(20) {
        let version = subject.store.create(&key, Entry::new("short", subject.within(60))).await?;
        let version = subject.store.replace(&key, Entry::new("shorter", subject.within(30)), version).await?;
        subject.store.replace(&key, Entry::new("renewed", subject.within(3_600)), version).await?;
    }
    subject.advance(600);
    subject.store.sweep_to_end(SweepRequest::before(subject.now())).await?;
    for key in keys(20) {
        subject.store.holds(&key, b"renewed").await?;
    }
    Ok(())
}

/// A record whose expiry was moved to an earlier instant is swept once that has passed.
pub async fn a_sweep_deletes_what_was_shortened(subject: Subject) -> Result {
    for key in keys(10) {
        let version = subject.store.create(&key, Entry::new("long", subject.within(3_600))).await?;
        subject.store.replace(&key, Entry::new("shortened", subject.within(60)), version).await?;
    }
    subject.advance(600);
    subject.store.sweep_to_end(SweepRequest::before(subject.now())).await?;
    subject.clock().rewind(Duration::from_secs(600));
    for key in keys(10) {
        subject.store.lacks(&key).await?;
    }
    Ok(())
}

/// A write to a swept record conflicts, and its key can be used for a new one with a version that the old one never
/// had (D29).
pub async fn a_swept_key_can_be_used_again(subject: Subject) -> Result {
    let old = subject.store.create(&key(0), Entry::new("old", subject.within(60))).await?;
    subject.advance(600);
    subject.store.sweep_to_end(SweepRequest::before(subject.now())).await?;
    let late = subject.store.write(&key(0), subject.entry("late"), Expect::Version(old)).await?;
    ensure!(late == Written::Conflict, "a write brings a swept record back");
    let new = subject.store.create(&key(0), subject.entry("new")).await?;
    ensure!(new != old, "a record created after a sweep has the version of the one swept");
    subject.store.sweep_to_end(SweepRequest::before(subject.now())).await?;
    subject.store.holds(&key(0), b"new").await?;
    Ok(())
}

/// A sweep leaves alone what is not the store's own (CVE-2018-12538).
pub async fn a_sweep_leaves_the_foreign_alone(subject: Subject) -> Result {
    populate(&subject, 10).await?;
    subject.plant().await?;
    subject.advance(600);
    subject.store.sweep_to_end(SweepRequest::before(subject.now())).await?;
    subject.is_intact().await?;
    half_is_gone(&subject, 10).await
}

/// `count` records that expire in a minute, at even keys, and as many that live for two hours, at odd ones.
async fn populate(subject: &Subject, count: u64) -> Result {
    for number in 0..2 * count {
        let seconds = if number % 2 == 0 { 60 } else { 7_200 };
        subject.store.create(&key(number), Entry::new("swept or not", subject.within(seconds))).await?;
    }
    Ok(())
}

/// Ten minutes after [`populate`]: turns the clock back, so that an expired record which was not deleted is loaded.
async fn half_is_gone(subject: &Subject, count: u64) -> Result {
    subject.clock().rewind(Duration::from_secs(600));
    for number in 0..2 * count {
        match number % 2 {
            0 => subject.store.lacks(&key(number)).await?,
            _ => drop(subject.store.holds(&key(number), b"swept or not").await?),
        }
    }
    Ok(())
}

//! The medium fails: an error, never an absence; and nothing acknowledged is lost.

use session_core::{StoreError, StoreKey};
use tokio::task::yield_now;

use super::prelude::*;
use crate::store::{Medium, handle::same_bytes};

/// While the medium is down a load is an error that says so, or the record; never `None` (D12).
pub async fn an_outage_is_never_an_absence(subject: Subject) -> Result {
    // Shows: A31
    for key in keys(5) {
        subject.store.create(&key, subject.entry("there")).await?;
    }
    subject.turn(Medium::Down).await?;
    let answers = loads(&subject, 5).await;
    subject.turn(Medium::Up).await?;
    for answer in answers {
        match answer {
            Ok(Some(stored)) => same_bytes(&stored.bytes, b"there")?,
            Ok(None) => fail!("a load during an outage finds the record absent"),
            Err(error) => during_outage(&error, &[])?,
        }
    }
    Ok(())
}

/// Everything acknowledged before an outage is there after it: records, removals, versions.
pub async fn an_outage_loses_nothing(subject: Subject) -> Result {
    // Shows: A31
    let version = subject.store.create(&key(0), subject.entry("before")).await?;
    subject.store.create(&key(1), subject.entry("removed")).await?;
    subject.store.delete(&key(1)).await?;
    subject.turn(Medium::Down).await?;
    let _ = loads(&subject, 3).await;
    subject.turn(Medium::Up).await?;
    healed(&subject).await?;
    let stored = subject.store.holds(&key(0), b"before").await?;
    ensure!(stored.version == version, "a record has another version after an outage");
    subject.store.lacks(&key(1)).await?;
    subject.store.replace(&key(0), subject.entry("after"), version).await?;
    Ok(())
}

/// A write during an outage is an error or keeps its promise: refused, nothing has changed; acknowledged, it is there
/// afterwards; in doubt, the record is the old or the new one.
pub async fn a_write_during_an_outage_keeps_its_word(subject: Subject) -> Result {
    let version = subject.store.create(&key(0), subject.entry("old")).await?;
    subject.turn(Medium::Down).await?;
    let replaced = subject.store.write(&key(0), subject.entry("new"), Expect::Version(version)).await;
    let created = subject.store.write(&key(1), subject.entry("new"), Expect::Absent).await;
    subject.turn(Medium::Up).await?;
    healed(&subject).await?;
    for (key, answer, old) in [(key(0), replaced, Some(&b"old"[..])), (key(1), created, None)] {
        let found = subject.store.load(&key).await?.map(|stored| stored.bytes);
        let (is_old, is_new) = (found.as_deref() == old, found.as_deref() == Some(b"new"));
        match answer {
            Ok(Written::Stored(_)) => ensure!(is_new, "a write acknowledged during an outage is lost"),
            Ok(Written::Conflict) => fail!("a write during an outage is reported as a conflict"),
            Err(error) => {
                during_outage(&error, &[StoreErrorKind::Indeterminate])?;
                let may_be_new = error.kind() == StoreErrorKind::Indeterminate;
                ensure!(
                    is_old || may_be_new && is_new,
                    "a write refused during an outage changed the record"
                );
            }
        }
    }
    Ok(())
}

/// A removal during an outage is an error or keeps its promise: acknowledged, the record is gone afterwards; refused,
/// it is there.
pub async fn a_removal_during_an_outage_keeps_its_word(subject: Subject) -> Result {
    let version = subject.store.create(&key(0), subject.entry("there")).await?;
    subject.store.create(&key(1), subject.entry("there")).await?;
    subject.turn(Medium::Down).await?;
    let answers =
        [subject.store.remove(&key(0), Some(version)).await, subject.store.remove(&key(1), None).await];
    subject.turn(Medium::Up).await?;
    healed(&subject).await?;
    for (key, answer) in keys(2).into_iter().zip(answers) {
        let is_there = subject.store.load(&key).await?.is_some();
        match answer {
            Ok(Removed::Gone) => ensure!(!is_there, "a removal acknowledged during an outage is undone"),
            Ok(Removed::Conflict) => fail!("a removal during an outage is reported as a conflict"),
            Err(error) => {
                during_outage(&error, &[StoreErrorKind::Indeterminate])?;
                let may_be_gone = error.kind() == StoreErrorKind::Indeterminate;
                ensure!(is_there || may_be_gone, "a removal refused during an outage removed the record");
            }
        }
    }
    Ok(())
}

/// A list during an outage is an error or complete; never a list that leaves records out.
pub async fn a_list_during_an_outage_is_never_short(subject: Subject) -> Result {
    for key in keys(5) {
        subject.store.create(&key, subject.entry("listed").with_principal(principal(0))).await?;
    }
    subject.turn(Medium::Down).await?;
    let answer = subject.store.index()?.keys_of(&principal(0), None, 10).await;
    subject.turn(Medium::Up).await?;
    match answer {
        Ok(listed) => {
            ensure!(keys(5).iter().all(|key| listed.contains(key)), "a list during an outage is short")
        }
        Err(error) => during_outage(&error, &[])?,
    }
    healed(&subject).await?;
    subject.store.lists(&principal(0), &keys(5)).await
}

/// A sweep during an outage deletes no live record, and does not claim to have finished what it could not see.
pub async fn a_sweep_during_an_outage_does_no_harm(subject: Subject) -> Result {
    subject.store.create(&key(0), Entry::new("expired", subject.within(60))).await?;
    subject.store.create(&key(1), subject.entry("live")).await?;
    subject.advance(600);
    let request = SweepRequest::before(subject.now());
    subject.turn(Medium::Down).await?;
    let answer = subject.store.sweeper()?.sweep(request).await;
    subject.turn(Medium::Up).await?;
    healed(&subject).await?;
    if let Err(error) = &answer {
        during_outage(error, &[StoreErrorKind::Indeterminate])?;
    }
    if answer.is_ok_and(|swept| swept.finished && swept.failed == 0) {
        subject.clock().rewind(std::time::Duration::from_secs(600));
        subject.store.lacks(&key(0)).await?;
        subject.advance(600);
    }
    subject.store.holds(&key(1), b"live").await?;
    subject.store.sweep_to_end(request).await?;
    subject.clock().rewind(std::time::Duration::from_secs(600));
    subject.store.lacks(&key(0)).await?;
    subject.store.holds(&key(1), b"live").await?;
    Ok(())
}

/// A check of the environment during an outage reports it.
pub async fn a_check_during_an_outage_reports_it(subject: Subject) -> Result {
    subject.turn(Medium::Down).await?;
    let answer = subject.store.environment()?.check().await;
    subject.turn(Medium::Up).await?;
    ensure!(answer.is_err_and(|errors| !errors.is_empty()), "a check during an outage finds nothing wrong");
    healed(&subject).await
}

async fn loads(subject: &Subject, count: u64) -> Vec<Result<Option<session_core::Stored>, StoreError>> {
    let mut answers = Vec::new();
    for key in keys(count) {
        answers.push(subject.store.load(&key).await);
    }
    answers
}

/// Errors of an outage must say that the medium is the trouble.
fn during_outage(error: &StoreError, also: &[StoreErrorKind]) -> Result {
    let kind = error.kind();
    let fits =
        matches!(kind, StoreErrorKind::Unavailable | StoreErrorKind::Overloaded) || also.contains(&kind);
    ensure!(fits, "an outage is reported as {kind:?}");
    Ok(())
}

/// The store must answer again; a few refusals are allowed, as when each of several connections finds out by itself.
async fn healed(subject: &Subject) -> Result {
    let mut refused = None;
    for _ in 0..100 {
        match subject.store.load(&absent()).await {
            Ok(_) => return Ok(()),
            Err(error) => refused = Some(error),
        }
        yield_now().await;
    }
    let reason = refused.map(|error| error.to_string()).unwrap_or_default();
    fail!("the medium works again, but 100 loads in a row are refused: {reason}")
}

fn absent() -> StoreKey {
    key(u64::MAX)
}

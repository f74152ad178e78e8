//! When a record may go: exactly as long as written, and never because it was read.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use session_core::Version;
use tokio::task::JoinSet;

use super::prelude::*;

/// The expiry of a record comes back as written, or rounded up to a whole second; never down.
pub async fn an_expiry_comes_back_as_written(subject: Subject) -> Result {
    let base = subject.within(600);
    for (key, millis) in keys(8).iter().zip([0, 1, 499, 500, 501, 999, 1_000, 59_001]) {
        let expires_at = base + Duration::from_millis(millis);
        subject.store.create(key, Entry::new("timed", expires_at)).await?;
        same_expiry(subject.store.found(key).await?.expires_at, expires_at)?;
    }
    Ok(())
}

/// An expiry may lie as far ahead as the year 9999: it neither wraps nor saturates (D23).
pub async fn an_expiry_may_lie_in_the_year_9999(subject: Subject) -> Result {
    let seconds = [1 << 31, 1 << 32, 1 << 33, 9_223_372_036, 9_223_372_037, YEAR_9999];
    for (key, seconds) in keys(6).iter().zip(seconds) {
        let expires_at = UNIX_EPOCH + Duration::from_secs(seconds);
        if expires_at < subject.now() {
            continue;
        }
        subject.store.create(key, Entry::new("far", expires_at)).await?;
        same_expiry(subject.store.holds(key, b"far").await?.expires_at, expires_at)?;
    }
    Ok(())
}

/// An expiry may lie long ago, back to 1970: the record is there as written or not at all, and its key stays usable.
pub async fn an_expiry_may_lie_at_the_epoch(subject: Subject) -> Result {
    let instants = [UNIX_EPOCH, UNIX_EPOCH + Duration::from_millis(1), UNIX_EPOCH + Duration::from_secs(1)];
    for (key, expires_at) in keys(3).iter().zip(instants) {
        subject.store.create(key, Entry::new("long ago", expires_at)).await?;
        if let Some(stored) = subject.store.load(key).await? {
            ensure!(&*stored.bytes == b"long ago", "an expired record comes back with other bytes");
            same_expiry(stored.expires_at, expires_at)?;
        }
        subject.store.delete(key).await?;
        subject.store.create(key, subject.entry("now")).await?;
        subject.store.holds(key, b"now").await?;
    }
    Ok(())
}

/// A record lives to the last millisecond before its expiry.
pub async fn a_record_lives_to_its_last_millisecond(subject: Subject) -> Result {
    let expires_at = subject.within(60) + Duration::from_millis(250);
    let version = subject.store.create(&key(0), Entry::new("alive", expires_at)).await?;
    for step in [30_000, 29_000, 1_000, 249] {
        subject.clock().advance(Duration::from_millis(step));
        subject.store.holds(&key(0), b"alive").await?;
    }
    subject.store.replace(&key(0), subject.entry("renewed"), version).await?;
    subject.advance(600);
    subject.store.holds(&key(0), b"renewed").await?;
    Ok(())
}

/// Loading does not extend the life of a record (CVE-2024-35220).
pub async fn a_load_does_not_extend_a_life(subject: Subject) -> Result {
    let expires_at = subject.within(600);
    subject.store.create(&key(0), Entry::new("read often", expires_at)).await?;
    for _ in 0..9 {
        subject.advance(60);
        same_expiry(subject.store.found(&key(0)).await?.expires_at, expires_at)?;
    }
    Ok(())
}

/// A write moves the expiry wherever it says, also to an earlier instant (CVE-2024-35220).
pub async fn a_write_moves_the_expiry_either_way(subject: Subject) -> Result {
    let mut version = subject.store.create(&key(0), Entry::new("moved", subject.within(600))).await?;
    for seconds in [1_200, 60, 90_000, 30, 31] {
        let expires_at = subject.within(seconds);
        version = subject.store.replace(&key(0), Entry::new("moved", expires_at), version).await?;
        same_expiry(subject.store.found(&key(0)).await?.expires_at, expires_at)?;
    }
    Ok(())
}

/// An expired record comes back as it was written or not at all, never as something else.
pub async fn an_expired_record_is_itself_or_nothing(subject: Subject) -> Result {
    let expires_at = subject.in_moments(1);
    let version = subject.store.create(&key(0), Entry::new("expired", expires_at)).await?;
    subject.store.create(&key(1), subject.entry("live")).await?;
    subject.outlast(expires_at).await;
    for _ in 0..5 {
        subject.advance(100);
        if let Some(stored) = subject.store.load(&key(0)).await? {
            ensure!(&*stored.bytes == b"expired", "an expired record comes back with other bytes");
            ensure!(stored.version == version, "an expired record comes back with another version");
            same_expiry(stored.expires_at, expires_at)?;
        }
        subject.store.holds(&key(1), b"live").await?;
    }
    Ok(())
}

/// A create over an expired record either stores a record with nothing of the old one, or conflicts and changes
/// nothing.
pub async fn a_create_over_an_expired_record_is_all_or_nothing(subject: Subject) -> Result {
    let (old, expired_at) = expired(&subject).await?;
    match subject.store.write(&key(0), subject.entry("new"), Expect::Absent).await? {
        Written::Stored(new) => {
            ensure!(new != old, "a record created over an expired one has its version");
            subject.store.holds(&key(0), b"new").await?;
            let late = subject.store.write(&key(0), subject.entry("late"), Expect::Version(old)).await?;
            ensure!(
                late == Written::Conflict,
                "a write over the version of an expired, replaced record is stored"
            );
            subject.store.holds(&key(0), b"new").await.map(drop)
        }
        Written::Conflict => unchanged(&subject, old, expired_at).await,
    }
}

/// A write over an expired record either gives it a new version and the new expiry, or conflicts and changes nothing:
/// it is never extended unseen.
pub async fn a_write_over_an_expired_record_is_all_or_nothing(subject: Subject) -> Result {
    let (old, expired_at) = expired(&subject).await?;
    let entry = subject.entry("renewed");
    match subject.store.write(&key(0), entry.clone(), Expect::Version(old)).await? {
        Written::Stored(new) => {
            ensure!(new != old, "an expired record that was written again keeps its version");
            let stored = subject.store.holds(&key(0), b"renewed").await?;
            same_expiry(stored.expires_at, entry.expires_at)
        }
        Written::Conflict => unchanged(&subject, old, expired_at).await,
    }
}

/// A clock that jumps, forward or back by years, loses no record that has not expired.
pub async fn a_clock_that_jumps_loses_no_live_record(subject: Subject) -> Result {
    let expires_at = subject.now() + YEAR * 5;
    subject.store.create(&key(0), Entry::new("live", expires_at)).await?;
    for (forward, back) in [(YEAR * 4, YEAR * 20), (YEAR * 15, YEAR * 5), (YEAR, YEAR)] {
        subject.clock().advance(forward);
        subject.store.holds(&key(0), b"live").await?;
        subject.clock().rewind(back);
        same_expiry(subject.store.holds(&key(0), b"live").await?.expires_at, expires_at)?;
    }
    Ok(())
}

/// A load that finds a record expired never deletes a renewal acknowledged at the same time.
pub async fn a_load_never_deletes_a_renewal(subject: Subject) -> Result {
    for round in 0..subject.rounds(40) {
        let key = key(round);
        let expires_at = subject.in_moments(1);
        let version = subject.store.create(&key, Entry::new("expiring", expires_at)).await?;
        subject.outlast(expires_at).await;
        let renewal = subject.entry("renewed");
        let start = Gate::of(4);
        let mut readers: JoinSet<Result> = JoinSet::new();
        for _ in 0..3 {
            let (store, start) = (subject.store.clone(), start.clone());
            readers.spawn(async move {
                start.pass().await;
                for _ in 0..3 {
                    store.load(&key).await?;
                }
                Ok(())
            });
        }
        start.pass().await;
        let renewed = subject.store.write(&key, renewal, Expect::Version(version)).await?;
        while let Some(reader) = readers.join_next().await {
            reader??;
        }
        if let Written::Stored(_) = renewed {
            subject.store.holds(&key, b"renewed").await?;
        }
    }
    Ok(())
}

/// A record that has expired: its version, and when that was.
async fn expired(subject: &Subject) -> Result<(Version, SystemTime)> {
    let expires_at = subject.in_moments(1);
    let version = subject.store.create(&key(0), Entry::new("expired", expires_at)).await?;
    subject.outlast(expires_at).await;
    subject.advance(60);
    Ok((version, expires_at))
}

/// An expired record that refused a write must be what it was, if it is there at all.
async fn unchanged(subject: &Subject, version: Version, expired_at: SystemTime) -> Result {
    if let Some(stored) = subject.store.load(&key(0)).await? {
        ensure!(stored.version == version, "a write that conflicts changes an expired record");
        same_expiry(stored.expires_at, expired_at)?;
    }
    Ok(())
}

/// 9999-12-31T23:59:59Z, the last second that RFC 3339 can name.
pub(super) const YEAR_9999: u64 = 253_402_300_799;
const YEAR: Duration = Duration::from_secs(365 * 86_400);

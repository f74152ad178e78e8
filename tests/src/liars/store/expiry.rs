//! Lies about time.

use std::{
    collections::HashMap,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use session_core::Clock;

use super::prelude::*;

/// Expiries are rounded down to whole seconds.
#[derive(Debug, Default)]
pub(super) struct RoundsDown;

#[async_trait]
impl Lie for RoundsDown {
    async fn write(&self, honest: &Honest, key: &StoreKey, entry: Entry, expect: Expect) -> Answer<Written> {
        honest.write(key, at(entry, |since| Duration::from_secs(since.as_secs())), expect).await
    }
}

/// Expiries are rounded up to whole minutes.
#[derive(Debug, Default)]
pub(super) struct RoundsUpToMinutes;

#[async_trait]
impl Lie for RoundsUpToMinutes {
    async fn write(&self, honest: &Honest, key: &StoreKey, entry: Entry, expect: Expect) -> Answer<Written> {
        let minute = |since: Duration| Duration::from_secs(since.as_secs().div_ceil(60) * 60);
        honest.write(key, at(entry, minute), expect).await
    }
}

/// Expiries are kept in 32 bits and wrap around in 2106.
#[derive(Debug, Default)]
pub(super) struct WrapsAround;

#[async_trait]
impl Lie for WrapsAround {
    async fn write(&self, honest: &Honest, key: &StoreKey, entry: Entry, expect: Expect) -> Answer<Written> {
        let wrapped =
            |since: Duration| Duration::new(u64::from(since.as_secs() as u32), since.subsec_nanos());
        honest.write(key, at(entry, wrapped), expect).await
    }
}

/// An expiry in the past panics.
#[derive(Debug, Default)]
pub(super) struct PanicsInThePast;

#[async_trait]
impl Lie for PanicsInThePast {
    async fn write(&self, honest: &Honest, key: &StoreKey, entry: Entry, expect: Expect) -> Answer<Written> {
        if entry.expires_at < honest.clock.now() {
            std::panic::resume_unwind(Box::new("second time provided was later than self"));
        }
        honest.write(key, entry, expect).await
    }
}

/// A record is gone in the last second of its life.
#[derive(Debug, Default)]
pub(super) struct ExpiresEarly;

#[async_trait]
impl Lie for ExpiresEarly {
    async fn load(&self, honest: &Honest, key: &StoreKey) -> Answer<Option<Stored>> {
        let soon = honest.clock.now() + Duration::from_secs(1);
        Ok(honest.load(key).await?.filter(|stored| stored.expires_at > soon))
    }
}

/// A write may extend a life but never shorten it.
#[derive(Debug, Default)]
pub(super) struct NeverShortens;

#[async_trait]
impl Lie for NeverShortens {
    async fn write(
        &self,
        honest: &Honest,
        key: &StoreKey,
        mut entry: Entry,
        expect: Expect,
    ) -> Answer<Written> {
        if let Some(kept) = honest.shelf().records.get(key) {
            entry.expires_at = entry.expires_at.max(kept.entry.expires_at);
        }
        honest.write(key, entry, expect).await
    }
}

/// An expired record is loaded without its bytes.
#[derive(Debug, Default)]
pub(super) struct EmptiesTheExpired;

#[async_trait]
impl Lie for EmptiesTheExpired {
    async fn load(&self, honest: &Honest, key: &StoreKey) -> Answer<Option<Stored>> {
        let now = honest.clock.now();
        Ok(honest.load(key).await?.map(|mut stored| {
            if stored.expires_at <= now {
                stored.bytes.clear();
            }
            stored
        }))
    }
}

/// A create over an expired record continues it under its version.
#[derive(Debug, Default)]
pub(super) struct ContinuesTheExpired;

#[async_trait]
impl Lie for ContinuesTheExpired {
    async fn write(&self, honest: &Honest, key: &StoreKey, entry: Entry, expect: Expect) -> Answer<Written> {
        let now = honest.clock.now();
        if let (Expect::Absent, Some(kept)) = (expect, honest.open()?.records.get_mut(key))
            && kept.entry.expires_at < now
        {
            kept.entry = entry;
            return Ok(Written::Stored(kept.version));
        }
        honest.write(key, entry, expect).await
    }
}

/// A write over an expired record conflicts, but extends it.
#[derive(Debug, Default)]
pub(super) struct ExtendsTheExpiredUnseen;

#[async_trait]
impl Lie for ExtendsTheExpiredUnseen {
    async fn write(&self, honest: &Honest, key: &StoreKey, entry: Entry, expect: Expect) -> Answer<Written> {
        let now = honest.clock.now();
        if let (Expect::Version(_), Some(kept)) = (expect, honest.open()?.records.get_mut(key))
            && kept.entry.expires_at < now
        {
            kept.entry.expires_at = entry.expires_at;
            return Ok(Written::Conflict);
        }
        honest.write(key, entry, expect).await
    }
}

/// A load that finds a record expired looks away and then deletes whatever is there.
#[derive(Debug, Default)]
pub(super) struct DeletesWhenItLoadsTheExpired;

#[async_trait]
impl Lie for DeletesWhenItLoadsTheExpired {
    async fn load(&self, honest: &Honest, key: &StoreKey) -> Answer<Option<Stored>> {
        let now = honest.clock.now();
        let loaded = honest.load(key).await?;
        if loaded.as_ref().is_some_and(|stored| stored.expires_at <= now) {
            let _ = honest.remove(key, None).await?;
            return Ok(None);
        }
        Ok(loaded)
    }
}

/// How long ago a record was written is taken for its age, whichever way the clock went.
#[derive(Debug, Default)]
pub(super) struct TakesAnyDistanceForAge(Mutex<HashMap<StoreKey, SystemTime>>);

#[async_trait]
impl Lie for TakesAnyDistanceForAge {
    async fn load(&self, honest: &Honest, key: &StoreKey) -> Answer<Option<Stored>> {
        let (now, written) = (honest.clock.now(), locked(&self.0).get(key).copied());
        let distance =
            |from: SystemTime| now.duration_since(from).unwrap_or_else(|earlier| earlier.duration());
        let lives = |stored: &Stored| {
            let life = |from| stored.expires_at.duration_since(from).is_ok_and(|life| distance(from) < life);
            written.is_none_or(life)
        };
        Ok(honest.load(key).await?.filter(lives))
    }

    async fn write(&self, honest: &Honest, key: &StoreKey, entry: Entry, expect: Expect) -> Answer<Written> {
        let written = honest.write(key, entry, expect).await?;
        if let Written::Stored(_) = written {
            locked(&self.0).insert(*key, honest.clock.now());
        }
        Ok(written)
    }
}

fn at(mut entry: Entry, since_epoch: impl Fn(Duration) -> Duration) -> Entry {
    entry.expires_at =
        UNIX_EPOCH + since_epoch(entry.expires_at.duration_since(UNIX_EPOCH).unwrap_or_default());
    entry
}

//! Lies about loading.

use std::{
    collections::HashMap,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use session_core::Clock;

use super::prelude::*;

/// What is absent is loaded as an empty record.
#[derive(Debug, Default)]
pub(super) struct LoadsADefault;

#[async_trait]
impl Lie for LoadsADefault {
    async fn load(&self, honest: &Honest, key: &StoreKey) -> Answer<Option<Stored>> {
        let default = || Stored::new("", honest.clock.now() + Duration::from_secs(60), Version::new(0));
        Ok(Some(honest.load(key).await?.unwrap_or_else(default)))
    }
}

/// The first load after a write returns what was there before, as from a replica.
#[derive(Debug, Default)]
pub(super) struct LagsBehind(Mutex<HashMap<StoreKey, Stored>>);

#[async_trait]
impl Lie for LagsBehind {
    async fn load(&self, honest: &Honest, key: &StoreKey) -> Answer<Option<Stored>> {
        let before = locked(&self.0).remove(key);
        match before {
            Some(before) => Ok(Some(before)),
            None => honest.load(key).await,
        }
    }

    async fn write(&self, honest: &Honest, key: &StoreKey, entry: Entry, expect: Expect) -> Answer<Written> {
        let before = honest.load(key).await;
        let written = honest.write(key, entry, expect).await;
        if let (Ok(Some(before)), Ok(Written::Stored(_))) = (before, &written) {
            locked(&self.0).insert(*key, before);
        }
        written
    }

    async fn remove(&self, honest: &Honest, key: &StoreKey, expect: Option<Version>) -> Answer<Removed> {
        locked(&self.0).remove(key);
        honest.remove(key, expect).await
    }
}

/// One load in eight returns what was there before the last write, as from one replica of many.
#[derive(Debug, Default)]
pub(super) struct LagsNowAndThen {
    before: Mutex<HashMap<StoreKey, Stored>>,
    loads: AtomicU64,
}

#[async_trait]
impl Lie for LagsNowAndThen {
    async fn load(&self, honest: &Honest, key: &StoreKey) -> Answer<Option<Stored>> {
        let behind = self.loads.fetch_add(1, Ordering::Relaxed) % 8 == 7;
        let before = locked(&self.before).get(key).filter(|_| behind).cloned();
        match before {
            Some(before) => Ok(Some(before)),
            None => honest.load(key).await,
        }
    }

    async fn write(&self, honest: &Honest, key: &StoreKey, entry: Entry, expect: Expect) -> Answer<Written> {
        let before = honest.load(key).await;
        let written = honest.write(key, entry, expect).await;
        if let (Ok(Some(before)), Ok(Written::Stored(_))) = (before, &written) {
            locked(&self.before).insert(*key, before);
        }
        written
    }

    async fn remove(&self, honest: &Honest, key: &StoreKey, expect: Option<Version>) -> Answer<Removed> {
        locked(&self.before).remove(key);
        honest.remove(key, expect).await
    }
}

/// Loading counts as a change and gives the record a new version.
#[derive(Debug, Default)]
pub(super) struct TouchesOnLoad;

#[async_trait]
impl Lie for TouchesOnLoad {
    async fn load(&self, honest: &Honest, key: &StoreKey) -> Answer<Option<Stored>> {
        let loaded = honest.load(key).await?;
        if loaded.is_some() {
            let mut shelf = honest.open()?;
            if let Some(kept) = shelf.records.get(key).cloned() {
                shelf.put(key, kept.entry);
            }
        }
        Ok(loaded)
    }
}

/// Loading a record extends its life by half an hour from now.
#[derive(Debug, Default)]
pub(super) struct ExtendsOnLoad;

#[async_trait]
impl Lie for ExtendsOnLoad {
    async fn load(&self, honest: &Honest, key: &StoreKey) -> Answer<Option<Stored>> {
        let loaded = honest.load(key).await?;
        let longer = honest.clock.now() + Duration::from_secs(1_800);
        if let Some(kept) = honest.shelf().records.get_mut(key) {
            kept.entry.expires_at = kept.entry.expires_at.max(longer);
        }
        Ok(loaded)
    }
}

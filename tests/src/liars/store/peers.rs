//! Lies that come out when several stores share the records.

use std::collections::{HashMap, HashSet};

use session_core::{PrincipalKey, SweepRequest, Swept};

use super::{index_changes::only, prelude::*};

/// Every store keeps a copy of what it loaded and trusts it until it writes itself.
#[derive(Debug, Default)]
pub(super) struct TrustsItsCopy(Mutex<HashMap<StoreKey, Stored>>);

#[async_trait]
impl Lie for TrustsItsCopy {
    async fn load(&self, honest: &Honest, key: &StoreKey) -> Answer<Option<Stored>> {
        let copy = locked(&self.0).get(key).cloned();
        if copy.is_some() && !honest.shelf().medium_is_down {
            return Ok(copy);
        }
        let loaded = honest.load(key).await?;
        locked(&self.0).extend(loaded.clone().map(|stored| (*key, stored)));
        Ok(loaded)
    }

    async fn write(&self, honest: &Honest, key: &StoreKey, entry: Entry, expect: Expect) -> Answer<Written> {
        let written = honest.write(key, entry, expect).await;
        locked(&self.0).remove(key);
        written
    }

    async fn remove(&self, honest: &Honest, key: &StoreKey, expect: Option<Version>) -> Answer<Removed> {
        let removed = honest.remove(key, expect).await;
        locked(&self.0).remove(key);
        removed
    }
}

/// Every store remembers what it found absent until it writes itself.
#[derive(Debug, Default)]
pub(super) struct RemembersAbsence(Mutex<HashSet<StoreKey>>);

#[async_trait]
impl Lie for RemembersAbsence {
    async fn load(&self, honest: &Honest, key: &StoreKey) -> Answer<Option<Stored>> {
        if locked(&self.0).contains(key) {
            return Ok(None);
        }
        let loaded = honest.load(key).await?;
        if loaded.is_none() {
            locked(&self.0).insert(*key);
        }
        Ok(loaded)
    }

    async fn write(&self, honest: &Honest, key: &StoreKey, entry: Entry, expect: Expect) -> Answer<Written> {
        let written = honest.write(key, entry, expect).await;
        locked(&self.0).remove(key);
        written
    }
}

/// Every store counts its own versions.
#[derive(Debug, Default)]
pub(super) struct CountsForItself(Mutex<u64>);

#[async_trait]
impl Lie for CountsForItself {
    async fn write(&self, honest: &Honest, key: &StoreKey, entry: Entry, expect: Expect) -> Answer<Written> {
        let written = honest.write(key, entry, expect).await?;
        let Written::Stored(given) = written else { return Ok(written) };
        let version = {
            let mut count = locked(&self.0);
            *count += 1;
            Version::new(*count)
        };
        if let Some(kept) = honest.open()?.records.get_mut(key).filter(|kept| kept.version == given) {
            kept.version = version;
        }
        Ok(Written::Stored(version))
    }
}

/// Writers of one store take turns, but not writers of several.
#[derive(Debug, Default)]
pub(super) struct LocksForItself(tokio::sync::Mutex<()>);

#[async_trait]
impl Lie for LocksForItself {
    async fn write(&self, honest: &Honest, key: &StoreKey, entry: Entry, expect: Expect) -> Answer<Written> {
        let _turn = self.0.lock().await;
        let (current, damaged, full) = {
            let shelf = honest.open()?;
            let kept = shelf.records.get(key);
            let full = shelf.most_records == Some(shelf.records.len());
            (kept.map(|kept| kept.version), kept.is_some_and(|kept| kept.damaged), full)
        };
        if damaged || full || current != expected(expect) {
            return honest.write(key, entry, expect).await;
        }
        yield_now().await;
        Ok(Written::Stored(honest.open()?.put(key, entry)))
    }

    async fn remove(&self, honest: &Honest, key: &StoreKey, expect: Option<Version>) -> Answer<Removed> {
        let _turn = self.0.lock().await;
        honest.remove(key, expect).await
    }

    async fn sweep(&self, honest: &Honest, request: SweepRequest) -> Answer<Swept> {
        let _turn = self.0.lock().await;
        honest.sweep(request).await
    }
}

/// Every store lists only what was written through it.
#[derive(Debug, Default)]
pub(super) struct ListsItsOwn(Mutex<Option<HashSet<StoreKey>>>);

#[async_trait]
impl Lie for ListsItsOwn {
    async fn write(&self, honest: &Honest, key: &StoreKey, entry: Entry, expect: Expect) -> Answer<Written> {
        let written = honest.write(key, entry, expect).await?;
        if let Written::Stored(_) = written {
            locked(&self.0).get_or_insert_default().insert(*key);
        }
        Ok(written)
    }

    async fn keys_of(
        &self,
        honest: &Honest,
        principal: &PrincipalKey,
        after: Option<&StoreKey>,
        limit: usize,
    ) -> Answer<Vec<StoreKey>> {
        let own = |key: &StoreKey| locked(&self.0).as_ref().is_some_and(|own| own.contains(key));
        only(honest, principal, after, limit, own).await
    }

    fn reopened(&self, honest: &Honest) -> Self {
        Self(Mutex::new(Some(honest.shelf().records.keys().copied().collect())))
    }
}

/// A sweep takes turns with the writers of its own store only: it decides, looks away, and deletes what a peer renewed.
#[derive(Debug, Default)]
pub(super) struct SweepsForItself(tokio::sync::Mutex<()>);

#[async_trait]
impl Lie for SweepsForItself {
    async fn write(&self, honest: &Honest, key: &StoreKey, entry: Entry, expect: Expect) -> Answer<Written> {
        let _turn = self.0.lock().await;
        honest.write(key, entry, expect).await
    }

    async fn sweep(&self, honest: &Honest, request: SweepRequest) -> Answer<Swept> {
        let _turn = self.0.lock().await;
        let before = honest.open()?.records.clone();
        let swept = honest.sweep(request).await?;
        yield_now().await;
        let covered = before.into_iter().filter(|(_, kept)| request.covers(kept.entry.expires_at));
        for (key, _) in covered {
            honest.shelf().records.remove(&key);
        }
        Ok(swept)
    }
}

fn expected(expect: Expect) -> Option<Version> {
    match expect {
        Expect::Absent => None,
        Expect::Version(version) => Some(version),
    }
}

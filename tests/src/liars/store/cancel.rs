//! Lies that only show when a call is dropped half way.

use session_core::{PrincipalKey, ScanCursor, Scanned, SweepRequest, Swept};
use tokio::sync::Semaphore;

use super::{
    prelude::*,
    races::{complete, with_bytes},
};
use crate::store::reference::Kept;

/// A write is whole unless it is cancelled, when half of it stays.
#[derive(Debug)]
pub(super) struct StaysHalfWritten(Semaphore);

impl Default for StaysHalfWritten {
    fn default() -> Self {
        Self(Semaphore::new(1))
    }
}

#[async_trait]
impl Lie for StaysHalfWritten {
    async fn load(&self, honest: &Honest, key: &StoreKey) -> Answer<Option<Stored>> {
        let _alone = self.0.acquire().await;
        honest.load(key).await
    }

    async fn write(&self, honest: &Honest, key: &StoreKey, entry: Entry, expect: Expect) -> Answer<Written> {
        let _alone = self.0.acquire().await;
        let half = entry.bytes.slice(..entry.bytes.len() / 2);
        let written = honest.write(key, with_bytes(&entry, half), expect).await?;
        if let Written::Stored(version) = written {
            yield_now().await;
            complete(honest, key, version, entry.bytes);
        }
        Ok(written)
    }

    async fn remove(&self, honest: &Honest, key: &StoreKey, expect: Option<Version>) -> Answer<Removed> {
        let _alone = self.0.acquire().await;
        honest.remove(key, expect).await
    }
}

/// A cancelled call keeps its lock for ever.
#[derive(Debug)]
pub(super) struct KeepsTheLock(Semaphore);

impl Default for KeepsTheLock {
    fn default() -> Self {
        Self(Semaphore::new(1))
    }
}

impl KeepsTheLock {
    async fn alone<T: Send>(&self, call: impl Future<Output = T> + Send) -> T {
        if let Ok(permit) = self.0.acquire().await {
            permit.forget();
        }
        let answer = call.await;
        self.0.add_permits(1);
        answer
    }
}

#[async_trait]
impl Lie for KeepsTheLock {
    const HANGS: bool = true;

    async fn load(&self, honest: &Honest, key: &StoreKey) -> Answer<Option<Stored>> {
        self.alone(honest.load(key)).await
    }

    async fn write(&self, honest: &Honest, key: &StoreKey, entry: Entry, expect: Expect) -> Answer<Written> {
        self.alone(honest.write(key, entry, expect)).await
    }

    async fn remove(&self, honest: &Honest, key: &StoreKey, expect: Option<Version>) -> Answer<Removed> {
        self.alone(honest.remove(key, expect)).await
    }
}

/// A cancelled write lands after the next one, whatever its version.
#[derive(Debug, Default)]
pub(super) struct LandsLate(Mutex<Vec<(StoreKey, Entry)>>);

#[async_trait]
impl Lie for LandsLate {
    async fn write(&self, honest: &Honest, key: &StoreKey, entry: Entry, expect: Expect) -> Answer<Written> {
        let late = Late { lie: &self.0, what: Some((*key, entry.clone())) };
        let written = honest.write(key, entry, expect).await;
        late.done();
        if let Ok(Written::Stored(_)) = written {
            let landing: Vec<_> = locked(&self.0).extract_if(.., |(other, _)| other == key).collect();
            for (key, entry) in landing {
                honest.shelf().put(&key, entry);
            }
        }
        written
    }
}

/// A cancelled removal of one version lands after the next write, whatever its version.
#[derive(Debug, Default)]
pub(super) struct RemovesLate(Mutex<Vec<(StoreKey, ())>>);

#[async_trait]
impl Lie for RemovesLate {
    async fn write(&self, honest: &Honest, key: &StoreKey, entry: Entry, expect: Expect) -> Answer<Written> {
        let written = honest.write(key, entry, expect).await;
        if locked(&self.0).extract_if(.., |(other, ())| other == key).count() > 0 {
            honest.shelf().records.remove(key);
        }
        written
    }

    async fn remove(&self, honest: &Honest, key: &StoreKey, expect: Option<Version>) -> Answer<Removed> {
        let late = Late { lie: &self.0, what: expect.map(|_| (*key, ())) };
        let removed = honest.remove(key, expect).await;
        late.done();
        removed
    }
}

/// A cancelled load leaves the record damaged behind.
#[derive(Debug, Default)]
pub(super) struct DamagesWhenCancelled(Mutex<Vec<(StoreKey, ())>>);

#[async_trait]
impl Lie for DamagesWhenCancelled {
    async fn load(&self, honest: &Honest, key: &StoreKey) -> Answer<Option<Stored>> {
        for (key, ()) in locked(&self.0).drain(..) {
            honest.damage(&key);
        }
        let late = Late { lie: &self.0, what: Some((*key, ())) };
        let loaded = honest.load(key).await;
        late.done();
        loaded
    }
}

/// A cancelled sweep leaves the first live record deleted.
#[derive(Debug, Default)]
pub(super) struct DeletesWhenCancelled(Mutex<Vec<(StoreKey, ())>>);

#[async_trait]
impl Lie for DeletesWhenCancelled {
    async fn load(&self, honest: &Honest, key: &StoreKey) -> Answer<Option<Stored>> {
        for (key, ()) in locked(&self.0).drain(..) {
            honest.shelf().records.remove(&key);
        }
        honest.load(key).await
    }

    async fn sweep(&self, honest: &Honest, request: SweepRequest) -> Answer<Swept> {
        let live = |(_, kept): &(&StoreKey, &Kept)| !request.covers(kept.entry.expires_at);
        let victim = honest.shelf().records.iter().find(live).map(|(key, _)| (*key, ()));
        let late = Late { lie: &self.0, what: victim };
        let swept = honest.sweep(request).await;
        late.done();
        swept
    }
}

/// A cancelled list leaves the last record of its page off the list, as one that was clearing up half way.
#[derive(Debug, Default)]
pub(super) struct DelistsWhenCancelled(Mutex<Vec<(StoreKey, ())>>);

#[async_trait]
impl Lie for DelistsWhenCancelled {
    async fn keys_of(
        &self,
        honest: &Honest,
        principal: &PrincipalKey,
        after: Option<&StoreKey>,
        limit: usize,
    ) -> Answer<Vec<StoreKey>> {
        for (key, ()) in locked(&self.0).drain(..) {
            if let Some(kept) = honest.shelf().records.get_mut(&key) {
                kept.entry.principal = None;
            }
        }
        let last = honest.keys_of(principal, after, limit).await?.pop();
        let late = Late { lie: &self.0, what: last.map(|key| (key, ())) };
        let listed = honest.keys_of(principal, after, limit).await;
        late.done();
        listed
    }
}

/// A cancelled scan leaves the first record of its page damaged behind.
#[derive(Debug, Default)]
pub(super) struct DamagesInACancelledScan(Mutex<Vec<(StoreKey, ())>>);

#[async_trait]
impl Lie for DamagesInACancelledScan {
    async fn scan(&self, honest: &Honest, cursor: Option<&ScanCursor>, limit: usize) -> Answer<Scanned> {
        for (key, ()) in locked(&self.0).drain(..) {
            honest.damage(&key);
        }
        let first = honest.scan(cursor, limit).await?.entries.first().map(|(key, _)| *key);
        let late = Late { lie: &self.0, what: first.map(|key| (key, ())) };
        let scanned = honest.scan(cursor, limit).await;
        late.done();
        scanned
    }
}

/// Puts what a call is about into the lie if the call is dropped before it is done.
struct Late<'a, T> {
    lie: &'a Mutex<Vec<T>>,
    what: Option<T>,
}

impl<T> Late<'_, T> {
    fn done(mut self) {
        self.what = None;
    }
}

impl<T> Drop for Late<'_, T> {
    fn drop(&mut self) {
        locked(self.lie).extend(self.what.take());
    }
}

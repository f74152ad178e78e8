//! Lies about sweeping.

use std::{
    collections::HashMap,
    time::{Duration, SystemTime},
};

use session_core::{SweepRequest, Swept};

use super::prelude::*;
use crate::store::reference::Kept;

/// Sweeps a day more than it is told.
#[derive(Debug, Default)]
pub(super) struct SweepsTheLiving;

#[async_trait]
impl Lie for SweepsTheLiving {
    async fn sweep(&self, honest: &Honest, mut request: SweepRequest) -> Answer<Swept> {
        if request.covers(request.expired_before - Duration::from_millis(1)) {
            request.expired_before += Duration::from_secs(86_400);
        }
        honest.sweep(request).await
    }
}

/// Sweeps from the beginning of time whatever the range.
#[derive(Debug, Default)]
pub(super) struct IgnoresTheStart;

#[async_trait]
impl Lie for IgnoresTheStart {
    async fn sweep(&self, honest: &Honest, mut request: SweepRequest) -> Answer<Swept> {
        request.expired_from = None;
        honest.sweep(request).await
    }
}

/// Sweeps the instant that ends the range as well.
#[derive(Debug, Default)]
pub(super) struct IncludesTheEnd;

#[async_trait]
impl Lie for IncludesTheEnd {
    async fn sweep(&self, honest: &Honest, mut request: SweepRequest) -> Answer<Swept> {
        request.expired_before += Duration::from_millis(1);
        honest.sweep(request).await
    }
}

/// Leaves out the instant that begins the range.
#[derive(Debug, Default)]
pub(super) struct ExcludesTheStart;

#[async_trait]
impl Lie for ExcludesTheStart {
    async fn sweep(&self, honest: &Honest, mut request: SweepRequest) -> Answer<Swept> {
        request.expired_from = request.expired_from.map(|from| from + Duration::from_millis(1));
        honest.sweep(request).await
    }
}

/// Sweeps everything in one call whatever the budget.
#[derive(Debug, Default)]
pub(super) struct IgnoresTheBudget;

#[async_trait]
impl Lie for IgnoresTheBudget {
    async fn sweep(&self, honest: &Honest, request: SweepRequest) -> Answer<Swept> {
        honest.sweep(request.budget(usize::MAX)).await
    }
}

/// Takes a budget of nothing for no limit.
#[derive(Debug, Default)]
pub(super) struct TakesNoBudgetForNoLimit;

#[async_trait]
impl Lie for TakesNoBudgetForNoLimit {
    async fn sweep(&self, honest: &Honest, request: SweepRequest) -> Answer<Swept> {
        let budget = if request.budget == 0 { usize::MAX } else { request.budget };
        honest.sweep(request.budget(budget)).await
    }
}

/// Never says that it has finished.
#[derive(Debug, Default)]
pub(super) struct NeverFinishes;

#[async_trait]
impl Lie for NeverFinishes {
    async fn sweep(&self, honest: &Honest, request: SweepRequest) -> Answer<Swept> {
        let swept = honest.sweep(request).await?;
        Ok(Swept::new(swept.examined, swept.removed, swept.failed, false))
    }
}

/// Begins at the first record in every call, and so never gets past the first live ones.
#[derive(Debug, Default)]
pub(super) struct BeginsAtTheFirst;

#[async_trait]
impl Lie for BeginsAtTheFirst {
    async fn sweep(&self, honest: &Honest, request: SweepRequest) -> Answer<Swept> {
        let last = honest.shelf().sweep_from.take();
        let swept = honest.sweep(request).await?;
        Ok(Swept::new(
            swept.examined,
            swept.removed,
            swept.failed,
            swept.finished || last == honest.shelf().sweep_from,
        ))
    }
}

/// Says that it has finished when its budget is spent, and goes on at the next call.
#[derive(Debug, Default)]
pub(super) struct FinishesTooEarly;

#[async_trait]
impl Lie for FinishesTooEarly {
    async fn sweep(&self, honest: &Honest, request: SweepRequest) -> Answer<Swept> {
        let swept = honest.sweep(request).await?;
        Ok(Swept::new(swept.examined, swept.removed, swept.failed, true))
    }
}

/// Once at the end it stays there.
#[derive(Debug, Default)]
pub(super) struct NeverStartsOver;

#[async_trait]
impl Lie for NeverStartsOver {
    async fn sweep(&self, honest: &Honest, request: SweepRequest) -> Answer<Swept> {
        let last = honest.shelf().records.keys().next_back().copied();
        let swept = honest.sweep(request).await?;
        if swept.finished {
            honest.shelf().sweep_from = last;
        }
        Ok(swept)
    }
}

/// Counts what it ought to delete, and deletes nothing.
#[derive(Debug, Default)]
pub(super) struct SweepsNothing;

#[async_trait]
impl Lie for SweepsNothing {
    async fn sweep(&self, honest: &Honest, request: SweepRequest) -> Answer<Swept> {
        let before = honest.open()?.records.clone();
        let swept = honest.sweep(request).await;
        put_back(honest, before);
        swept
    }
}

/// Ends with an error at the first damaged record.
#[derive(Debug, Default)]
pub(super) struct EndsAtDamage;

#[async_trait]
impl Lie for EndsAtDamage {
    async fn sweep(&self, honest: &Honest, request: SweepRequest) -> Answer<Swept> {
        let swept = honest.sweep(request).await?;
        if swept.failed > 0 {
            return Err(trouble(StoreErrorKind::Corrupt));
        }
        Ok(swept)
    }
}

/// Does not count what it could not delete.
#[derive(Debug, Default)]
pub(super) struct CountsNoFailure;

#[async_trait]
impl Lie for CountsNoFailure {
    async fn sweep(&self, honest: &Honest, request: SweepRequest) -> Answer<Swept> {
        let swept = honest.sweep(request).await?;
        Ok(Swept::new(swept.examined, swept.removed, 0, swept.finished))
    }
}

/// Takes everything that it finds for its own.
#[derive(Debug, Default)]
pub(super) struct SweepsTheForeign;

#[async_trait]
impl Lie for SweepsTheForeign {
    async fn sweep(&self, honest: &Honest, request: SweepRequest) -> Answer<Swept> {
        honest.shelf().foreign = false;
        honest.sweep(request).await
    }
}

/// Decides what has expired, looks away, and then deletes it.
#[derive(Debug, Default)]
pub(super) struct DecidesThenSweeps;

#[async_trait]
impl Lie for DecidesThenSweeps {
    async fn sweep(&self, honest: &Honest, request: SweepRequest) -> Answer<Swept> {
        let doomed: Vec<StoreKey> = honest
            .open()?
            .records
            .iter()
            .filter(|(_, kept)| request.covers(kept.entry.expires_at))
            .map(|(key, _)| *key)
            .take(request.budget)
            .collect();
        yield_now().await;
        for key in &doomed {
            honest.shelf().records.remove(key);
        }
        Ok(Swept::new(doomed.len(), doomed.len(), 0, request.budget > 0 && doomed.len() < request.budget))
    }
}

/// Goes by the expiry that a record was created with.
#[derive(Debug, Default)]
pub(super) struct GoesByTheFirstExpiry(Mutex<HashMap<StoreKey, SystemTime>>);

#[async_trait]
impl Lie for GoesByTheFirstExpiry {
    async fn write(&self, honest: &Honest, key: &StoreKey, entry: Entry, expect: Expect) -> Answer<Written> {
        if expect == Expect::Absent && !honest.shelf().records.contains_key(key) {
            locked(&self.0).insert(*key, entry.expires_at);
        }
        honest.write(key, entry, expect).await
    }

    async fn sweep(&self, honest: &Honest, request: SweepRequest) -> Answer<Swept> {
        let swept = honest.sweep(request).await?;
        let first = locked(&self.0).clone();
        honest.shelf().records.retain(|key, _| first.get(key).is_none_or(|expiry| !request.covers(*expiry)));
        Ok(swept)
    }
}

/// Goes by the latest expiry that a record ever had.
#[derive(Debug, Default)]
pub(super) struct GoesByTheLatestExpiry(Mutex<HashMap<StoreKey, SystemTime>>);

#[async_trait]
impl Lie for GoesByTheLatestExpiry {
    async fn write(&self, honest: &Honest, key: &StoreKey, entry: Entry, expect: Expect) -> Answer<Written> {
        let expires_at = entry.expires_at;
        let written = honest.write(key, entry, expect).await?;
        if let Written::Stored(_) = written {
            let mut latest = locked(&self.0);
            let latest = latest.entry(*key).or_insert(expires_at);
            *latest = if expect == Expect::Absent { expires_at } else { expires_at.max(*latest) };
        }
        Ok(written)
    }

    async fn sweep(&self, honest: &Honest, request: SweepRequest) -> Answer<Swept> {
        let latest = locked(&self.0).clone();
        let before = honest.open()?.records.clone();
        let swept = honest.sweep(request).await?;
        let lives = |key: &StoreKey| latest.get(key).is_some_and(|expiry| !request.covers(*expiry));
        put_back(honest, before.into_iter().filter(|(key, _)| lives(key)));
        Ok(swept)
    }
}

/// What is swept can be brought back by a write.
#[derive(Debug, Default)]
pub(super) struct BringsTheSweptBack(Mutex<HashMap<StoreKey, Version>>);

#[async_trait]
impl Lie for BringsTheSweptBack {
    async fn write(&self, honest: &Honest, key: &StoreKey, entry: Entry, expect: Expect) -> Answer<Written> {
        let swept = locked(&self.0).remove(key);
        if swept.is_some_and(|version| expect == Expect::Version(version)) {
            return Ok(Written::Stored(honest.open()?.put(key, entry)));
        }
        honest.write(key, entry, expect).await
    }

    async fn sweep(&self, honest: &Honest, request: SweepRequest) -> Answer<Swept> {
        let before = honest.open()?.records.clone();
        let swept = honest.sweep(request).await?;
        let shelf = honest.shelf();
        let gone = before.into_iter().filter(|(key, _)| !shelf.records.contains_key(key));
        locked(&self.0).extend(gone.map(|(key, kept)| (key, kept.version)));
        Ok(swept)
    }
}

/// What was swept is back, unless something else is there meanwhile.
pub(super) fn put_back(honest: &Honest, swept: impl IntoIterator<Item = (StoreKey, Kept)>) {
    let mut shelf = honest.shelf();
    for (key, kept) in swept {
        shelf.records.entry(key).or_insert(kept);
    }
}

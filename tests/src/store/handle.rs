//! A store as the cases use it: the contract's methods, and the steps that most cases are made of.

use std::{
    collections::BTreeMap,
    ops::Deref,
    sync::Arc,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use session_core::{
    Entry, Environment, Expect, PrincipalIndex, PrincipalKey, Removed, Scan, Store, StoreError, StoreKey,
    Stored, Sweep, SweepRequest, Swept, Version, Written,
};

use super::watched::Watched;
use crate::{
    Failure, Result,
    failure::{chain, ensure, fail},
};

/// One open store. Clones are the same store; a peer or a reopened store is another handle on the same records.
#[derive(Clone, Debug)]
pub(super) struct Handle(Arc<Watched>);

impl Deref for Handle {
    type Target = Watched;

    fn deref(&self) -> &Watched {
        &self.0
    }
}

impl Handle {
    pub(super) fn new(store: Arc<dyn Store>, patience: Duration) -> Self {
        Self(Arc::new(Watched::new(store, patience)))
    }

    /// Closes the store.
    pub(super) fn close(self) -> Result {
        ensure!(Arc::into_inner(self.0).is_some(), "the case still uses the store that it wants to reopen");
        Ok(())
    }

    /// Writes where nothing is.
    pub(super) async fn create(&self, key: &StoreKey, entry: Entry) -> Result<Version> {
        match self.write(key, entry, Expect::Absent).await? {
            Written::Stored(version) => Ok(version),
            Written::Conflict => fail!("a write that expects nothing conflicts where nothing is"),
        }
    }

    /// Writes over the record of that version.
    pub(super) async fn replace(&self, key: &StoreKey, entry: Entry, version: Version) -> Result<Version> {
        match self.write(key, entry, Expect::Version(version)).await? {
            Written::Stored(version) => Ok(version),
            Written::Conflict => fail!("a write that expects the current version conflicts"),
        }
    }

    /// Removes whatever is there.
    pub(super) async fn delete(&self, key: &StoreKey) -> Result {
        match self.remove(key, None).await? {
            Removed::Gone => Ok(()),
            Removed::Conflict => fail!("a removal that expects nothing conflicts"),
        }
    }

    /// The record that must be there.
    pub(super) async fn found(&self, key: &StoreKey) -> Result<Stored> {
        match self.load(key).await? {
            Some(stored) => Ok(stored),
            None => fail!("a record that must be there is gone"),
        }
    }

    /// The record that must be there, with these bytes.
    pub(super) async fn holds(&self, key: &StoreKey, bytes: &[u8]) -> Result<Stored> {
        let stored = self.found(key).await?;
        same_bytes(&stored.bytes, bytes)?;
        Ok(stored)
    }

    /// No record may be there.
    pub(super) async fn lacks(&self, key: &StoreKey) -> Result {
        ensure!(self.load(key).await?.is_none(), "a record is there that must not be");
        Ok(())
    }

    /// Reads, changes and writes until the write is stored, as the core does; `None` once the record is gone.
    pub(super) async fn update(
        &self,
        key: &StoreKey,
        change: impl Fn(Stored) -> Entry + Send + Sync,
    ) -> Result<Option<Version>> {
        for _ in 0..ATTEMPTS {
            let Some(stored) = self.load(key).await? else { return Ok(None) };
            let version = stored.version;
            if let Written::Stored(version) =
                self.write(key, change(stored), Expect::Version(version)).await?
            {
                return Ok(Some(version));
            }
            tokio::task::yield_now().await;
        }
        fail!("{ATTEMPTS} writes in a row conflict, each with the version just loaded")
    }

    pub(super) fn sweeper(&self) -> Result<&dyn Sweep> {
        self.as_sweep().ok_or_else(|| lost("as_sweep"))
    }

    pub(super) fn index(&self) -> Result<&dyn PrincipalIndex> {
        self.as_principal_index().ok_or_else(|| lost("as_principal_index"))
    }

    pub(super) fn scanner(&self) -> Result<&dyn Scan> {
        self.as_scan().ok_or_else(|| lost("as_scan"))
    }

    pub(super) fn environment(&self) -> Result<&dyn Environment> {
        self.as_environment().ok_or_else(|| lost("as_environment"))
    }

    /// Every record that a scan in pages of about `limit` finds.
    pub(super) async fn scanned(&self, limit: usize) -> Result<BTreeMap<StoreKey, Entry>> {
        match self.scan_to_end(limit).await? {
            (found, 0) => Ok(found),
            (_, failed) => fail!("a scan cannot read {failed} records of a sound store"),
        }
    }

    /// The same, and how many records the scan could not read.
    pub(super) async fn scan_to_end(&self, limit: usize) -> Result<(BTreeMap<StoreKey, Entry>, usize)> {
        let scan = self.scanner()?;
        let (mut found, mut failed, mut cursor) = (BTreeMap::new(), 0, None);
        for _ in 0..PAGES {
            let page = scan.scan(cursor.as_ref(), limit).await?;
            found.extend(page.entries);
            failed += page.failed;
            cursor = page.next;
            if cursor.is_none() {
                return Ok((found, failed));
            }
        }
        fail!("a scan has not ended after {PAGES} pages")
    }

    /// Sweeps until the store says that it has finished; the sum of what was done.
    pub(super) async fn sweep_to_end(&self, request: SweepRequest) -> Result<Swept> {
        let mut sum = Swept::default();
        for _ in 0..SWEEPS {
            let swept = self.sweeper()?.sweep(request).await?;
            sum.examined += swept.examined;
            sum.removed += swept.removed;
            sum.failed += swept.failed;
            sum.finished = swept.finished;
            if swept.finished {
                return Ok(sum);
            }
        }
        fail!("a sweep has not finished after {SWEEPS} calls")
    }

    /// Every key listed under a principal, page by page.
    pub(super) async fn listed(&self, principal: &PrincipalKey, limit: usize) -> Result<Vec<StoreKey>> {
        let mut listed: Vec<StoreKey> = Vec::new();
        for _ in 0..PAGES {
            let page = self.index()?.keys_of(principal, listed.last(), limit).await?;
            if page.is_empty() {
                return Ok(listed);
            }
            ensure!(page.len() <= limit, "a page of at most {limit} keys holds {}", page.len());
            let last = listed.last().copied();
            ensure!(
                page.first() > last.as_ref() && page.is_sorted_by(|one, next| one < next),
                "the keys of a page are not in ascending order behind the page before"
            );
            listed.extend(page);
        }
        fail!("a list has not ended after {PAGES} pages")
    }

    /// The principal's list must hold each of these keys.
    pub(super) async fn lists(&self, principal: &PrincipalKey, keys: &[StoreKey]) -> Result {
        let listed = self.listed(principal, 100).await?;
        let missing = keys.iter().filter(|key| !listed.contains(key)).count();
        ensure!(missing == 0, "{missing} of {} live records of the principal are not listed", keys.len());
        Ok(())
    }
}

/// The bytes of a record must be exactly those written; says how they differ without printing them.
pub(super) fn same_bytes(found: &Bytes, written: &[u8]) -> Result {
    ensure!(found.len() == written.len(), "{} bytes were written, {} come back", written.len(), found.len());
    if found == written {
        return Ok(());
    }
    let differs = found.iter().zip(written).position(|(found, written)| found != written);
    fail!("the bytes differ from byte {} on", differs.unwrap_or_default())
}

/// The expiry of a record must be the one written, or that rounded up to a whole second.
pub(super) fn same_expiry(found: SystemTime, written: SystemTime) -> Result {
    let since = written.duration_since(SystemTime::UNIX_EPOCH)?;
    let seconds = since.as_secs() + u64::from(since.subsec_nanos() > 0);
    let rounded = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
    let off = match found.duration_since(written) {
        Ok(later) => format!("{later:?} after"),
        Err(earlier) => format!("{:?} before", earlier.duration()),
    };
    ensure!(found == written || found == rounded, "a record comes back with an expiry {off} the one written");
    Ok(())
}

/// The parts of an environment that are in trouble, as a failure.
pub(super) fn troubles(errors: Vec<StoreError>) -> Failure {
    let texts: Vec<String> = errors.iter().map(|error| chain(error)).collect();
    Failure::new(format!("an unexpected list of errors: [{}]", texts.join(", ")))
}

fn lost(method: &str) -> Failure {
    Failure::new(format!("`{method}` has an ability at one time and none at another"))
}

const ATTEMPTS: usize = 2_000;
/// How many calls a sweep of a few dozen records may take, however small its budget.
pub(super) const SWEEPS: usize = 5_000;
const PAGES: usize = 10_000;

//! Lies about scans.

use session_core::{ScanCursor, Scanned};

use super::prelude::*;

/// Leaves out the last record of each page.
#[derive(Debug, Default)]
pub(super) struct DropsTheLastOfAPage;

#[async_trait]
impl Lie for DropsTheLastOfAPage {
    async fn scan(&self, honest: &Honest, cursor: Option<&ScanCursor>, limit: usize) -> Answer<Scanned> {
        let mut scanned = honest.scan(cursor, limit).await?;
        scanned.entries.pop();
        Ok(scanned)
    }
}

/// Returns records without their principals.
#[derive(Debug, Default)]
pub(super) struct ScansWithoutPrincipals;

#[async_trait]
impl Lie for ScansWithoutPrincipals {
    async fn scan(&self, honest: &Honest, cursor: Option<&ScanCursor>, limit: usize) -> Answer<Scanned> {
        let mut scanned = honest.scan(cursor, limit).await?;
        scanned.entries.iter_mut().for_each(|(_, entry)| entry.principal = None);
        Ok(scanned)
    }
}

/// Begins anew with every page.
#[derive(Debug, Default)]
pub(super) struct ScansTheFirstPageForEver;

#[async_trait]
impl Lie for ScansTheFirstPageForEver {
    async fn scan(&self, honest: &Honest, _: Option<&ScanCursor>, limit: usize) -> Answer<Scanned> {
        honest.scan(None, limit).await
    }
}

/// Takes a limit of none for its word.
#[derive(Debug, Default)]
pub(super) struct ScansNothingWithoutALimit;

#[async_trait]
impl Lie for ScansNothingWithoutALimit {
    async fn scan(&self, honest: &Honest, cursor: Option<&ScanCursor>, limit: usize) -> Answer<Scanned> {
        if limit == 0 { Ok(Scanned::default()) } else { honest.scan(cursor, limit).await }
    }
}

/// Ends where a record cannot be read.
#[derive(Debug, Default)]
pub(super) struct EndsAScanAtDamage;

#[async_trait]
impl Lie for EndsAScanAtDamage {
    async fn scan(&self, honest: &Honest, cursor: Option<&ScanCursor>, limit: usize) -> Answer<Scanned> {
        let mut scanned = honest.scan(cursor, limit).await?;
        if scanned.failed > 0 {
            scanned.next = None;
        }
        Ok(scanned)
    }
}

/// Passes over what cannot be read in silence.
#[derive(Debug, Default)]
pub(super) struct HidesDamage;

#[async_trait]
impl Lie for HidesDamage {
    async fn scan(&self, honest: &Honest, cursor: Option<&ScanCursor>, limit: usize) -> Answer<Scanned> {
        let mut scanned = honest.scan(cursor, limit).await?;
        scanned.failed = 0;
        Ok(scanned)
    }
}

/// Takes an outage for the end.
#[derive(Debug, Default)]
pub(super) struct TakesAnOutageForTheEnd;

#[async_trait]
impl Lie for TakesAnOutageForTheEnd {
    async fn scan(&self, honest: &Honest, cursor: Option<&ScanCursor>, limit: usize) -> Answer<Scanned> {
        Ok(honest.scan(cursor, limit).await.unwrap_or_default())
    }
}

/// Marks what it has scanned, and so makes new versions.
#[derive(Debug, Default)]
pub(super) struct TouchesWhatItScans;

#[async_trait]
impl Lie for TouchesWhatItScans {
    async fn scan(&self, honest: &Honest, cursor: Option<&ScanCursor>, limit: usize) -> Answer<Scanned> {
        let scanned = honest.scan(cursor, limit).await?;
        for (key, entry) in &scanned.entries {
            honest.shelf().put(key, entry.clone());
        }
        Ok(scanned)
    }
}

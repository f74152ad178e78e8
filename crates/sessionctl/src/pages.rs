//! Reading a whole store, page after page.

use std::{future::Future, time::Duration};

use anyhow::Result;
use session_core::{Scan, ScanCursor, Scanned, SessionError, Store, StoreError, StoreErrorKind};

/// The pages of a store, from the first to the last.
pub(crate) struct Pages<'a> {
    scan: &'a dyn Scan,
    cursor: Option<ScanCursor>,
    ended: bool,
}

impl<'a> Pages<'a> {
    pub(crate) fn of(store: &'a dyn Store) -> Result<Self> {
        let scan = store.as_scan().ok_or(SessionError::Unsupported { ability: "Scan" })?;
        Ok(Self { scan, cursor: None, ended: false })
    }

    /// The next page; `None` behind the last.
    pub(crate) async fn next(&mut self) -> Result<Option<Scanned>, StoreError> {
        if self.ended {
            return Ok(None);
        }
        let page = patiently(|| self.scan.scan(self.cursor.as_ref(), PAGE)).await?;
        self.ended = page.next.is_none();
        self.cursor.clone_from(&page.next);
        Ok(Some(page))
    }
}

/// Tries again what may go well the next time: hours of work must not end with one lost packet.
pub(crate) async fn patiently<T, F: Future<Output = Result<T, StoreError>>>(
    call: impl Fn() -> F,
) -> Result<T, StoreError> {
    const PAUSES: [Duration; 2] = [Duration::from_millis(100), Duration::from_millis(500)];
    for pause in PAUSES {
        match call().await {
            Err(error) if is_passing(error.kind()) => tokio::time::sleep(pause).await,
            answer => return answer,
        }
    }
    call().await
}

const fn is_passing(kind: StoreErrorKind) -> bool {
    matches!(kind, StoreErrorKind::Unavailable | StoreErrorKind::Overloaded | StoreErrorKind::Indeterminate)
}

const PAGE: usize = 1_000;

//! Reading every record.

use session_core::{Entry, PrincipalKey, ScanCursor, Scanned, StoreError, StoreErrorKind, StoreKey};

use crate::{
    driver::{Cells, Columns, Driver, Statement, Value},
    engine::{Call, Engine},
    failure::{Problem, error},
    time::from_millis,
};

/// Records in one answer, however many are asked for.
const LONGEST_PAGE: usize = 1_000;

impl<D: Driver> Engine<D> {
    /// The records behind a key, in the order of the keys.
    pub(crate) async fn scan(
        &self,
        after: Option<&StoreKey>,
        limit: usize,
        call: &Call,
    ) -> Result<Scanned, StoreError> {
        let limit = limit.clamp(1, LONGEST_PAGE);
        let most = Value::Number(i64::try_from(limit).unwrap_or(i64::MAX));
        let rows: Vec<Row> = match after {
            None => {
                self.all(Statement { sql: &self.statements.scan_from_start, values: &[most] }, call).await?
            }
            Some(after) => {
                let values = [Value::Bytes(after.as_bytes()), most];
                self.all(Statement { sql: &self.statements.scan_after, values: &values }, call).await?
            }
        };
        let mut scanned = Scanned::default();
        if rows.len() == limit {
            // A page of nothing but unreadable keys gives no place to go on from.
            let last = rows.iter().rev().find_map(|row| row.key);
            let last =
                last.ok_or_else(|| error::<D>(StoreErrorKind::Corrupt, Problem::Impossible("session_key")))?;
            scanned.next = Some(ScanCursor::behind(&last));
        }
        for row in rows {
            match row.key.zip(row.entry) {
                Some(found) => scanned.entries.push(found),
                None => scanned.failed += 1,
            }
        }
        Ok(scanned)
    }
}

/// A record, as far as it can be read: one that cannot must not end a scan.
struct Row {
    key: Option<StoreKey>,
    entry: Option<Entry>,
}

impl Columns for Row {
    fn read<R: Cells>(row: &R) -> sqlx::Result<Self> {
        let key = row.bytes(0).ok().and_then(|key| key.try_into().ok()).map(StoreKey::from_bytes);
        Ok(Self { key, entry: entry(row) })
    }
}

fn entry<R: Cells>(row: &R) -> Option<Entry> {
    let principal = match row.maybe_bytes(4).ok()? {
        Some(principal) => Some(PrincipalKey::from_bytes(principal.try_into().ok()?)),
        None => None,
    };
    if row.number(3).ok()? <= 0 {
        return None; // no version that was ever written: a load refuses the record as well
    }
    let expires_at = from_millis(row.number(2).ok()?)?;
    Some(Entry::new(row.bytes(1).ok()?, expires_at).with_principal(principal))
}

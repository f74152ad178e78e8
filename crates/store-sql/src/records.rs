//! Reading, writing and removing one record.

use session_core::{Entry, Expect, Removed, StoreError, StoreErrorKind, StoreKey, Stored, Version, Written};

use crate::{
    MAX_RECORD,
    driver::{Driver, Kept, Statement, Value},
    engine::{Answered, Call, Engine, Failed},
    failure::{Problem, error},
    time::{from_millis, now_millis, to_millis},
};

impl<D: Driver> Engine<D> {
    pub(crate) async fn load(&self, key: &StoreKey, call: &Call) -> Result<Option<Stored>, StoreError> {
        let values = [Value::Bytes(key.as_bytes())];
        let found = self.first(Statement { sql: &self.statements.load, values: &values }, call).await?;
        found.map(stored::<D>).transpose()
    }

    pub(crate) async fn write(
        &self,
        key: &StoreKey,
        entry: &Entry,
        expect: Expect,
        call: &Call,
    ) -> Result<Written, StoreError> {
        if entry.bytes.len() > MAX_RECORD {
            // MySQL without strict mode would cut it short.
            return Err(error::<D>(StoreErrorKind::Full, Problem::TooLarge));
        }
        let next = new_version::<D>()?;
        let key = Value::Bytes(key.as_bytes());
        let record = Value::Bytes(&entry.bytes);
        let (expires_at, version) = (Value::Number(to_millis(entry.expires_at)), Value::Number(next));
        let principal =
            Value::MaybeBytes(entry.principal.as_ref().map(|principal| principal.as_bytes().as_slice()));
        let statements = &self.statements;

        let changed = match expect {
            Expect::Absent => {
                let now = Value::Number(now_millis(self.clock.now()));
                let values = [key, record, expires_at, version, principal, now];
                match &statements.succeed {
                    None => self.change(Statement { sql: &statements.create, values: &values }, call).await,
                    Some(succeed) => {
                        let create = Statement { sql: &statements.create, values: &values[..5] };
                        match self.change(create, call).await {
                            Err(Failed::Duplicate { again }) => {
                                let values = [record, expires_at, version, principal, key, now];
                                let succeed = Statement { sql: succeed, values: &values };
                                let changed = self.change(succeed, call).await;
                                changed.map(|changed| Answered { again: again || changed.again, ..changed })
                            }
                            changed => changed,
                        }
                    }
                }
            }
            Expect::Version(expected) => {
                let Ok(expected) = i64::try_from(expected.number()) else { return Ok(Written::Conflict) };
                let values = [record, expires_at, version, principal, key, Value::Number(expected)];
                self.change(Statement { sql: &statements.replace, values: &values }, call).await
            }
        };
        let changed = changed.map_err(Failed::into_error::<D>)?;
        match changed.answer {
            0 if changed.again => self.was_written(key, next, call).await,
            0 => Ok(Written::Conflict),
            _ => Ok(Written::Stored(Version::new(next.unsigned_abs()))),
        }
    }

    /// After an attempt of which nobody knows what became, and one that found another record than expected: the first
    /// may have written what the second found.
    async fn was_written(&self, key: Value<'_>, version: i64, call: &Call) -> Result<Written, StoreError> {
        let statement = Statement { sql: &self.statements.version, values: &[key] };
        match self.first::<i64>(statement, call).await {
            Ok(Some(found)) if found == version => Ok(Written::Stored(Version::new(version.unsigned_abs()))),
            // Written over since, or by somebody else in the first place.
            Ok(_) => Err(StoreError::new(StoreErrorKind::Indeterminate, D::STORE)),
            Err(cause) => Err(error::<D>(StoreErrorKind::Indeterminate, cause)),
        }
    }

    pub(crate) async fn remove(
        &self,
        key: &StoreKey,
        expect: Option<Version>,
        call: &Call,
    ) -> Result<Removed, StoreError> {
        let key = Value::Bytes(key.as_bytes());
        let Some(expected) = expect else {
            let statement = Statement { sql: &self.statements.remove, values: &[key] };
            self.change(statement, call).await.map_err(Failed::into_error::<D>)?;
            return Ok(Removed::Gone);
        };
        if let Ok(expected) = i64::try_from(expected.number()) {
            let values = [key, Value::Number(expected)];
            let statement = Statement { sql: &self.statements.remove_version, values: &values };
            let removed = self.change(statement, call).await.map_err(Failed::into_error::<D>)?;
            if removed.answer > 0 {
                return Ok(Removed::Gone);
            }
        }
        // Only now does a second statement tell a record of another version from none.
        let statement = Statement { sql: &self.statements.version, values: &[key] };
        match self.first::<i64>(statement, call).await? {
            None => Ok(Removed::Gone),
            Some(_) => Ok(Removed::Conflict),
        }
    }
}

fn stored<D: Driver>(kept: Kept) -> Result<Stored, StoreError> {
    let corrupt = |column| error::<D>(StoreErrorKind::Corrupt, Problem::Impossible(column));
    let expires_at = from_millis(kept.expires_at).ok_or_else(|| corrupt("expires_at"))?;
    let version = u64::try_from(kept.version).ok().filter(|version| *version > 0);
    Ok(Stored::new(kept.record, expires_at, Version::new(version.ok_or_else(|| corrupt("version"))?)))
}

/// A number of 63 bits that the key has never had: drawn by the writer, so that it is known before the statement is
/// sent, and not repeated after a removal, of which nothing is left.
fn new_version<D: Driver>() -> Result<i64, StoreError> {
    let random = getrandom::u64().map_err(|_| error::<D>(StoreErrorKind::Unavailable, Problem::Random))?;
    Ok(i64::try_from(random >> 1).unwrap_or(i64::MAX).max(1))
}

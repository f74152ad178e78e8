//! Listing the records of a principal.

use session_core::{PrincipalKey, StoreError, StoreKey};

use crate::{
    driver::{Driver, Statement, Value},
    engine::{Call, Engine},
};

/// Keys in one answer, however many are asked for.
const LONGEST_PAGE: usize = 10_000;

impl<D: Driver> Engine<D> {
    pub(crate) async fn keys_of(
        &self,
        principal: &PrincipalKey,
        after: Option<&StoreKey>,
        limit: usize,
        call: &Call,
    ) -> Result<Vec<StoreKey>, StoreError> {
        let limit = i64::try_from(limit.min(LONGEST_PAGE)).unwrap_or(i64::MAX);
        if limit == 0 {
            return Ok(Vec::new());
        }
        let (principal, limit) = (Value::Bytes(principal.as_bytes()), Value::Number(limit));
        let statements = &self.statements;
        let keys: Vec<Vec<u8>> = match after {
            None => {
                let values = [principal, limit];
                self.all(Statement { sql: &statements.keys_from_start, values: &values }, call).await?
            }
            Some(after) => {
                let values = [principal, Value::Bytes(after.as_bytes()), limit];
                self.all(Statement { sql: &statements.keys_after, values: &values }, call).await?
            }
        };
        // What is no key is under no key that could be ended.
        Ok(keys.into_iter().filter_map(|key| key.try_into().ok().map(StoreKey::from_bytes)).collect())
    }
}

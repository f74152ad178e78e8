//! Lies of stores that answer without waiting.

use std::collections::HashMap;

use super::prelude::*;

/// Answers a load at once from what it has seen first, whatever was written since.
#[derive(Debug, Default)]
pub(super) struct RemembersTheFirstAnswer(Mutex<HashMap<StoreKey, Option<Stored>>>);

impl Lie for RemembersTheFirstAnswer {
    fn load_now(&self, honest: &Honest, key: &StoreKey) -> Option<Answer<Option<Stored>>> {
        let now = honest.open().and_then(|shelf| shelf.load(key));
        Some(now.map(|now| locked(&self.0).entry(*key).or_insert(now).clone()))
    }
}

/// Writes at once over whatever is there, or is not.
#[derive(Debug, Default)]
pub(super) struct UpsertsAtOnce;

impl Lie for UpsertsAtOnce {
    fn load_now(&self, honest: &Honest, key: &StoreKey) -> Option<Answer<Option<Stored>>> {
        Some(honest.open().and_then(|shelf| shelf.load(key)))
    }

    fn write_now(
        &self,
        honest: &Honest,
        key: &StoreKey,
        entry: Entry,
        _: Expect,
    ) -> Result<Answer<Written>, Entry> {
        Ok(honest.open().map(|mut shelf| Written::Stored(shelf.put(key, entry))))
    }
}

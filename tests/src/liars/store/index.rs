//! Lies about the shape of a list.

use std::collections::HashMap;

use session_core::PrincipalKey;

use super::prelude::*;

/// A list ends after a hundred keys.
#[derive(Debug, Default)]
pub(super) struct ListsAHundred;

#[async_trait]
impl Lie for ListsAHundred {
    async fn keys_of(
        &self,
        honest: &Honest,
        principal: &PrincipalKey,
        after: Option<&StoreKey>,
        limit: usize,
    ) -> Answer<Vec<StoreKey>> {
        let mut keys = honest.keys_of(principal, None, 100).await?;
        keys.retain(|key| after.is_none_or(|after| key > after));
        keys.truncate(limit);
        Ok(keys)
    }
}

/// A page is in the order in which the records were written.
#[derive(Debug, Default)]
pub(super) struct ListsByAge;

#[async_trait]
impl Lie for ListsByAge {
    async fn keys_of(
        &self,
        honest: &Honest,
        principal: &PrincipalKey,
        after: Option<&StoreKey>,
        limit: usize,
    ) -> Answer<Vec<StoreKey>> {
        let mut keys = honest.keys_of(principal, after, limit).await?;
        let shelf = honest.shelf();
        keys.sort_by_key(|key| shelf.records.get(key).map(|kept| kept.version.number()));
        Ok(keys)
    }
}

/// A page starts with the key behind which it ought to start.
#[derive(Debug, Default)]
pub(super) struct RepeatsTheLast;

#[async_trait]
impl Lie for RepeatsTheLast {
    async fn keys_of(
        &self,
        honest: &Honest,
        principal: &PrincipalKey,
        after: Option<&StoreKey>,
        limit: usize,
    ) -> Answer<Vec<StoreKey>> {
        let keys = honest.keys_of(principal, None, usize::MAX).await?;
        Ok(keys.into_iter().filter(|key| after.is_none_or(|after| key >= after)).take(limit).collect())
    }
}

/// A page behind a key that is not listed starts at the beginning.
#[derive(Debug, Default)]
pub(super) struct StartsOverAtTheUnlisted;

#[async_trait]
impl Lie for StartsOverAtTheUnlisted {
    async fn keys_of(
        &self,
        honest: &Honest,
        principal: &PrincipalKey,
        after: Option<&StoreKey>,
        limit: usize,
    ) -> Answer<Vec<StoreKey>> {
        let keys = honest.keys_of(principal, None, usize::MAX).await?;
        honest.keys_of(principal, after.filter(|after| keys.contains(after)), limit).await
    }
}

/// Pages are counted from the beginning, so a record that goes away pushes another off the page.
#[derive(Debug, Default)]
pub(super) struct PagesByCount(Mutex<HashMap<StoreKey, usize>>);

#[async_trait]
impl Lie for PagesByCount {
    async fn keys_of(
        &self,
        honest: &Honest,
        principal: &PrincipalKey,
        after: Option<&StoreKey>,
        limit: usize,
    ) -> Answer<Vec<StoreKey>> {
        let keys = honest.keys_of(principal, None, usize::MAX).await?;
        let mut counts = locked(&self.0);
        let first = after.map_or(0, |after| {
            counts.get(after).copied().unwrap_or_else(|| keys.partition_point(|key| key <= after))
        });
        let page: Vec<StoreKey> = keys.into_iter().skip(first).take(limit).collect();
        counts.extend(page.last().map(|last| (*last, first + page.len())));
        Ok(page)
    }
}

/// A page is as long as the list, whatever its limit.
#[derive(Debug, Default)]
pub(super) struct IgnoresTheLimit;

#[async_trait]
impl Lie for IgnoresTheLimit {
    async fn keys_of(
        &self,
        honest: &Honest,
        principal: &PrincipalKey,
        after: Option<&StoreKey>,
        _: usize,
    ) -> Answer<Vec<StoreKey>> {
        honest.keys_of(principal, after, usize::MAX).await
    }
}

/// A limit that does not fit a signed number becomes none at all, and the page is empty.
#[derive(Debug, Default)]
pub(super) struct OverflowsAtTheLimit;

#[async_trait]
impl Lie for OverflowsAtTheLimit {
    async fn keys_of(
        &self,
        honest: &Honest,
        principal: &PrincipalKey,
        after: Option<&StoreKey>,
        limit: usize,
    ) -> Answer<Vec<StoreKey>> {
        honest.keys_of(principal, after, usize::try_from(limit as isize).unwrap_or_default()).await
    }
}

/// The last bit of a principal does not count.
#[derive(Debug, Default)]
pub(super) struct ListsANeighbour;

#[async_trait]
impl Lie for ListsANeighbour {
    async fn keys_of(
        &self,
        honest: &Honest,
        principal: &PrincipalKey,
        after: Option<&StoreKey>,
        limit: usize,
    ) -> Answer<Vec<StoreKey>> {
        let mut neighbour = *principal.as_bytes();
        neighbour[31] ^= 1;
        let mut keys = honest.keys_of(principal, after, limit).await?;
        keys.extend(honest.keys_of(&PrincipalKey::from_bytes(neighbour), after, limit).await?);
        keys.sort_unstable();
        keys.truncate(limit);
        Ok(keys)
    }
}

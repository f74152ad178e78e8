//! Lies about who is on a list.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    time::SystemTime,
};

use session_core::{Clock, Environment, PrincipalKey, SweepRequest, Swept};

use super::prelude::*;
use crate::store::reference::Kept;

/// A rewrite does not update the index: who logs in during a session is not listed.
#[derive(Debug, Default)]
pub(super) struct ListsTheCreatedOnly(Mutex<HashMap<StoreKey, Option<PrincipalKey>>>);

#[async_trait]
impl Lie for ListsTheCreatedOnly {
    async fn write(&self, honest: &Honest, key: &StoreKey, entry: Entry, expect: Expect) -> Answer<Written> {
        let whose = entry.principal;
        let written = honest.write(key, entry, expect).await?;
        if let (Expect::Absent, Written::Stored(_)) = (expect, written) {
            locked(&self.0).insert(*key, whose);
        }
        Ok(written)
    }

    async fn keys_of(
        &self,
        honest: &Honest,
        principal: &PrincipalKey,
        after: Option<&StoreKey>,
        limit: usize,
    ) -> Answer<Vec<StoreKey>> {
        let indexed =
            |key: &StoreKey| locked(&self.0).get(key).is_none_or(|whose| whose.as_ref() == Some(principal));
        only(honest, principal, after, limit, indexed).await
    }

    fn reopened(&self, _: &Honest) -> Self {
        Self(Mutex::new(locked(&self.0).clone()))
    }
}

/// A rewrite with another principal leaves the record under the first one that it had.
#[derive(Debug, Default)]
pub(super) struct KeepsTheFirstPrincipal(Mutex<HashMap<StoreKey, PrincipalKey>>);

#[async_trait]
impl Lie for KeepsTheFirstPrincipal {
    async fn write(&self, honest: &Honest, key: &StoreKey, entry: Entry, expect: Expect) -> Answer<Written> {
        if let Some(whose) = entry.principal {
            locked(&self.0).entry(*key).or_insert(whose);
        }
        honest.write(key, entry, expect).await
    }

    async fn remove(&self, honest: &Honest, key: &StoreKey, expect: Option<Version>) -> Answer<Removed> {
        locked(&self.0).remove(key);
        honest.remove(key, expect).await
    }

    async fn keys_of(
        &self,
        honest: &Honest,
        principal: &PrincipalKey,
        after: Option<&StoreKey>,
        limit: usize,
    ) -> Answer<Vec<StoreKey>> {
        let first = |key: &StoreKey| locked(&self.0).get(key).is_none_or(|whose| whose == principal);
        only(honest, principal, after, limit, first).await
    }
}

/// A rewrite loses the principal.
#[derive(Debug, Default)]
pub(super) struct LosesThePrincipal;

#[async_trait]
impl Lie for LosesThePrincipal {
    async fn write(&self, honest: &Honest, key: &StoreKey, entry: Entry, expect: Expect) -> Answer<Written> {
        let kept = match expect {
            Expect::Absent => entry.principal,
            // A change of principal is noticed; the same one again is not.
            Expect::Version(_) => {
                let before = honest.shelf().records.get(key).and_then(|kept| kept.entry.principal);
                entry.principal.filter(|whose| before != Some(*whose))
            }
        };
        honest.write(key, entry.with_principal(kept), expect).await
    }
}

/// A record that was once without a principal is not listed again.
#[derive(Debug, Default)]
pub(super) struct NeverListsAgain(Mutex<HashSet<StoreKey>>);

#[async_trait]
impl Lie for NeverListsAgain {
    async fn write(&self, honest: &Honest, key: &StoreKey, entry: Entry, expect: Expect) -> Answer<Written> {
        let had = honest.shelf().records.get(key).and_then(|kept| kept.entry.principal);
        let has = entry.principal;
        let written = honest.write(key, entry, expect).await?;
        if let (Written::Stored(_), Some(_), None) = (written, had, has) {
            locked(&self.0).insert(*key);
        }
        Ok(written)
    }

    async fn keys_of(
        &self,
        honest: &Honest,
        principal: &PrincipalKey,
        after: Option<&StoreKey>,
        limit: usize,
    ) -> Answer<Vec<StoreKey>> {
        only(honest, principal, after, limit, |key| !locked(&self.0).contains(key)).await
    }
}

/// A list lives as long as the first record that was put on it.
#[derive(Debug, Default)]
pub(super) struct ExpiresWithTheFirst(Mutex<HashMap<PrincipalKey, SystemTime>>);

#[async_trait]
impl Lie for ExpiresWithTheFirst {
    async fn write(&self, honest: &Honest, key: &StoreKey, entry: Entry, expect: Expect) -> Answer<Written> {
        if let Some(whose) = entry.principal {
            locked(&self.0).entry(whose).or_insert(entry.expires_at);
        }
        honest.write(key, entry, expect).await
    }

    async fn keys_of(
        &self,
        honest: &Honest,
        principal: &PrincipalKey,
        after: Option<&StoreKey>,
        limit: usize,
    ) -> Answer<Vec<StoreKey>> {
        let expired = locked(&self.0).get(principal).is_some_and(|expiry| *expiry <= honest.clock.now());
        only(honest, principal, after, limit, |_| !expired).await
    }
}

/// Removing a record removes the list that it was on.
#[derive(Debug, Default)]
pub(super) struct DropsTheListOnRemoval(Mutex<HashMap<PrincipalKey, BTreeSet<StoreKey>>>);

#[async_trait]
impl Lie for DropsTheListOnRemoval {
    async fn remove(&self, honest: &Honest, key: &StoreKey, expect: Option<Version>) -> Answer<Removed> {
        let whose = honest.shelf().records.get(key).and_then(|kept| kept.entry.principal);
        let removed = honest.remove(key, expect).await?;
        if let (Removed::Gone, Some(whose)) = (removed, whose) {
            let others = honest.keys_of(&whose, None, usize::MAX).await?;
            locked(&self.0).entry(whose).or_default().extend(others);
        }
        Ok(removed)
    }

    async fn keys_of(
        &self,
        honest: &Honest,
        principal: &PrincipalKey,
        after: Option<&StoreKey>,
        limit: usize,
    ) -> Answer<Vec<StoreKey>> {
        let dropped =
            |key: &StoreKey| locked(&self.0).get(principal).is_some_and(|dropped| dropped.contains(key));
        only(honest, principal, after, limit, |key| !dropped(key)).await
    }
}

/// A sweep that deletes a record of a principal removes the list.
#[derive(Debug, Default)]
pub(super) struct DropsTheListOnSweep(Mutex<HashSet<StoreKey>>);

#[async_trait]
impl Lie for DropsTheListOnSweep {
    async fn sweep(&self, honest: &Honest, request: SweepRequest) -> Answer<Swept> {
        let before = honest.open()?.records.clone();
        let swept = honest.sweep(request).await?;
        let shelf = honest.shelf();
        let gone = before.iter().filter(|(key, _)| !shelf.records.contains_key(key));
        let lists: HashSet<_> = gone.filter_map(|(_, kept)| kept.entry.principal).collect();
        let on_them = |kept: &Kept| kept.entry.principal.is_some_and(|whose| lists.contains(&whose));
        locked(&self.0).extend(shelf.records.iter().filter(|(_, kept)| on_them(kept)).map(|(key, _)| *key));
        Ok(swept)
    }

    async fn keys_of(
        &self,
        honest: &Honest,
        principal: &PrincipalKey,
        after: Option<&StoreKey>,
        limit: usize,
    ) -> Answer<Vec<StoreKey>> {
        only(honest, principal, after, limit, |key| !locked(&self.0).contains(key)).await
    }
}

/// A list is read, changed and written back, so of two logins at once one is forgotten.
#[derive(Debug, Default)]
pub(super) struct RewritesTheList(Mutex<HashMap<PrincipalKey, BTreeSet<StoreKey>>>);

#[async_trait]
impl Lie for RewritesTheList {
    async fn write(&self, honest: &Honest, key: &StoreKey, entry: Entry, expect: Expect) -> Answer<Written> {
        let whose = entry.principal;
        let mut list = whose.and_then(|whose| locked(&self.0).get(&whose).cloned()).unwrap_or_default();
        let written = honest.write(key, entry, expect).await?;
        if let (Written::Stored(_), Some(whose)) = (written, whose) {
            list.insert(*key);
            locked(&self.0).insert(whose, list);
        }
        Ok(written)
    }

    async fn keys_of(
        &self,
        honest: &Honest,
        principal: &PrincipalKey,
        after: Option<&StoreKey>,
        limit: usize,
    ) -> Answer<Vec<StoreKey>> {
        let listed = |key: &StoreKey| locked(&self.0).get(principal).is_none_or(|list| list.contains(key));
        only(honest, principal, after, limit, listed).await
    }
}

/// Creating an environment that is there makes an empty index.
#[derive(Debug, Default)]
pub(super) struct ForgetsTheIndexOnCreate(Mutex<HashSet<StoreKey>>);

#[async_trait]
impl Lie for ForgetsTheIndexOnCreate {
    async fn create(&self, honest: &Honest) -> Result<(), Vec<StoreError>> {
        locked(&self.0).extend(honest.shelf().records.keys());
        Environment::create(&honest.store).await
    }

    async fn keys_of(
        &self,
        honest: &Honest,
        principal: &PrincipalKey,
        after: Option<&StoreKey>,
        limit: usize,
    ) -> Answer<Vec<StoreKey>> {
        only(honest, principal, after, limit, |key| !locked(&self.0).contains(key)).await
    }
}

/// A page of the honest list with some keys left out.
pub(super) async fn only(
    honest: &Honest,
    principal: &PrincipalKey,
    after: Option<&StoreKey>,
    limit: usize,
    listed: impl Fn(&StoreKey) -> bool + Send,
) -> Answer<Vec<StoreKey>> {
    let mut keys = honest.keys_of(principal, after, usize::MAX).await?;
    keys.retain(listed);
    keys.truncate(limit);
    Ok(keys)
}

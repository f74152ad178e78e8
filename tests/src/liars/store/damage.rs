//! Lies about damage.

use session_core::PrincipalKey;

use super::prelude::*;

/// A damaged record is reported as absent.
#[derive(Debug, Default)]
pub(super) struct TakesDamageForAbsence;

#[async_trait]
impl Lie for TakesDamageForAbsence {
    async fn load(&self, honest: &Honest, key: &StoreKey) -> Answer<Option<Stored>> {
        honest.load(key).await.or_else(|error| if is_damage(&error) { Ok(None) } else { Err(error) })
    }
}

/// A damaged record is served as it is.
#[derive(Debug, Default)]
pub(super) struct ServesTheDamaged;

#[async_trait]
impl Lie for ServesTheDamaged {
    async fn load(&self, honest: &Honest, key: &StoreKey) -> Answer<Option<Stored>> {
        let damaged = honest.shelf().records.get(key).filter(|kept| kept.damaged).cloned();
        match damaged {
            Some(kept) => Ok(Some(Stored::new(kept.entry.bytes, kept.entry.expires_at, kept.version))),
            None => honest.load(key).await,
        }
    }
}

/// A damaged record is reported as an outage.
#[derive(Debug, Default)]
pub(super) struct TakesDamageForAnOutage;

#[async_trait]
impl Lie for TakesDamageForAnOutage {
    async fn load(&self, honest: &Honest, key: &StoreKey) -> Answer<Option<Stored>> {
        honest.load(key).await.map_err(|_| trouble(StoreErrorKind::Unavailable))
    }
}

/// A damaged record is written over if the version fits.
#[derive(Debug, Default)]
pub(super) struct WritesOverDamage;

#[async_trait]
impl Lie for WritesOverDamage {
    async fn write(&self, honest: &Honest, key: &StoreKey, entry: Entry, expect: Expect) -> Answer<Written> {
        let written = honest.write(key, entry.clone(), expect).await;
        match written {
            Err(error) if is_damage(&error) => Ok(Written::Stored(honest.open()?.put(key, entry))),
            written => written,
        }
    }
}

/// A store that has met one damaged record refuses all.
#[derive(Debug, Default)]
pub(super) struct GivesUpAfterDamage(Mutex<bool>);

#[async_trait]
impl Lie for GivesUpAfterDamage {
    async fn load(&self, honest: &Honest, key: &StoreKey) -> Answer<Option<Stored>> {
        if *locked(&self.0) {
            return Err(trouble(StoreErrorKind::Corrupt));
        }
        let loaded = honest.load(key).await;
        *locked(&self.0) = loaded.as_ref().is_err_and(is_damage);
        loaded
    }
}

/// A damaged record cannot be removed.
#[derive(Debug, Default)]
pub(super) struct KeepsTheDamaged;

#[async_trait]
impl Lie for KeepsTheDamaged {
    async fn remove(&self, honest: &Honest, key: &StoreKey, expect: Option<Version>) -> Answer<Removed> {
        if honest.open()?.records.get(key).is_some_and(|kept| kept.damaged) {
            return Err(trouble(StoreErrorKind::Corrupt));
        }
        honest.remove(key, expect).await
    }
}

/// A list ends at the first damaged record.
#[derive(Debug, Default)]
pub(super) struct ListsUpToDamage;

#[async_trait]
impl Lie for ListsUpToDamage {
    async fn keys_of(
        &self,
        honest: &Honest,
        principal: &PrincipalKey,
        after: Option<&StoreKey>,
        limit: usize,
    ) -> Answer<Vec<StoreKey>> {
        let keys = honest.keys_of(principal, after, limit).await?;
        let shelf = honest.shelf();
        Ok(keys
            .into_iter()
            .take_while(|key| shelf.records.get(key).is_none_or(|kept| !kept.damaged))
            .collect())
    }
}

fn is_damage(error: &StoreError) -> bool {
    error.kind() == StoreErrorKind::Corrupt
}

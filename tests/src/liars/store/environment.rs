//! Lies about setting up and tearing down.

use session_core::Environment;

use super::prelude::*;

/// Creating the environment empties it.
#[derive(Debug, Default)]
pub(super) struct EmptiesOnCreate;

#[async_trait]
impl Lie for EmptiesOnCreate {
    async fn create(&self, honest: &Honest) -> Result<(), Vec<StoreError>> {
        honest.shelf().records.clear();
        Environment::create(&honest.store).await
    }
}

/// The check finds nothing wrong, ever.
#[derive(Debug, Default)]
pub(super) struct FindsNothingMissing;

#[async_trait]
impl Lie for FindsNothingMissing {
    async fn check(&self, honest: &Honest) -> Result<(), Vec<StoreError>> {
        honest.open().map(drop).map_err(|error| vec![error])
    }
}

/// The check creates what it finds missing.
#[derive(Debug, Default)]
pub(super) struct RepairsOnCheck;

#[async_trait]
impl Lie for RepairsOnCheck {
    async fn check(&self, honest: &Honest) -> Result<(), Vec<StoreError>> {
        let checked = honest.check().await;
        honest.shelf().dropped = false;
        checked
    }
}

/// The check of a sound environment complains.
#[derive(Debug, Default)]
pub(super) struct ComplainsOfRecords;

#[async_trait]
impl Lie for ComplainsOfRecords {
    async fn check(&self, honest: &Honest) -> Result<(), Vec<StoreError>> {
        if !honest.shelf().records.is_empty() {
            return Err(vec![trouble(StoreErrorKind::Corrupt)]);
        }
        honest.check().await
    }
}

/// Dropping the environment keeps the records.
#[derive(Debug, Default)]
pub(super) struct KeepsRecordsOnDrop;

#[async_trait]
impl Lie for KeepsRecordsOnDrop {
    async fn drop(&self, honest: &Honest) -> Result<(), Vec<StoreError>> {
        honest.shelf().dropped = true;
        Ok(())
    }
}

/// Dropping the environment drops everything around it.
#[derive(Debug, Default)]
pub(super) struct DropsTheForeign;

#[async_trait]
impl Lie for DropsTheForeign {
    async fn drop(&self, honest: &Honest) -> Result<(), Vec<StoreError>> {
        honest.shelf().foreign = false;
        Environment::drop(&honest.store).await
    }
}

/// What was dropped cannot be created again.
#[derive(Debug, Default)]
pub(super) struct DropsForGood;

#[async_trait]
impl Lie for DropsForGood {
    async fn create(&self, _: &Honest) -> Result<(), Vec<StoreError>> {
        Ok(())
    }
}

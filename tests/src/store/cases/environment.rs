//! Setting up and tearing down: nothing is destroyed but by `drop`.

use super::prelude::*;
use crate::store::handle::troubles;

/// The environment of a store that is in use passes its check.
pub async fn a_store_in_use_passes_its_check(subject: Subject) -> Result {
    let environment = subject.store.environment()?;
    environment.check().await.map_err(troubles)?;
    subject.store.create(&key(0), subject.entry("kept")).await?;
    environment.check().await.map_err(troubles)
}

/// Creating an environment that is there changes nothing and destroys nothing, however often it is done (set-ups that
/// drop everything when a part is missing).
pub async fn creating_again_destroys_nothing(subject: Subject) -> Result {
    let entry = subject.entry("kept").with_principal(principal(0));
    let version = subject.store.create(&key(0), entry).await?;
    let before = subject.store.found(&key(0)).await?;
    for _ in 0..3 {
        subject.store.environment()?.create().await.map_err(troubles)?;
        subject.store.environment()?.check().await.map_err(troubles)?;
        ensure!(
            subject.store.found(&key(0)).await? == before,
            "creating the environment again changes a record"
        );
    }
    if subject.store.as_principal_index().is_some() {
        subject.store.lists(&principal(0), &[key(0)]).await?;
    }
    subject.store.replace(&key(0), subject.entry("written"), version).await?;
    Ok(())
}

/// A dropped environment fails its check with at least one error, and the check itself creates nothing.
pub async fn a_check_reports_what_was_dropped(subject: Subject) -> Result {
    subject.store.environment()?.drop().await.map_err(troubles)?;
    for _ in 0..2 {
        match subject.store.environment()?.check().await {
            Ok(()) => fail!("the check of a dropped environment finds nothing missing"),
            Err(errors) => {
                ensure!(!errors.is_empty(), "the check of a dropped environment fails without an error")
            }
        }
    }
    Ok(())
}

/// Creating and dropping the environment leaves alone what is not the store's own.
pub async fn setting_up_and_tearing_down_leaves_the_foreign_alone(subject: Subject) -> Result {
    // Shows: A45
    subject.store.create(&key(0), subject.entry("dropped")).await?;
    subject.plant().await?;
    subject.store.environment()?.create().await.map_err(troubles)?;
    subject.is_intact().await?;
    // A folder that holds something foreign cannot be removed, and the store may say so.
    let _ = subject.store.environment()?.drop().await;
    subject.is_intact().await?;
    subject.store.environment()?.create().await.map_err(troubles)?;
    subject.is_intact().await
}

/// Dropping the environment removes every record: created again it is empty, complete and ready for use.
pub async fn a_dropped_environment_can_be_created_again(subject: Subject) -> Result {
    for key in keys(10) {
        subject.store.create(&key, subject.entry("dropped").with_principal(principal(0))).await?;
    }
    for _ in 0..2 {
        subject.store.environment()?.drop().await.map_err(troubles)?;
        for key in keys(10) {
            // Whether a store without its environment can tell is its own affair; it may not show what it dropped.
            ensure!(
                !matches!(subject.store.load(&key).await, Ok(Some(_))),
                "a dropped record is still there"
            );
        }
        subject.store.environment()?.create().await.map_err(troubles)?;
        subject.store.environment()?.check().await.map_err(troubles)?;
        for key in keys(10) {
            subject.store.lacks(&key).await?;
            subject.store.create(&key, subject.entry("new").with_principal(principal(0))).await?;
            subject.store.holds(&key, b"new").await?;
        }
    }
    if subject.store.as_principal_index().is_some() {
        subject.store.lists(&principal(0), &keys(10)).await?;
    }
    Ok(())
}

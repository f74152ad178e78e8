//! session-store-sql in SQLite for the suites and for serving.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, Result};
use session_conformance::store::{Fresh, ManualClock};
use session_core::{Store, StoreKey};
use session_store_sql::SqlStore;
use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};
use tempfile::TempDir;

/// No case measures time, and several run at once.
const PATIENCE: Duration = Duration::from_secs(60);

#[expect(clippy::expect_used, reason = "the suite makes a panic the failure of its case")]
pub(super) async fn fresh(clock: Arc<ManualClock>) -> Fresh {
    let folder = folder().expect("a temporary folder");
    let path = folder.path().join("sessions.db");
    let url = format!("sqlite:{}", path.display());
    let builder = SqlStore::builder().clock(clock).deadline(PATIENCE);
    let open = move || {
        let (builder, url) = (builder.clone(), url.clone());
        async move { builder.connect(&url).await.expect("a store in a folder that is empty or has one") }
    };
    let store = open().await;
    Fresh::new(store)
        .reopen_with(open.clone())
        .peer_with(open)
        .damage_with(move |key| {
            let path = path.clone();
            async move { damage(path, key).await.expect("a record to damage") }
        })
        .keep(folder)
}

pub(super) async fn open(path: &str) -> Result<Arc<dyn Store>> {
    let store = SqlStore::connect(&format!("sqlite:{path}")).await;
    Ok(Arc::new(store.with_context(|| format!("cannot keep sessions in {path}"))?))
}

/// Gives a record a version that none ever has.
async fn damage(path: PathBuf, key: StoreKey) -> sqlx::Result<()> {
    let options = SqliteConnectOptions::new().filename(path).busy_timeout(PATIENCE);
    let mut connection = SqliteConnection::connect_with(&options).await?;
    let damage = sqlx::query("UPDATE sessions SET version = -1 WHERE session_key = ?");
    damage.bind(&key.as_bytes()[..]).execute(&mut connection).await?;
    connection.close().await
}

/// In memory where the system has such a thing, as for the store in files.
fn folder() -> io::Result<TempDir> {
    let memory = Path::new("/dev/shm");
    if std::env::var_os("TMPDIR").is_none() && memory.is_dir() {
        tempfile::tempdir_in(memory)
    } else {
        tempfile::tempdir()
    }
}

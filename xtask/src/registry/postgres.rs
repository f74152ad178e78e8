//! session-store-sql in PostgreSQL for the suites, on a server that this program starts, and for serving.

use std::{
    process,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, Result};
use session_conformance::store::{Fresh, ManualClock};
use session_core::{Store, StoreKey};
use session_store_sql::SqlStore;
use session_test_servers::{PostgresServer, StartError};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

/// No case measures time, and several run at once.
const PATIENCE: Duration = Duration::from_secs(60);

#[expect(clippy::expect_used, clippy::panic, reason = "the suite makes a panic the failure of its case")]
pub(super) async fn fresh(clock: Arc<ManualClock>) -> Fresh {
    static SERVER: OnceLock<Result<String, StartError>> = OnceLock::new();
    static TABLES: AtomicU64 = AtomicU64::new(0);
    let url = match SERVER.get_or_init(PostgresServer::shared) {
        Ok(url) => url.as_str(),
        Err(error) if error.is_missing() => return Fresh::missing(error),
        Err(error) => panic!("{error}"),
    };
    // Nobody else uses this server.
    let table = format!("xtask_{}_{}", process::id(), TABLES.fetch_add(1, Ordering::Relaxed));
    let builder = SqlStore::builder().table(&table).clock(clock).deadline(PATIENCE).connections(4);
    let open = move || {
        let builder = builder.clone();
        async move { builder.connect(url).await.expect("a server that answers") }
    };
    Fresh::new(open().await).reopen_with(open.clone()).peer_with(open).damage_with(move |key| {
        let table = table.clone();
        async move { damage(url, &table, key).await.expect("a record to damage") }
    })
}

pub(super) async fn open(place: &str) -> Result<Arc<dyn Store>> {
    // The URL is not repeated: it may hold a password.
    let store =
        SqlStore::connect(&format!("postgres:{place}")).await.context("cannot keep sessions there")?;
    Ok(Arc::new(store))
}

/// Gives a record a version that none ever has.
async fn damage(url: &str, table: &str, key: StoreKey) -> sqlx::Result<()> {
    let mut connection = PgConnection::connect(url).await?;
    let damage = format!("UPDATE {table} SET version = -1 WHERE session_key = $1");
    sqlx::query(AssertSqlSafe(damage)).bind(&key.as_bytes()[..]).execute(&mut connection).await?;
    connection.close().await
}

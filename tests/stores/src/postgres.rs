//! session-store-sql in PostgreSQL, on a server that this test run shares.

use std::sync::{Arc, OnceLock};

use session_conformance::store::{Fresh, ManualClock};
use session_core::Environment;
use session_store_sql::SqlStoreBuilder;
use session_test_servers::{PostgresServer, StartError};
use sqlx::{AssertSqlSafe, Connection, PgConnection, PgPool, postgres::PgPoolOptions};

use crate::sql_server::Kind;

/// With connections of the store's own, behind a network that can be cut.
pub async fn own_connections(clock: Arc<ManualClock>) -> Fresh {
    KIND.own_connections(clock).await
}

/// With a pool of the application's.
pub async fn pool(clock: Arc<ManualClock>) -> Fresh {
    KIND.pool(clock).await
}

/// For the adapter suite, on a pool that all cases share: a connection is a process, which takes longer to start than most
/// cases.
pub async fn plain(clock: Arc<ManualClock>) -> Fresh {
    static POOL: OnceLock<PgPool> = OnceLock::new();
    let open = async |builder: SqlStoreBuilder, url: &str| {
        let pool = || PgPoolOptions::new().max_connections(16).connect_lazy(url).expect("a URL");
        let store = builder.postgres_pool(POOL.get_or_init(pool).clone()).expect("settings that are good");
        store.create().await.expect("a server that answers");
        store
    };
    KIND.plain(clock, open).await
}

/// Where the server is; started if it is not there.
pub fn server() -> &'static Result<String, StartError> {
    static SERVER: OnceLock<Result<String, StartError>> = OnceLock::new();
    SERVER.get_or_init(PostgresServer::shared)
}

const KIND: Kind = Kind {
    server,
    url_at: PostgresServer::url_at,
    on_a_pool: |builder, url| {
        let pool = PgPoolOptions::new().max_connections(8).connect_lazy(url).expect("a URL");
        builder.postgres_pool(pool).expect("settings that are good")
    },
    execute: |url, sql| {
        Box::pin(async move {
            let mut connection = PgConnection::connect(url).await?;
            let done = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await?;
            connection.close().await?;
            Ok(done.rows_affected())
        })
    },
    count: |url, sql| {
        Box::pin(async move {
            let mut connection = PgConnection::connect(url).await?;
            let count = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut connection).await?;
            connection.close().await?;
            Ok(count)
        })
    },
    key_type: "bytea",
    bytes: (r"'\x", "'"),
};

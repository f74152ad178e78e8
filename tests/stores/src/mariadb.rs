//! session-store-sql in MariaDB, or MySQL where that is what is installed, on a server that this test run shares.

use std::sync::{Arc, OnceLock};

use session_conformance::store::{Fresh, ManualClock};
use session_store_sql::SqlStoreBuilder;
use session_test_servers::{MariadbServer, StartError};
use sqlx::{AssertSqlSafe, Connection, MySqlConnection, mysql::MySqlPoolOptions};

use crate::sql_server::Kind;

/// With connections of the store's own, behind a network that can be cut.
pub async fn own_connections(clock: Arc<ManualClock>) -> Fresh {
    KIND.own_connections(clock).await
}

/// With a pool of the application's.
pub async fn pool(clock: Arc<ManualClock>) -> Fresh {
    KIND.pool(clock).await
}

/// For the adapter suite.
pub async fn plain(clock: Arc<ManualClock>) -> Fresh {
    let open = async |builder: SqlStoreBuilder, url: &str| {
        builder.connections(4).connect(url).await.expect("a server that answers")
    };
    KIND.plain(clock, open).await
}

/// Where the server is; started if it is not there.
pub fn server() -> &'static Result<String, StartError> {
    static SERVER: OnceLock<Result<String, StartError>> = OnceLock::new();
    SERVER.get_or_init(MariadbServer::shared)
}

const KIND: Kind = Kind {
    server,
    url_at: MariadbServer::url_at,
    on_a_pool: |builder, url| {
        let pool = MySqlPoolOptions::new().max_connections(8).connect_lazy(url).expect("a URL");
        builder.mysql_pool(pool).expect("settings that are good")
    },
    execute: |url, sql| {
        Box::pin(async move {
            let mut connection = MySqlConnection::connect(url).await?;
            let done = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await?;
            connection.close().await?;
            Ok(done.rows_affected())
        })
    },
    count: |url, sql| {
        Box::pin(async move {
            let mut connection = MySqlConnection::connect(url).await?;
            let count = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut connection).await?;
            connection.close().await?;
            Ok(count)
        })
    },
    key_type: "BINARY(32)",
    bytes: ("x'", "'"),
};

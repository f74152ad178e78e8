//! The store in MariaDB keeps the contract: with connections of its own behind a network that can be cut, and on the
//! application's pool.

#![allow(clippy::expect_used, clippy::panic, reason = "helpers of tests fail the test")]

use std::{
    future::ready,
    process,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use session_conformance::store::{Foreign, Fresh, ManualClock, Medium};
use session_core::{Environment, StoreKey};
use session_store_sql::{SqlStore, SqlStoreBuilder};
use session_test_servers::{CuttableProxy, MariadbServer};
use sqlx::{AssertSqlSafe, Connection, MySqlConnection, mysql::MySqlPoolOptions};

/// With connections of the store's own.
mod own_connections {
    async fn fresh(clock: super::Arc<super::ManualClock>) -> super::Fresh {
        super::on_a_table(clock, super::through_a_proxy).await
    }

    session_conformance::store_tests!(fresh);
}

/// With a pool of the application's.
mod pool {
    async fn fresh(clock: super::Arc<super::ManualClock>) -> super::Fresh {
        super::on_a_table(clock, super::on_a_pool).await
    }

    session_conformance::store_tests!(fresh);
}

/// A table of its own on the server that all cases share.
#[derive(Clone)]
struct Table {
    name: String,
    url: String,
    builder: SqlStoreBuilder,
}

async fn on_a_table<F: Future<Output = Fresh>>(
    clock: Arc<ManualClock>,
    declare: impl FnOnce(Table) -> F,
) -> Fresh {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let url = match MariadbServer::shared() {
        Ok(url) => url,
        Err(error) if error.is_missing() => return Fresh::missing(error),
        Err(error) => panic!("{error}"),
    };
    let name = format!("kit_{}_{}", process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let builder = SqlStore::builder().table(&name).clock(clock).deadline(PATIENCE);
    let table = Table { name, url, builder };
    let (damaged, beside) = (table.clone(), table.clone());
    declare(table)
        .await
        .damage_with(move |key| damaged.clone().damage(key))
        .foreign_with(move |ask| beside.clone().foreign(ask))
}

async fn through_a_proxy(table: Table) -> Fresh {
    let port = table.url.rsplit_once(':').and_then(|(_, rest)| rest.split_once('/')?.0.parse().ok());
    let proxy = Arc::new(CuttableProxy::start(port.expect("a port")).expect("a proxy"));
    let (url, builder) = (MariadbServer::url_at(proxy.port()), table.builder);
    let open = move || {
        let (url, builder) = (url.clone(), builder.clone());
        async move { builder.connect(&url).await.expect("a server that answers") }
    };
    let switch = Arc::clone(&proxy);
    Fresh::new(open().await)
        .reopen_with(open.clone())
        .peer_with(open)
        .outage_with(move |medium| {
            switch.refuse(medium == Medium::Down);
            if medium == Medium::Down {
                switch.cut();
            }
            ready(())
        })
        .keep(proxy)
}

async fn on_a_pool(table: Table) -> Fresh {
    let open = move || {
        let pool = MySqlPoolOptions::new().max_connections(8).connect_lazy(&table.url);
        table.builder.clone().mysql_pool(pool.expect("a URL")).expect("settings that are good")
    };
    let store = open();
    store.create().await.expect("a server that answers");
    let (again, more) = (open.clone(), open);
    Fresh::new(store).reopen_with(move || ready(again())).peer_with(move || ready(more()))
}

impl Table {
    /// Gives a record a version that none ever has.
    async fn damage(self, key: StoreKey) {
        let sql = format!("UPDATE {} SET version = -1 WHERE session_key = ?", self.name);
        let mut connection = self.connect().await;
        let damage = sqlx::query(AssertSqlSafe(sql)).bind(&key.as_bytes()[..]).execute(&mut connection);
        assert_eq!(damage.await.expect("a record can be changed").rows_affected(), 1);
    }

    /// A table of somebody else, with a name and an index much like the store's.
    async fn foreign(self, ask: Foreign) -> bool {
        let (mut connection, notes) = (self.connect().await, format!("{}_notes", self.name));
        if ask == Foreign::Plant {
            let sql = format!(
                "CREATE TABLE {notes} (session_key BINARY(32) PRIMARY KEY, expires_at bigint); \
                 CREATE INDEX {notes}_expires ON {notes} (expires_at); INSERT INTO {notes} VALUES ('x', 1)"
            );
            sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.expect("a table can be made");
        }
        let sql = format!("SELECT count(*) FROM {notes} WHERE expires_at = 1");
        let count = sqlx::query_scalar::<_, i64>(AssertSqlSafe(sql)).fetch_one(&mut connection);
        count.await.is_ok_and(|count| count == 1)
    }

    async fn connect(&self) -> MySqlConnection {
        MySqlConnection::connect(&self.url).await.expect("a server that answers")
    }
}

/// What the kit tests is not how fast a server is.
const PATIENCE: Duration = Duration::from_secs(20);

//! session-store-sql on a database server that this test run shares: what is the same whichever it is.

use std::{
    future::{Future, ready},
    pin::Pin,
    process,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use session_conformance::store::{Foreign, Fresh, ManualClock};
use session_core::{Environment, StoreKey};
use session_store_sql::{SqlStore, SqlStoreBuilder};
use session_test_servers::StartError;

use crate::{PATIENCE, missing, outage};

/// A kind of server.
#[derive(Clone, Copy)]
pub(crate) struct Kind {
    /// Where the server is that this test run shares; started if it is not there.
    pub(crate) server: fn() -> &'static Result<String, StartError>,
    /// The same through a proxy on another port.
    pub(crate) url_at: fn(u16) -> String,
    /// The store on a pool of the application's.
    pub(crate) on_a_pool: fn(SqlStoreBuilder, &str) -> SqlStore,
    /// Runs statements as an operator, and answers how many rows they have changed.
    pub(crate) execute: fn(&'static str, String) -> Running<u64>,
    /// Answers a question with one number.
    pub(crate) count: fn(&'static str, String) -> Running<i64>,
    /// The type of a key of 32 bytes.
    pub(crate) key_type: &'static str,
    /// How bytes are written, in hexadecimal digits between these.
    pub(crate) bytes: (&'static str, &'static str),
}

pub(crate) type Running<T> = Pin<Box<dyn Future<Output = sqlx::Result<T>> + Send>>;

impl Kind {
    /// With connections of the store's own, behind a network that can be cut.
    pub(crate) async fn own_connections(self, clock: Arc<ManualClock>) -> Fresh {
        let table = match self.table(clock) {
            Ok(table) => table,
            Err(error) => return missing(error),
        };
        let port = table.url.rsplit_once(':').and_then(|(_, rest)| rest.split_once('/')?.0.parse().ok());
        let proxy = outage::proxy(port.expect("a port"));
        let url = (self.url_at)(proxy.port());
        outage::behind(proxy, table.with_connections_to(url).await)
    }

    /// With a pool of the application's.
    pub(crate) async fn pool(self, clock: Arc<ManualClock>) -> Fresh {
        let table = match self.table(clock) {
            Ok(table) => table,
            Err(error) => return missing(error),
        };
        let beside = table.clone();
        let open = move || (table.kind.on_a_pool)(table.builder.clone(), table.url);
        let store = open();
        store.create().await.expect("a server that answers");
        let (again, more) = (open.clone(), open);
        beside
            .declared(Fresh::new(store).reopen_with(move || ready(again())).peer_with(move || ready(more())))
    }

    /// For the adapter suite, opened by `open`.
    pub(crate) async fn plain(
        self,
        clock: Arc<ManualClock>,
        open: impl AsyncFnOnce(SqlStoreBuilder, &'static str) -> SqlStore,
    ) -> Fresh {
        match self.table(clock) {
            Ok(table) => Fresh::new(open(table.builder, table.url).await),
            Err(error) => missing(error),
        }
    }

    /// A table that no other case uses.
    fn table(self, clock: Arc<ManualClock>) -> Result<Table, &'static StartError> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let url = (self.server)().as_ref()?;
        let name = format!("kit_{}_{}", process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let builder = SqlStore::builder().table(&name).clock(clock).deadline(PATIENCE);
        Ok(Table { kind: self, name, url, builder })
    }
}

/// A table of its own on the server that all cases share.
#[derive(Clone)]
struct Table {
    kind: Kind,
    name: String,
    url: &'static str,
    builder: SqlStoreBuilder,
}

impl Table {
    async fn with_connections_to(self, url: String) -> Fresh {
        let builder = self.builder.clone();
        let open = move || {
            let (url, builder) = (url.clone(), builder.clone());
            async move { builder.connect(&url).await.expect("a server that answers") }
        };
        self.declared(Fresh::new(open().await).reopen_with(open.clone()).peer_with(open))
    }

    fn declared(self, fresh: Fresh) -> Fresh {
        let beside = self.clone();
        fresh
            .damage_with(move |key| self.clone().damage(key))
            .foreign_with(move |ask| beside.clone().foreign(ask))
    }

    /// Gives a record a version that none ever has.
    async fn damage(self, key: StoreKey) {
        let (before, after) = self.kind.bytes;
        let name = &self.name;
        let sql =
            format!("UPDATE {name} SET version = -1 WHERE session_key = {before}{}{after}", key.to_hex());
        let changed = (self.kind.execute)(self.url, sql).await;
        assert_eq!(changed.expect("a record can be changed"), 1);
    }

    /// A table of somebody else, with a name and an index much like the store's.
    async fn foreign(self, ask: Foreign) -> bool {
        let (notes, key_type) = (format!("{}_notes", self.name), self.kind.key_type);
        if ask == Foreign::Plant {
            let sql = format!(
                "CREATE TABLE {notes} (session_key {key_type} PRIMARY KEY, expires_at bigint); \
                 CREATE INDEX {notes}_expires ON {notes} (expires_at); INSERT INTO {notes} VALUES ('x', 1)"
            );
            (self.kind.execute)(self.url, sql).await.expect("a table can be made");
        }
        let sql = format!("SELECT count(*) FROM {notes} WHERE expires_at = 1");
        (self.kind.count)(self.url, sql).await.is_ok_and(|count| count == 1)
    }
}

//! The databases of P5.

use anyhow::Result;
use session_store_sql::SqlStore;
use session_test_servers::{CuttableProxy, MariadbServer, PostgresServer};
use tower_sessions_sqlx_store::{
    MySqlStore, PostgresStore, SqliteStore,
    sqlx::{MySqlPool, PgPool, SqlitePool},
};

use super::{PATIENCE, Tables, note_missing};
use crate::rows::files;

pub(super) fn measure(tables: &mut Tables, missing: &mut Vec<String>) -> Result<()> {
    tables.postgres().or_else(|error| note_missing(error, missing))?;
    tables.mariadb().or_else(|error| note_missing(error, missing))?;
    tables.sqlite()
}

impl Tables {
    fn postgres(&mut self) -> Result<()> {
        let server = PostgresServer::start()?;
        let proxy = CuttableProxy::start(server.port())?;
        for (port, proxy) in [(proxy.port(), Some(&proxy)), (server.port(), None)] {
            let url = PostgresServer::url_at(port);
            let ours = self.runtime.block_on(SqlStore::builder().deadline(PATIENCE).connect(&url))?;
            let theirs = self.runtime.block_on(async {
                let store = PostgresStore::new(PgPool::connect(&url).await?);
                store.migrate().await.map(|()| store)
            })?;
            self.compare("PostgreSQL", ours, theirs, proxy)?;
        }
        Ok(())
    }

    fn mariadb(&mut self) -> Result<()> {
        let server = MariadbServer::start()?;
        let proxy = CuttableProxy::start(server.port())?;
        for (port, proxy) in [(proxy.port(), Some(&proxy)), (server.port(), None)] {
            let url = MariadbServer::url_at(port);
            let ours = self.runtime.block_on(SqlStore::builder().deadline(PATIENCE).connect(&url))?;
            let theirs = self.runtime.block_on(async {
                let store = MySqlStore::new(MySqlPool::connect(&url).await?);
                store.migrate().await.map(|()| store)
            })?;
            self.compare("MariaDB", ours, theirs, proxy)?;
        }
        Ok(())
    }

    fn sqlite(&mut self) -> Result<()> {
        let folder = files::folder()?;
        let url = |name: &str| format!("sqlite:{}", folder.path().join(name).display());
        let ours = self.runtime.block_on(SqlStore::builder().deadline(PATIENCE).connect(&url("ours.db")))?;
        let theirs = self.runtime.block_on(async {
            let store =
                SqliteStore::new(SqlitePool::connect(&format!("{}?mode=rwc", url("theirs.db"))).await?);
            store.migrate().await.map(|()| store)
        })?;
        self.compare("SQLite", ours, theirs, None)
    }
}

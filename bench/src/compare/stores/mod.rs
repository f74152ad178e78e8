//! The peers' stores as the store suite takes them, and this library's.
#![expect(clippy::expect_used, clippy::panic, reason = "the suite makes a panic the failure of its case")]

mod async_session;
mod tower;

use std::{
    borrow::Cow,
    fmt, fs,
    future::ready,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};

use anyhow::{Context, Result};
use session_conformance::store::{Factory, Fresh};
use session_test_servers::{MariadbServer, PostgresServer, RedisServer, StartError};
use session_test_stores as ours;
use tower_sessions::MemoryStore;
use tower_sessions_file_store::FileSessionStorage;
use tower_sessions_moka_store::MokaStore;
use tower_sessions_redis_store::{
    RedisStore,
    fred::prelude::{ClientLike as _, Config, Pool},
};
use tower_sessions_sqlx_store::{
    MySqlStore, PostgresStore, SqliteStore,
    sqlx::{self, MySqlPool, PgPool, SqlitePool},
};

use async_session::Shim as AsyncSession;
use tower::{Core14, Core15, Shim, id};

/// Who goes through the store suite: the name of the column, and the factory.
pub(crate) fn all() -> Vec<(&'static str, Factory)> {
    vec![
        ("session-store-memory", Factory::new(ours::memory::default)),
        ("session-store-file", Factory::new(ours::file::in_memory)),
        ("session-store-sql, SQLite", Factory::new(ours::sqlite::file)),
        ("session-store-redis", Factory::new(ours::redis::one_node)),
        (
            "tower-sessions MemoryStore",
            Factory::new(async |_| Fresh::new(Shim(Core15(MemoryStore::default()))).own_clock()),
        ),
        (
            "tower-sessions-moka-store",
            Factory::new(async |_| Fresh::new(Shim(Core14(MokaStore::new(Some(100_000))))).own_clock()),
        ),
        ("tower-sessions-file-store", Factory::new(async |_| started(file()))),
        ("tower-sessions-sqlx-store, SQLite", Factory::new(async |_| started(sqlite().await))),
        ("tower-sessions-sqlx-store, PostgreSQL", Factory::new(async |_| started(postgres().await))),
        ("tower-sessions-sqlx-store, MariaDB", Factory::new(async |_| started(mariadb().await))),
        ("tower-sessions-redis-store", Factory::new(async |_| started(redis().await))),
        (
            "async-session MemoryStore",
            Factory::new(async |_| Fresh::new(AsyncSession(warp_sessions::MemoryStore::new())).own_clock()),
        ),
    ]
}

/// A store whose server is not installed is said to be missing; anything else that goes wrong is a failure of the case.
fn started(fresh: Result<Fresh>) -> Fresh {
    fresh.unwrap_or_else(|error| match error.downcast_ref::<NotStarted>() {
        Some(NotStarted(missing)) if missing.is_missing() => Fresh::missing(missing),
        _ => panic!("{error:#}"),
    })
}

/// Why a server that all cases share could not be started.
#[derive(Clone, Copy, Debug)]
struct NotStarted(&'static StartError);

impl fmt::Display for NotStarted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for NotStarted {}

fn file() -> Result<Fresh> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().to_owned();
    let open = move || Shim(Core15(FileSessionStorage::new_in_folder(Cow::Owned(path.clone()))));
    let (again, more, victims) = (open.clone(), open.clone(), folder.path().to_owned());
    let damage = move |key| {
        let path = victims.join(tower_sessions::session::Id(id(&key)).to_string());
        fs::write(path, b"\xc1 no record").expect("a file");
        ready(())
    };
    Ok(Fresh::new(open())
        .own_clock()
        .reopen_with(move || ready(again()))
        .peer_with(move || ready(more()))
        .damage_with(damage)
        .keep(folder))
}

async fn sqlite() -> Result<Fresh> {
    let folder = tempfile::tempdir()?;
    let url = format!("sqlite:{}?mode=rwc", folder.path().join("sessions.db").display());
    let pool = SqlitePool::connect(&url).await?;
    let store = SqliteStore::new(pool.clone());
    store.migrate().await?;
    let open = move || {
        let url = url.clone();
        async move { Shim(Core14(SqliteStore::new(SqlitePool::connect(&url).await.expect("a file")))) }
    };
    let damage = move |key| {
        let (pool, id) = (pool.clone(), spelled(id(&key)));
        async move {
            let update = sqlx::query("update tower_sessions set data = x'c1' where id = ?").bind(id);
            update.execute(&pool).await.expect("a table");
        }
    };
    let fresh = Fresh::new(Shim(Core14(store))).own_clock();
    Ok(fresh.reopen_with(open.clone()).peer_with(open).damage_with(damage).keep(folder))
}

async fn postgres() -> Result<Fresh> {
    static SERVER: OnceLock<Result<PostgresServer, StartError>> = OnceLock::new();
    let server = SERVER.get_or_init(PostgresServer::start).as_ref().map_err(NotStarted)?;
    let (url, table) = (server.url(), format!("session_{}", next()));
    let named = {
        let table = table.clone();
        move |pool| PostgresStore::new(pool).with_table_name(&table).expect("a name")
    };
    let pool = PgPool::connect(&url).await?;
    let store = named(pool.clone());
    store.migrate().await?;
    let open = {
        let named = named.clone();
        move || {
            let (named, url) = (named.clone(), url.clone());
            async move { Shim(Core14(named(PgPool::connect(&url).await.expect("a server")))) }
        }
    };
    let damage = move |key| {
        let sql = format!("update tower_sessions.{table} set data = '\\xc1' where id = $1");
        let (pool, id) = (pool.clone(), spelled(id(&key)));
        async move {
            sqlx::query(&sql).bind(id).execute(&pool).await.expect("a table");
        }
    };
    let fresh = Fresh::new(Shim(Core14(store))).own_clock();
    Ok(fresh.reopen_with(open.clone()).peer_with(open).damage_with(damage))
}

async fn mariadb() -> Result<Fresh> {
    static SERVER: OnceLock<Result<MariadbServer, StartError>> = OnceLock::new();
    let server = SERVER.get_or_init(MariadbServer::start).as_ref().map_err(NotStarted)?;
    let (url, table) = (server.url(), format!("session_{}", next()));
    let named = {
        let table = table.clone();
        move |pool| MySqlStore::new(pool).with_table_name(&table).expect("a name")
    };
    let pool = MySqlPool::connect(&url).await?;
    let store = named(pool.clone());
    store.migrate().await?;
    let open = {
        let named = named.clone();
        move || {
            let (named, url) = (named.clone(), url.clone());
            async move { Shim(Core14(named(MySqlPool::connect(&url).await.expect("a server")))) }
        }
    };
    let damage = move |key| {
        let sql = format!("update tower_sessions.{table} set data = x'c1' where id = ?");
        let (pool, id) = (pool.clone(), spelled(id(&key)));
        async move {
            sqlx::query(&sql).bind(id).execute(&pool).await.expect("a table");
        }
    };
    let fresh = Fresh::new(Shim(Core14(store))).own_clock();
    Ok(fresh.reopen_with(open.clone()).peer_with(open).damage_with(damage))
}

async fn redis() -> Result<Fresh> {
    // Its keys have no prefix, so every case needs a server of its own.
    let server = match RedisServer::start() {
        Ok(server) => Arc::new(server),
        Err(missing) if missing.is_missing() => return Ok(Fresh::missing(missing)),
        Err(error) => return Err(error.into()),
    };
    let open = {
        let url = server.url();
        move || {
            let url = url.clone();
            async move { Shim(Core14(RedisStore::new(connected(&url).await.expect("a server")))) }
        }
    };
    let damage = {
        let server = Arc::clone(&server);
        move |key| {
            server.ask(&format!("SET {} no-record KEEPTTL", spelled(id(&key)))).expect("a server");
            ready(())
        }
    };
    let fresh = Fresh::new(open().await).own_clock();
    Ok(fresh.reopen_with(open.clone()).peer_with(open).damage_with(damage).keep(server))
}

async fn connected(url: &str) -> Result<Pool> {
    let pool = Pool::new(Config::from_url(url)?, None, None, None, 6)?;
    drop(pool.connect());
    pool.wait_for_connect().await.context("Redis")?;
    Ok(pool)
}

/// As the stores spell an id.
fn spelled(id: i128) -> String {
    tower_sessions::session::Id(id).to_string()
}

fn next() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

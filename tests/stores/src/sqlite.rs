//! session-store-sql in SQLite.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

use session_conformance::store::{Foreign, Fresh, ManualClock, Medium};
use session_core::{Environment, StoreKey};
use session_store_sql::{SqlStore, SqlStoreBuilder};
use sqlx::{
    Connection, SqliteConnection, SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions},
};
use tempfile::TempDir;
use tokio::sync::OnceCell;

use crate::{PATIENCE, folder};

/// A file, with connections of the store's own.
pub async fn file(clock: Arc<ManualClock>) -> Fresh {
    let files = Files::new(clock, PATIENCE);
    let full = files.full();
    files.declared(files.open().await).bounded_with(MOST_RECORDS, full).keep(files)
}

/// A file, for the adapter suite: a copy of one that was made once, because making tables takes longer than most cases.
pub async fn plain(clock: Arc<ManualClock>) -> Fresh {
    static EMPTY: OnceCell<Vec<u8>> = OnceCell::const_new();
    let files = Files::new(clock, PATIENCE);
    let make = || async {
        let files = Files::new(Arc::clone(&files.clock), PATIENCE);
        files.open().await.close().await;
        fs::read(files.path()).expect("a database was made")
    };
    fs::write(files.path(), EMPTY.get_or_init(make).await).expect("a database can be copied");
    Fresh::new(files.open().await).keep(files)
}

/// Memory, which goes with its only connection.
pub async fn memory(clock: Arc<ManualClock>) -> Fresh {
    let builder = SqlStore::builder().clock(clock).deadline(PATIENCE);
    Fresh::new(builder.connect("sqlite::memory:").await.expect("memory takes a database"))
}

/// A file, with the application's pool.
pub async fn pool(clock: Arc<ManualClock>) -> Fresh {
    let files = Files::new(clock, PATIENCE);
    let store = files.builder().sqlite_pool(files.pool().await).expect("settings that are good");
    store.create().await.expect("tables can be made");
    files.declared(store).keep(files)
}

/// Another process holds the lock of the file during an outage: reads go on, writes are refused before the deadline.
pub async fn locked(clock: Arc<ManualClock>) -> Fresh {
    let files = Files::new(clock, Duration::from_secs(2));
    let (path, held) = (files.path(), Arc::new(Mutex::new(None)));
    let lock = move |medium| {
        let (path, held) = (path.clone(), held.clone());
        async move { lock(&path, &held, medium).await }
    };
    files.declared(files.open().await).outage_with(lock).keep(files)
}

/// A folder for a database.
#[derive(Debug)]
struct Files {
    folder: TempDir,
    clock: Arc<ManualClock>,
    deadline: Duration,
}

impl Files {
    fn new(clock: Arc<ManualClock>, deadline: Duration) -> Self {
        Self { folder: folder::in_memory(), clock, deadline }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("sessions.db")
    }

    fn url(&self) -> String {
        format!("sqlite:{}", self.path().display())
    }

    fn builder(&self) -> SqlStoreBuilder {
        SqlStore::builder().clock(self.clock.clone()).deadline(self.deadline)
    }

    async fn open(&self) -> SqlStore {
        self.builder().connect(&self.url()).await.expect("a database can be made")
    }

    async fn pool(&self) -> SqlitePool {
        let options = SqliteConnectOptions::new().filename(self.path()).create_if_missing(true);
        let options = options.journal_mode(SqliteJournalMode::Wal).busy_timeout(self.deadline / 2);
        let pool = SqlitePoolOptions::new().max_connections(4).acquire_timeout(self.deadline);
        pool.connect_with(options).await.expect("a database can be made")
    }

    /// What can be done to the file, whoever has it open.
    fn declared(&self, store: SqlStore) -> Fresh {
        let (builder, url, path) = (self.builder(), self.url(), self.path());
        let open = move || {
            let (builder, url) = (builder.clone(), url.clone());
            async move { builder.connect(&url).await.expect("the database is there") }
        };
        let beside = path.clone();
        Fresh::new(store)
            .reopen_with(open.clone())
            .peer_with(open)
            .damage_with(move |key| damage(path.clone(), key))
            .foreign_with(move |ask| foreign(beside.clone(), ask))
    }

    /// Other databases, with little room.
    fn full(&self) -> impl Fn() -> std::pin::Pin<Box<dyn Future<Output = SqlStore> + Send>> + use<> {
        let (builder, folder) = (self.builder(), self.folder.path().to_owned());
        move || {
            let builder = builder.clone().sqlite_max_bytes(MOST_BYTES);
            let url = format!("sqlite:{}", folder.join("full.db").display());
            Box::pin(
                async move { builder.connect(&url).await.expect("a small database has room for tables") },
            )
        }
    }
}

async fn connect(path: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(path).busy_timeout(PATIENCE);
    SqliteConnection::connect_with(&options).await.expect("the database is there")
}

/// Puts a number into a record that is never written there.
async fn damage(path: PathBuf, key: StoreKey) {
    let sql = "UPDATE sessions SET version = -1 WHERE session_key = ?";
    let damaged = sqlx::query(sql).bind(&key.as_bytes()[..]).execute(&mut connect(&path).await).await;
    assert_eq!(damaged.expect("a record can be changed").rows_affected(), 1);
}

/// A table of somebody else, with a name and an index much like the store's.
async fn foreign(path: PathBuf, ask: Foreign) -> bool {
    let mut connection = connect(&path).await;
    if ask == Foreign::Plant {
        let sql = "CREATE TABLE sessions_notes (session_key BLOB PRIMARY KEY, expires_at INTEGER);\
                   CREATE INDEX sessions_notes_expires ON sessions_notes (expires_at);\
                   INSERT INTO sessions_notes VALUES (x'00', 1)";
        sqlx::raw_sql(sql).execute(&mut connection).await.expect("a table can be made");
    }
    let sql = "SELECT count(*) FROM sessions_notes NOT INDEXED WHERE expires_at = 1";
    sqlx::query_scalar::<_, i64>(sql).fetch_one(&mut connection).await.is_ok_and(|count| count == 1)
}

/// Takes and gives back the lock that every write needs.
async fn lock(path: &Path, held: &Mutex<Option<SqliteConnection>>, medium: Medium) {
    let other = held.lock().expect("nobody panicked").take();
    if let Some(connection) = other {
        connection.close().await.expect("a connection can be closed");
    }
    if medium == Medium::Down {
        let mut connection = connect(path).await;
        sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut connection).await.expect("the lock is free");
        *held.lock().expect("nobody panicked") = Some(connection);
    }
}

const MOST_RECORDS: usize = 100;
/// Enough for 40 records of 1 KiB.
const MOST_BYTES: u64 = 25 * 4_096;

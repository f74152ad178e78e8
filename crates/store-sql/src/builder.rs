//! The settings of a store.

use std::{sync::Arc, time::Duration};

use session_core::{Clock, SystemClock};
use sqlx::{ConnectOptions, Pool};
#[cfg(feature = "mysql")]
use sqlx::{MySqlPool, mysql::MySqlConnectOptions};
#[cfg(feature = "postgres")]
use sqlx::{PgPool, postgres::PgConnectOptions};
#[cfg(feature = "sqlite")]
use sqlx::{
    SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};

use crate::{
    SqlStore,
    backend::In,
    connections::{Connections, Limits},
    driver::Driver,
    engine::Engine,
    open_error::OpenError,
    table::Table,
    url::{self, Database},
};

/// Builds a [`SqlStore`].
///
/// ```
/// # use std::time::Duration;
/// # use session_store_sql::SqlStore;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store = SqlStore::builder()
///     .prefix("staging")
///     .table("logins") // staging_logins
///     .deadline(Duration::from_millis(500))
///     .connect("sqlite::memory:")
///     .await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct SqlStoreBuilder {
    table: String,
    prefix: Option<String>,
    deadline: Duration,
    connections: Option<usize>,
    waiting: usize,
    create: bool,
    clock: Arc<dyn Clock>,
    sqlite_durability: SqliteDurability,
    sqlite_max_bytes: Option<u64>,
}

/// What of an acknowledged write in a SQLite file outlives a power cut. A crash of the application loses nothing in
/// either case, and neither damages the file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum SqliteDurability {
    /// Everything: each write waits for the disk (`PRAGMA synchronous = FULL`). The default.
    #[default]
    Full,
    /// All but the newest writes and removals, so that a logout may be undone (`PRAGMA synchronous = NORMAL`).
    Normal,
}

impl SqlStoreBuilder {
    pub(crate) fn new() -> Self {
        Self {
            table: "sessions".to_owned(),
            prefix: None,
            deadline: Duration::from_secs(1),
            connections: None,
            waiting: 1_000,
            create: true,
            clock: Arc::new(SystemClock),
            sqlite_durability: SqliteDurability::Full,
            sqlite_max_bytes: None,
        }
    }

    /// The name of the table of records; `_schema`, `_expires` and `_principal` are appended for what else there is.
    /// With its prefix 1 to 48 characters of `A-Z`, `a-z`, `0-9` and `_`, not beginning with a digit. Default:
    /// `sessions`.
    pub fn table(mut self, name: impl Into<String>) -> Self {
        self.table = name.into();
        self
    }

    /// Put in front of the name of the table with an underscore, so that several environments share a database.
    /// Default: none.
    pub fn prefix(mut self, name: impl Into<String>) -> Self {
        self.prefix = Some(name.into());
        self
    }

    /// How long a call may take, waiting for a connection included. Default: one second. What fails later than this is
    /// [`Unavailable`](session_core::StoreErrorKind::Unavailable) if nothing was sent that changes anything, and else
    /// [`Indeterminate`](session_core::StoreErrorKind::Indeterminate).
    pub const fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// How many connections of its own the store opens at most, each when it is first needed. Default: 10 to a server;
    /// to a SQLite file 4 for reading, beside the one for writing that there always is. SQLite in memory has one.
    pub const fn connections(mut self, most: usize) -> Self {
        self.connections = Some(most);
        self
    }

    /// How many calls may wait for a connection; more are [`Overloaded`](session_core::StoreErrorKind::Overloaded) at
    /// once. Default: 1,000. The application's own pool has its own rules.
    pub const fn max_waiting(mut self, calls: usize) -> Self {
        self.waiting = calls;
        self
    }

    /// Whether [`connect`](Self::connect) makes tables, indexes and a SQLite file that are missing. Default: `true`.
    /// Switched off, what is missing is an error, and the role of the application needs no right to create.
    pub const fn create(mut self, create: bool) -> Self {
        self.create = create;
        self
    }

    /// What tells whether a record has expired that a new one is to take the place of. Default: [`SystemClock`].
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// What of an acknowledged write in a SQLite file outlives a power cut. For connections of the store's own.
    pub const fn sqlite_durability(mut self, durability: SqliteDurability) -> Self {
        self.sqlite_durability = durability;
        self
    }

    /// The size up to which a SQLite file grows, in bytes, rounded down to pages of 4,096 (`PRAGMA max_page_count`).
    /// Behind it writes are [`Full`](session_core::StoreErrorKind::Full). Default: the disk.
    pub const fn sqlite_max_bytes(mut self, bytes: u64) -> Self {
        self.sqlite_max_bytes = Some(bytes);
        self
    }

    /// Connects to the database at `url`, then makes the tables if they are missing, or checks that they are there.
    ///
    /// | URL | |
    /// |---|---|
    /// | `sqlite:PATH`, `sqlite:///PATH` | a file, made with mode 0600 if it is missing; `%` in a path is written `%25` |
    /// | `sqlite::memory:` | gone with the store |
    /// | `postgres://USER:PASSWORD@HOST:PORT/DATABASE?PARAMETERS` | [parameters of sqlx](sqlx::postgres::PgConnectOptions) |
    /// | `mysql://USER:PASSWORD@HOST:PORT/DATABASE?PARAMETERS`, `mariadb://…` | [parameters of sqlx](sqlx::mysql::MySqlConnectOptions) |
    ///
    /// # Errors
    /// [`OpenError`]: a setting or the URL is refused, the database does not answer, or it is not ready and cannot be
    /// made so.
    pub async fn connect(self, url: &str) -> Result<SqlStore, OpenError> {
        let create = self.create;
        let store = self.connect_lazy(url)?;
        let environment = session_core::Store::as_environment(&store);
        let ready = match environment {
            Some(environment) if create => environment.create().await,
            Some(environment) => environment.check().await,
            None => Ok(()),
        };
        ready.map_err(OpenError::Environment)?;
        Ok(store)
    }

    /// The same without connecting: an application may start while its database does not answer. The tables must be
    /// there, or be made with [`Environment::create`](session_core::Environment::create).
    ///
    /// # Errors
    /// [`OpenError`]: a setting or the URL is refused.
    pub fn connect_lazy(self, url: &str) -> Result<SqlStore, OpenError> {
        match url::parse(url)? {
            #[cfg(feature = "sqlite")]
            Database::Sqlite => self.sqlite(url),
            #[cfg(feature = "postgres")]
            Database::Postgres => {
                let settings: PgConnectOptions = url.parse().map_err(|_| REFUSED)?;
                self.server::<sqlx::Postgres>(settings.disable_statement_logging())
            }
            #[cfg(feature = "mysql")]
            Database::MySql => {
                let alias = url.strip_prefix("mariadb:").map(|rest| format!("mysql:{rest}"));
                let settings: MySqlConnectOptions =
                    alias.as_deref().unwrap_or(url).parse().map_err(|_| REFUSED)?;
                self.server::<sqlx::MySql>(settings.disable_statement_logging())
            }
            #[cfg(not(feature = "sqlite"))]
            Database::Sqlite => Err(OpenError::Feature("sqlite")),
            #[cfg(not(feature = "postgres"))]
            Database::Postgres => Err(OpenError::Feature("postgres")),
            #[cfg(not(feature = "mysql"))]
            Database::MySql => Err(OpenError::Feature("mysql")),
        }
    }

    /// Uses connections of the application's pool, one for each call. Connects to nothing: the tables must be there, or
    /// be made with [`Environment::create`](session_core::Environment::create).
    ///
    /// Give the pool a file in WAL mode, `synchronous = FULL`, and a `busy_timeout` below the deadline.
    ///
    /// # Errors
    /// [`OpenError`]: a setting is refused.
    #[cfg(feature = "sqlite")]
    pub fn sqlite_pool(self, pool: SqlitePool) -> Result<SqlStore, OpenError> {
        self.shared(pool)
    }

    /// Uses connections of the application's pool, one for each call. Connects to nothing: the tables must be there, or
    /// be made with [`Environment::create`](session_core::Environment::create).
    ///
    /// # Errors
    /// [`OpenError`]: a setting is refused.
    #[cfg(feature = "postgres")]
    pub fn postgres_pool(self, pool: PgPool) -> Result<SqlStore, OpenError> {
        self.shared(pool)
    }

    /// Uses connections of the application's pool, one for each call. Connects to nothing: the tables must be there, or
    /// be made with [`Environment::create`](session_core::Environment::create).
    ///
    /// # Errors
    /// [`OpenError`]: a setting is refused.
    #[cfg(feature = "mysql")]
    pub fn mysql_pool(self, pool: MySqlPool) -> Result<SqlStore, OpenError> {
        self.shared(pool)
    }

    #[cfg(feature = "sqlite")]
    fn sqlite(self, url: &str) -> Result<SqlStore, OpenError> {
        let settings: SqliteConnectOptions = url.parse().map_err(|_| REFUSED)?;
        let in_memory = url.ends_with(":memory:");
        let synchronous = match self.sqlite_durability {
            SqliteDurability::Full => SqliteSynchronous::Full,
            SqliteDurability::Normal => SqliteSynchronous::Normal,
        };
        let mut settings = settings
            .create_if_missing(self.create)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(synchronous)
            // Only macOS has a sync that does not sync.
            .pragma("fullfsync", "ON")
            // Below the deadline, so that a lock that is not given is an answer and not doubt.
            .busy_timeout(self.deadline * 3 / 4)
            .disable_statement_logging();
        if let Some(bytes) = self.sqlite_max_bytes {
            settings = settings.pragma("max_page_count", (bytes / 4_096).max(1).to_string());
        }
        if self.create && !in_memory {
            make_private(settings.get_filename()).map_err(OpenError::File)?;
        }
        let limits = Limits {
            connections: if in_memory { 1 } else { self.connections.unwrap_or(4) },
            one_writer: !in_memory,
            waiting: self.waiting,
            keep: in_memory,
        };
        self.own::<sqlx::Sqlite>(settings, limits)
    }

    #[cfg(any(feature = "mysql", feature = "postgres"))]
    fn server<D: Driver>(self, settings: D::Settings) -> Result<SqlStore, OpenError> {
        if self.sqlite_durability != SqliteDurability::Full {
            return Err(OpenError::Setting("sqlite_durability"));
        }
        if self.sqlite_max_bytes.is_some() {
            return Err(OpenError::Setting("sqlite_max_bytes"));
        }
        let connections = self.connections.unwrap_or(10);
        let limits = Limits { connections, one_writer: false, waiting: self.waiting, keep: false };
        self.own::<D>(settings, limits)
    }

    fn own<D: Driver>(self, settings: D::Settings, limits: Limits) -> Result<SqlStore, OpenError> {
        if !(1..=10_000).contains(&limits.connections) {
            return Err(OpenError::Setting("connections"));
        }
        let connections = Connections::<D>::own(settings, self.deadline, limits);
        self.finish(connections)
    }

    fn shared<D: Driver>(self, pool: Pool<D>) -> Result<SqlStore, OpenError> {
        self.finish(Connections::Shared(pool))
    }

    fn finish<D: Driver>(self, connections: Connections<D>) -> Result<SqlStore, OpenError> {
        if self.deadline < Duration::from_millis(1) || self.deadline > Duration::from_secs(3_600) {
            return Err(OpenError::Setting("deadline"));
        }
        let table = Table::new(self.prefix.as_deref(), &self.table)?;
        Ok(SqlStore::new(In(Arc::new(Engine::new(connections, table, self.clock, self.deadline)))))
    }
}

const REFUSED: OpenError = OpenError::Url("sqlx cannot read it");

/// SQLite gives its other files the permissions of the first, and makes that one for everybody to read.
#[cfg(feature = "sqlite")]
fn make_private(file: &std::path::Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(file) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

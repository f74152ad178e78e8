//! What every test of this crate needs: a database of one kind, with tables of the test's own.

use std::{
    future::Future,
    path::Path,
    process,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use session_conformance::processes::{Run, run as run_child};
pub(crate) use session_conformance::store::sample::key;
use session_core::{Entry, Expect, ManualClock, Store, StoreError, StoreKey, Version, Written};
use session_store_sql::{SqlStore, SqlStoreBuilder};
use session_test_servers::{MariadbServer, PostgresServer, StartError};
use sqlx::{AssertSqlSafe, Connection, MySqlConnection, PgConnection, SqliteConnection};
use tempfile::TempDir;
use tokio::runtime::Builder;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Sqlite,
    Postgres,
    MySql,
}

/// Runs each test on each database, on those that are named, or says which is not installed.
macro_rules! on_each {
    ($($(#[$meta:meta])* async fn $name:ident($lab:ident) $body:block)*) => {
        mod cases {
            #[allow(unused_imports, reason = "whatever the cases of the file need")]
            use super::*;
            $(pub(super) async fn $name($lab: $crate::common::Lab) $body)*
        }
        $crate::common::on_each! { @ sqlite Sqlite, $($(#[$meta])* $name)* }
        $crate::common::on_each! { @ postgres Postgres, $($(#[$meta])* $name)* }
        $crate::common::on_each! { @ mysql MySql, $($(#[$meta])* $name)* }
    };
    (@ $module:ident $kind:ident, $($(#[$meta:meta])* $name:ident)*) => {
        mod $module {
            $($(#[$meta])* #[test] fn $name() {
                let test = concat!(module_path!(), "::", stringify!($name));
                $crate::common::run($crate::common::Kind::$kind, test, super::cases::$name);
            })*
        }
    };
}

pub(crate) use on_each;

/// The same without SQLite.
macro_rules! on_each_server {
    ($($(#[$meta:meta])* async fn $name:ident($lab:ident) $body:block)*) => {
        mod cases {
            #[allow(unused_imports, reason = "whatever the cases of the file need")]
            use super::*;
            $(pub(super) async fn $name($lab: $crate::common::Lab) $body)*
        }
        $crate::common::on_each! { @ postgres Postgres, $($(#[$meta])* $name)* }
        $crate::common::on_each! { @ mysql MySql, $($(#[$meta])* $name)* }
    };
}

pub(crate) use on_each_server;

/// A database, and a table in it that nobody else uses.
pub(crate) struct Lab {
    pub(crate) kind: Kind,
    pub(crate) url: String,
    pub(crate) table: String,
    pub(crate) clock: Arc<ManualClock>,
    /// The name of the test, with that of the program in front.
    test: &'static str,
    folder: TempDir,
}

/// What the clock shows at the beginning.
pub(crate) const START: u64 = 1_900_000_000;
/// Tests share the machine with others, and none measures time.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) fn run<F: Future<Output = ()>>(kind: Kind, test: &'static str, case: impl FnOnce(Lab) -> F) {
    run_on(Builder::new_multi_thread().worker_threads(4), kind, test, case);
}

/// On a thread, where tasks run in the order in which they were woken.
pub(crate) fn run_in_order<F: Future<Output = ()>>(kind: Kind, case: impl FnOnce(Lab) -> F) {
    run_on(&mut Builder::new_current_thread(), kind, "", case);
}

fn run_on<F: Future<Output = ()>>(
    runtime: &mut Builder,
    kind: Kind,
    test: &'static str,
    case: impl FnOnce(Lab) -> F,
) {
    let folder = folder();
    let Some(url) = installed(url(kind, folder.path())) else { return };
    let table = new_table();
    let clock = Arc::new(ManualClock::at_unix(START));
    let runtime = runtime.enable_all().build().unwrap();
    runtime.block_on(case(Lab { kind, url, table, clock, test, folder }));
}

/// Where a database may be.
pub(crate) fn folder() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

/// That of the server that all tests share, or of a file in the folder.
pub(crate) fn url(kind: Kind, folder: &Path) -> Result<String, StartError> {
    match kind {
        Kind::Sqlite => Ok(format!("sqlite:{}", folder.join("sessions.db").display())),
        Kind::Postgres => PostgresServer::shared(),
        Kind::MySql => MariadbServer::shared(),
    }
}

/// The name of a table that nobody else uses.
pub(crate) fn new_table() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("t{}_{}", process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Nothing if a server is not installed, which is said.
pub(crate) fn installed<T>(started: Result<T, StartError>) -> Option<T> {
    match started {
        Ok(server) => Some(server),
        Err(error) if error.is_missing() => {
            session_conformance::skip(error);
            None
        }
        Err(error) => panic!("{error}"),
    }
}

impl Lab {
    pub(crate) fn builder(&self) -> SqlStoreBuilder {
        SqlStore::builder().table(&self.table).clock(self.clock.clone()).deadline(PATIENCE)
    }

    pub(crate) async fn open(&self) -> SqlStore {
        self.builder().connect(&self.url).await.unwrap()
    }

    /// The same test again in a process of its own, which finds a [`Task`](session_conformance::processes::Task).
    pub(crate) fn child(&self) -> Run {
        let (_, test) = self.test.split_once("::").unwrap();
        run_child(test).with("url", &self.url).with("table", &self.table)
    }

    pub(crate) fn file(&self) -> std::path::PathBuf {
        self.folder.path().join("sessions.db")
    }

    /// Runs statements, in which `{t}` stands for the table; names of columns need no quotes.
    pub(crate) async fn sql(&self, sql: &str) {
        self.try_sql(sql).await.unwrap();
    }

    pub(crate) async fn try_sql(&self, sql: &str) -> sqlx::Result<()> {
        let sql = AssertSqlSafe(sql.replace("{t}", &self.table));
        match self.kind {
            Kind::Sqlite => {
                let mut connection = SqliteConnection::connect(&format!("{}?mode=rwc", self.url)).await?;
                sqlx::raw_sql(sql).execute(&mut connection).await?;
            }
            Kind::Postgres => {
                let mut connection = PgConnection::connect(&self.url).await?;
                sqlx::raw_sql(sql).execute(&mut connection).await?;
            }
            Kind::MySql => {
                let mut connection = MySqlConnection::connect(&self.url).await?;
                sqlx::raw_sql(sql).execute(&mut connection).await?;
            }
        }
        Ok(())
    }

    /// The one number that a query answers.
    pub(crate) async fn number(&self, sql: &str) -> i64 {
        let sql = AssertSqlSafe(sql.replace("{t}", &self.table));
        match self.kind {
            Kind::Sqlite => {
                let mut connection = SqliteConnection::connect(&self.url).await.unwrap();
                sqlx::query_scalar(sql).fetch_one(&mut connection).await.unwrap()
            }
            Kind::Postgres => {
                let mut connection = PgConnection::connect(&self.url).await.unwrap();
                sqlx::query_scalar(sql).fetch_one(&mut connection).await.unwrap()
            }
            Kind::MySql => {
                let mut connection = MySqlConnection::connect(&self.url).await.unwrap();
                sqlx::query_scalar(sql).fetch_one(&mut connection).await.unwrap()
            }
        }
    }
}

pub(crate) fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

/// An entry that expires an hour after the beginning.
pub(crate) fn entry(bytes: impl AsRef<[u8]>) -> Entry {
    Entry::new(bytes.as_ref(), at(START + 3_600))
}

pub(crate) async fn create(store: &SqlStore, key: &StoreKey, entry: Entry) -> Version {
    stored(store.write(key, entry, Expect::Absent).await.unwrap())
}

pub(crate) fn stored(written: Written) -> Version {
    match written {
        Written::Stored(version) => version,
        Written::Conflict => panic!("conflict"),
    }
}

/// The bytes of a record.
pub(crate) async fn load(store: &SqlStore, key: &StoreKey) -> Option<Vec<u8>> {
    store.load(key).await.unwrap().map(|stored| stored.bytes.to_vec())
}

/// An error with all its causes, as a log shows it.
pub(crate) fn told(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = format!("{error} {error:?}");
    let mut cause = error.source();
    while let Some(error) = cause {
        text += &format!(": {error}");
        cause = error.source();
    }
    text
}

pub(crate) fn all_told(errors: &[StoreError]) -> String {
    errors.iter().map(|error| told(error)).collect::<Vec<_>>().join("\n")
}

/// How often to repeat something: `SESSION_CONFORMANCE_SCALE` times the short form.
pub(crate) fn scale(short: u64) -> u64 {
    let factor = std::env::var("SESSION_CONFORMANCE_SCALE").map_or(1, |factor| factor.parse().unwrap());
    short * factor
}

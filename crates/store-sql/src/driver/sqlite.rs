//! SQLite: a file, or memory.

use std::time::Duration;

use session_core::StoreErrorKind;
use sqlx::{
    Sqlite,
    error::DatabaseError,
    query::Query,
    sqlite::{SqliteArguments, SqliteConnectOptions, SqliteRow},
};

use crate::{
    driver::{Driver, Sql, Statement, Trouble, Value, cells, padded, run_by_sqlx},
    parts::{Part, SCHEMA},
    statements::{Spelling, Statements},
    table::Table,
};

impl Driver for Sqlite {
    type Settings = SqliteConnectOptions;

    const STORE: &'static str = "sqlite";

    fn statements(table: &Table) -> Statements {
        let spelling = Spelling { quote: '"', numbered: false, on_conflict: true, lists: false };
        Statements::new(table, &spelling)
    }

    fn parts(table: &Table) -> Vec<Part> {
        let (t, schema) = (table.records(), table.schema());
        let (by_expiry, by_principal) = (table.by_expiry(), table.by_principal());
        let find = |kind: &str, name: &str| {
            format!(
                "SELECT 1 FROM sqlite_master WHERE type = '{kind}' AND name = '{name}' AND tbl_name IS NOT NULL"
            )
        };
        vec![
            Part::new(
                &schema,
                find("table", &schema),
                format!("CREATE TABLE IF NOT EXISTS \"{schema}\" (version INTEGER PRIMARY KEY) STRICT"),
                Some(format!("DROP TABLE IF EXISTS \"{schema}\"")),
            ),
            Part::new(
                "the version of the schema",
                format!("SELECT 1 FROM \"{schema}\" LIMIT 1"),
                format!("INSERT OR IGNORE INTO \"{schema}\" (version) VALUES ({SCHEMA})"),
                None,
            ),
            Part::new(
                t,
                find("table", t),
                format!(
                    "CREATE TABLE IF NOT EXISTS \"{t}\" (session_key BLOB NOT NULL PRIMARY KEY, record BLOB NOT NULL, \
                     expires_at INTEGER NOT NULL, version INTEGER NOT NULL, principal BLOB) STRICT"
                ),
                Some(format!("DROP TABLE IF EXISTS \"{t}\"")),
            ),
            Part::new(
                &by_expiry,
                find("index", &by_expiry),
                format!("CREATE INDEX IF NOT EXISTS \"{by_expiry}\" ON \"{t}\" (expires_at)"),
                None,
            ),
            Part::new(
                &by_principal,
                find("index", &by_principal),
                format!(
                    "CREATE INDEX IF NOT EXISTS \"{by_principal}\" ON \"{t}\" (principal, session_key) \
                     WHERE principal IS NOT NULL"
                ),
                None,
            ),
        ]
    }

    fn greeting(_: Duration) -> Option<Sql> {
        None
    }

    /// The log is written from its beginning again once all of it is in the file.
    fn relief() -> Option<Sql> {
        Some("PRAGMA wal_checkpoint(PASSIVE)".into())
    }

    /// By the result codes of SQLite (<https://www.sqlite.org/rescode.html>).
    fn trouble(error: &dyn DatabaseError) -> Trouble {
        let code: i32 = error.code().as_deref().and_then(|code: &str| code.parse().ok()).unwrap_or(0);
        match code & 0xff {
            BUSY | LOCKED | NOMEM => Trouble::Refused(StoreErrorKind::Overloaded),
            FULL => Trouble::Refused(StoreErrorKind::Full),
            CORRUPT | NOTADB => Trouble::Refused(StoreErrorKind::Corrupt),
            SCHEMA_CHANGED => Trouble::Again,
            // A commit whose fsync failed may be there after a crash or not.
            IOERR => Trouble::Lost,
            _ => Trouble::Refused(StoreErrorKind::Unavailable),
        }
    }

    /// It has no code of its own.
    fn lacks_a_table(error: &dyn DatabaseError) -> bool {
        error.message().starts_with("no such table")
    }

    fn what_is_missing(settings: &SqliteConnectOptions) -> Option<String> {
        let file = settings.get_filename();
        (!file.exists()).then(|| format!("the file {}", file.display()))
    }

    run_by_sqlx!();
}

cells!(SqliteRow);

const BUSY: i32 = 5;
const LOCKED: i32 = 6;
const NOMEM: i32 = 7;
const IOERR: i32 = 10;
const CORRUPT: i32 = 11;
const FULL: i32 = 13;
const SCHEMA_CHANGED: i32 = 17;
const NOTADB: i32 = 26;

fn bound(statement: Statement<'_>) -> Query<'static, Sqlite, SqliteArguments> {
    let mut query = sqlx::query::<Sqlite>(sqlx::AssertSqlSafe(statement.sql.clone()));
    for value in statement.values {
        query = match *value {
            Value::Bytes(bytes) => query.bind(bytes),
            Value::MaybeBytes(bytes) => query.bind(bytes),
            Value::Number(number) => query.bind(number),
            Value::List(items) => padded(items).fold(query, |query, item| query.bind(item)),
        };
    }
    query
}

//! What differs between the databases, and how a statement is run on any of them.

#[cfg(feature = "mysql")]
pub(crate) mod mysql;
#[cfg(feature = "postgres")]
pub(crate) mod postgres;
#[cfg(feature = "sqlite")]
pub(crate) mod sqlite;

use std::{future::Future, sync::Arc, time::Duration};

use session_core::StoreErrorKind;
use sqlx::{ConnectOptions, Connection, Database, error::DatabaseError};

use crate::{parts::Part, statements::Statements, table::Table};

/// One database.
pub(crate) trait Driver: Database {
    type Settings: ConnectOptions<Connection = Self::Connection> + Sync;

    /// The name in errors.
    const STORE: &'static str;

    /// How the statements are spelt.
    fn statements(table: &Table) -> Statements;

    /// What [`Environment`](session_core::Environment) makes, in the order in which it is made.
    fn parts(table: &Table) -> Vec<Part>;

    /// What to say to a connection of the store's own that was just opened.
    fn greeting(deadline: Duration) -> Option<Sql>;

    /// What may make room where there is none, without waiting for anybody.
    fn relief() -> Option<Sql>;

    /// What an error of the database means.
    fn trouble(error: &dyn DatabaseError) -> Trouble;

    /// Whether a table of the statement is not there.
    fn lacks_a_table(error: &dyn DatabaseError) -> bool;

    /// What cannot be there if it cannot be connected to, in words that tell more than the error.
    fn what_is_missing(_settings: &Self::Settings) -> Option<String> {
        None
    }

    /// Runs a statement and answers how many rows it met.
    fn count(
        connection: &mut Self::Connection,
        statement: Statement<'_>,
    ) -> impl Future<Output = sqlx::Result<u64>> + Send;

    /// Runs a query for at most one row.
    fn first<R: Columns>(
        connection: &mut Self::Connection,
        statement: Statement<'_>,
    ) -> impl Future<Output = sqlx::Result<Option<R>>> + Send;

    /// Runs a query.
    fn all<R: Columns>(
        connection: &mut Self::Connection,
        statement: Statement<'_>,
    ) -> impl Future<Output = sqlx::Result<Vec<R>>> + Send;

    /// Runs what the server should not prepare.
    fn raw(connection: &mut Self::Connection, sql: Sql) -> impl Future<Output = sqlx::Result<()>> + Send;
}

/// The text of a statement. Made of literals and checked names only.
pub(crate) type Sql = Arc<str>;

/// A statement and what is bound to it.
#[derive(Clone, Copy)]
pub(crate) struct Statement<'a> {
    pub(crate) sql: &'a Sql,
    pub(crate) values: &'a [Value<'a>],
}

/// A value of a parameter.
#[derive(Clone, Copy)]
pub(crate) enum Value<'a> {
    Bytes(&'a [u8]),
    MaybeBytes(Option<&'a [u8]>),
    Number(i64),
    /// As one parameter where the database has lists, else as [`BATCH`](crate::statements::BATCH) of them.
    List(&'a [Vec<u8>]),
}

/// What an error of a database means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// The statement was refused; nothing was changed.
    Refused(StoreErrorKind),
    /// The statement was refused because of another one at the same time; it may be tried again.
    Again,
    /// There is a record under this key.
    Duplicate,
    /// The connection is of no use any more, but the statement was refused.
    Unusable,
    /// The connection is of no use any more, and nobody knows what became of the statement.
    Lost,
}

impl Trouble {
    pub(crate) fn of<D: Driver>(error: &sqlx::Error) -> Self {
        match error {
            sqlx::Error::Database(error) => D::trouble(&**error),
            sqlx::Error::ColumnDecode { .. }
            | sqlx::Error::Decode(_)
            | sqlx::Error::ColumnIndexOutOfBounds { .. } => Self::Refused(StoreErrorKind::Corrupt),
            _ => Self::Lost,
        }
    }
}

/// A row of known columns.
pub(crate) trait Columns: Sized + Send {
    fn read<R: Cells>(row: &R) -> sqlx::Result<Self>;
}

/// The cells of a row, whatever the database.
pub(crate) trait Cells {
    fn bytes(&self, column: usize) -> sqlx::Result<Vec<u8>>;
    fn maybe_bytes(&self, column: usize) -> sqlx::Result<Option<Vec<u8>>>;
    fn number(&self, column: usize) -> sqlx::Result<i64>;
}

/// A record as it is kept.
pub(crate) struct Kept {
    pub(crate) record: Vec<u8>,
    pub(crate) expires_at: i64,
    pub(crate) version: i64,
}

impl Columns for Kept {
    fn read<R: Cells>(row: &R) -> sqlx::Result<Self> {
        Ok(Self { record: row.bytes(0)?, expires_at: row.number(1)?, version: row.number(2)? })
    }
}

/// Whether there is a row.
impl Columns for () {
    fn read<R: Cells>(_: &R) -> sqlx::Result<Self> {
        Ok(())
    }
}

impl Columns for Vec<u8> {
    fn read<R: Cells>(row: &R) -> sqlx::Result<Self> {
        row.bytes(0)
    }
}

impl Columns for i64 {
    fn read<R: Cells>(row: &R) -> sqlx::Result<Self> {
        row.number(0)
    }
}

/// The part of [`Driver`] that is the same for all but not generic in sqlx.
macro_rules! run_by_sqlx {
    () => {
        async fn count(
            connection: &mut Self::Connection,
            statement: $crate::driver::Statement<'_>,
        ) -> sqlx::Result<u64> {
            Ok(bound(statement).execute(connection).await?.rows_affected())
        }

        async fn first<R: $crate::driver::Columns>(
            connection: &mut Self::Connection,
            statement: $crate::driver::Statement<'_>,
        ) -> sqlx::Result<Option<R>> {
            let row = bound(statement).fetch_optional(connection).await?;
            row.map(|row| R::read(&row)).transpose()
        }

        async fn all<R: $crate::driver::Columns>(
            connection: &mut Self::Connection,
            statement: $crate::driver::Statement<'_>,
        ) -> sqlx::Result<Vec<R>> {
            let rows = bound(statement).fetch_all(connection).await?;
            rows.iter().map(|row| R::read(row)).collect()
        }

        async fn raw(connection: &mut Self::Connection, sql: $crate::driver::Sql) -> sqlx::Result<()> {
            sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(connection).await?;
            Ok(())
        }
    };
}

pub(crate) use run_by_sqlx;

/// How the cells of a row are read, for the row of one database.
macro_rules! cells {
    ($row:ty) => {
        impl $crate::driver::Cells for $row {
            fn bytes(&self, column: usize) -> sqlx::Result<Vec<u8>> {
                sqlx::Row::try_get(self, column)
            }

            fn maybe_bytes(&self, column: usize) -> sqlx::Result<Option<Vec<u8>>> {
                sqlx::Row::try_get(self, column)
            }

            fn number(&self, column: usize) -> sqlx::Result<i64> {
                sqlx::Row::try_get(self, column)
            }
        }
    };
}

pub(crate) use cells;

/// The items of a list and as many copies of the last as a statement without lists needs.
#[cfg(any(feature = "mysql", feature = "sqlite"))]
fn padded(items: &[Vec<u8>]) -> impl Iterator<Item = &[u8]> {
    let last = items.iter().next_back();
    items.iter().chain(last.into_iter().cycle()).map(Vec::as_slice).take(crate::statements::BATCH)
}

/// Ends a connection as the server expects it, without waiting.
pub(crate) fn say_goodbye<D: Driver>(connection: D::Connection) {
    tokio::spawn(async move {
        // A server that does not listen any more is left to find out by itself.
        let _ = tokio::time::timeout(FAREWELL, connection.close()).await;
    });
}

const FAREWELL: Duration = Duration::from_secs(1);

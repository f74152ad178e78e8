//! PostgreSQL.

use std::time::Duration;

use session_core::StoreErrorKind;
use sqlx::{
    Postgres,
    error::DatabaseError,
    postgres::{PgArguments, PgConnectOptions, PgRow},
    query::Query,
};

use crate::{
    driver::{Driver, Sql, Statement, Trouble, Value, cells, run_by_sqlx},
    parts::{Part, SCHEMA},
    statements::{Spelling, Statements},
    table::Table,
};

impl Driver for Postgres {
    type Settings = PgConnectOptions;

    const STORE: &'static str = "postgres";

    fn statements(table: &Table) -> Statements {
        let spelling = Spelling { quote: '"', numbered: true, on_conflict: true, lists: true };
        Statements::new(table, &spelling)
    }

    fn parts(table: &Table) -> Vec<Part> {
        let (t, schema) = (table.records(), table.schema());
        let (by_expiry, by_principal) = (table.by_expiry(), table.by_principal());
        let find_table = |name: &str| format!("SELECT 1 WHERE to_regclass('\"{name}\"') IS NOT NULL");
        let find_index = |name: &str| {
            format!(
                "SELECT 1 FROM pg_catalog.pg_index WHERE indexrelid = to_regclass('\"{name}\"') \
                 AND indrelid = to_regclass('\"{t}\"') AND indisvalid"
            )
        };
        vec![
            Part::new(
                &schema,
                find_table(&schema),
                format!("CREATE TABLE IF NOT EXISTS \"{schema}\" (version bigint PRIMARY KEY)"),
                Some(format!("DROP TABLE IF EXISTS \"{schema}\"")),
            ),
            Part::new(
                "the version of the schema",
                format!("SELECT 1 FROM \"{schema}\" LIMIT 1"),
                format!("INSERT INTO \"{schema}\" (version) VALUES ({SCHEMA}) ON CONFLICT DO NOTHING"),
                None,
            ),
            Part::new(
                t,
                find_table(t),
                format!(
                    "CREATE TABLE IF NOT EXISTS \"{t}\" (session_key bytea PRIMARY KEY, record bytea NOT NULL, \
                     expires_at bigint NOT NULL, version bigint NOT NULL, principal bytea)"
                ),
                Some(format!("DROP TABLE IF EXISTS \"{t}\"")),
            ),
            Part::new(
                &by_expiry,
                find_index(&by_expiry),
                format!("CREATE INDEX IF NOT EXISTS \"{by_expiry}\" ON \"{t}\" (expires_at)"),
                None,
            ),
            Part::new(
                &by_principal,
                find_index(&by_principal),
                format!(
                    "CREATE INDEX IF NOT EXISTS \"{by_principal}\" ON \"{t}\" (principal, session_key) \
                     WHERE principal IS NOT NULL"
                ),
                None,
            ),
        ]
    }

    /// Statements that nobody waits for any more end on the server too, and each sees what others have committed.
    fn greeting(deadline: Duration) -> Option<Sql> {
        let millis = deadline.as_millis().clamp(1, i32::MAX as u128);
        let greeting = format!(
            "SET statement_timeout = {millis}; SET default_transaction_isolation = 'read committed'; \
             SET default_transaction_read_only = off"
        );
        Some(greeting.into())
    }

    fn relief() -> Option<Sql> {
        None
    }

    /// By the SQLSTATE (<https://www.postgresql.org/docs/current/errcodes-appendix.html>).
    fn trouble(error: &dyn DatabaseError) -> Trouble {
        let code = error.code();
        let code = code.as_deref().unwrap_or_default();
        match code {
            // A serialization failure, a deadlock.
            "40001" | "40P01" => Trouble::Again,
            "53100" => Trouble::Refused(StoreErrorKind::Full),
            // The rest of the class of insufficient resources, and a lock not available.
            "53000" | "53200" | "53300" | "53400" | "55P03" => Trouble::Refused(StoreErrorKind::Overloaded),
            "XX001" | "XX002" => Trouble::Refused(StoreErrorKind::Corrupt),
            // A server that has become a standby; a prepared statement that the server has lost, or whose table has
            // changed.
            "25006" | "26000" | "0A000" => Trouble::Unusable,
            // The server shuts down, has crashed, or starts.
            "57P01" | "57P02" | "57P03" | "57P05" => Trouble::Lost,
            _ if code.starts_with("08") => Trouble::Lost,
            _ => Trouble::Refused(StoreErrorKind::Unavailable),
        }
    }

    fn lacks_a_table(error: &dyn DatabaseError) -> bool {
        error.code().as_deref() == Some("42P01")
    }

    run_by_sqlx!();
}

cells!(PgRow);

fn bound(statement: Statement<'_>) -> Query<'static, Postgres, PgArguments> {
    let mut query = sqlx::query::<Postgres>(sqlx::AssertSqlSafe(statement.sql.clone()));
    for value in statement.values {
        query = match *value {
            Value::Bytes(bytes) => query.bind(bytes),
            Value::MaybeBytes(bytes) => query.bind(bytes),
            Value::Number(number) => query.bind(number),
            Value::List(items) => query.bind(items),
        };
    }
    query
}

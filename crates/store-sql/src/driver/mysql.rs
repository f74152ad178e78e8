//! MySQL and MariaDB.

use std::time::Duration;

use session_core::StoreErrorKind;
use sqlx::{
    MySql,
    error::DatabaseError,
    mysql::{MySqlArguments, MySqlConnectOptions, MySqlDatabaseError, MySqlRow},
    query::Query,
};

use crate::{
    driver::{Driver, Sql, Statement, Trouble, Value, cells, padded, run_by_sqlx},
    parts::{Part, SCHEMA},
    statements::{Spelling, Statements},
    table::Table,
};

impl Driver for MySql {
    type Settings = MySqlConnectOptions;

    const STORE: &'static str = "mysql";

    fn statements(table: &Table) -> Statements {
        let spelling = Spelling { quote: '`', numbered: false, on_conflict: false, lists: false };
        Statements::new(table, &spelling)
    }

    fn parts(table: &Table) -> Vec<Part> {
        let (t, schema) = (table.records(), table.schema());
        let (by_expiry, by_principal) = (table.by_expiry(), table.by_principal());
        let find_table = |name: &str| {
            format!(
                "SELECT 1 FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = '{name}'"
            )
        };
        let find_index = |name: &str| {
            format!(
                "SELECT 1 FROM information_schema.statistics WHERE table_schema = DATABASE() AND table_name = '{t}' \
                 AND index_name = '{name}' LIMIT 1"
            )
        };
        vec![
            Part::new(
                &schema,
                find_table(&schema),
                format!(
                    "CREATE TABLE IF NOT EXISTS `{schema}` (version BIGINT NOT NULL PRIMARY KEY) ENGINE=InnoDB"
                ),
                Some(format!("DROP TABLE IF EXISTS `{schema}`")),
            ),
            Part::new(
                "the version of the schema",
                format!("SELECT 1 FROM `{schema}` LIMIT 1"),
                format!("INSERT INTO `{schema}` (version) VALUES ({SCHEMA})"),
                None,
            ),
            Part::new(
                t,
                find_table(t),
                format!(
                    "CREATE TABLE IF NOT EXISTS `{t}` (session_key BINARY(32) NOT NULL PRIMARY KEY, \
                     record MEDIUMBLOB NOT NULL, expires_at BIGINT NOT NULL, version BIGINT NOT NULL, \
                     principal BINARY(32), KEY `{by_expiry}` (expires_at), \
                     KEY `{by_principal}` (principal, session_key)) ENGINE=InnoDB ROW_FORMAT=DYNAMIC"
                ),
                Some(format!("DROP TABLE IF EXISTS `{t}`")),
            ),
            Part::new(
                &by_expiry,
                find_index(&by_expiry),
                format!("CREATE INDEX `{by_expiry}` ON `{t}` (expires_at)"),
                None,
            ),
            Part::new(
                &by_principal,
                find_index(&by_principal),
                format!("CREATE INDEX `{by_principal}` ON `{t}` (principal, session_key)"),
                None,
            ),
        ]
    }

    /// Statements that nobody waits for any more do not wait for locks either. Nothing is locked that is not there, so
    /// that writers and sweeps do not stand in each other's way.
    fn greeting(deadline: Duration) -> Option<Sql> {
        let seconds = deadline.as_secs().max(1);
        let greeting = format!(
            "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED; \
             SET SESSION innodb_lock_wait_timeout = {seconds}; SET SESSION autocommit = 1"
        );
        Some(greeting.into())
    }

    fn relief() -> Option<Sql> {
        None
    }

    /// By the error number (<https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html>,
    /// <https://mariadb.com/kb/en/mariadb-error-code-reference/>).
    fn trouble(error: &dyn DatabaseError) -> Trouble {
        let number = error.try_downcast_ref::<MySqlDatabaseError>().map_or(0, MySqlDatabaseError::number);
        match number {
            1062 => Trouble::Duplicate,
            // A wait for a lock that was too long, a deadlock.
            1205 | 1213 => Trouble::Again,
            // The disk is full, the table is full.
            1021 | 1114 => Trouble::Refused(StoreErrorKind::Full),
            // Memory, connections.
            1037 | 1038 | 1040 | 1041 | 1203 | 1226 => Trouble::Refused(StoreErrorKind::Overloaded),
            // A damaged table or index.
            1034 | 1035 | 1194 | 1195 | 1712 => Trouble::Refused(StoreErrorKind::Corrupt),
            // A prepared statement that the server has lost; a server that takes no writes, as after a failover.
            1243 | 1615 | 1290 | 1792 | 1836 => Trouble::Unusable,
            // The server shuts down, or has ended the connection.
            1053 | 1077 | 1079 | 1080 | 1152 | 1158..=1161 | 1184 | 1927 | 4031 => Trouble::Lost,
            _ => Trouble::Refused(StoreErrorKind::Unavailable),
        }
    }

    fn lacks_a_table(error: &dyn DatabaseError) -> bool {
        error.try_downcast_ref::<MySqlDatabaseError>().is_some_and(|error| error.number() == 1146)
    }

    run_by_sqlx!();
}

cells!(MySqlRow);

fn bound(statement: Statement<'_>) -> Query<'static, MySql, MySqlArguments> {
    let mut query = sqlx::query::<MySql>(sqlx::AssertSqlSafe(statement.sql.clone()));
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

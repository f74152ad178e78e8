//! The tables of the SQL store, as SQLite keeps them: their definitions and a row.

use std::{
    path::Path,
    time::{Duration, UNIX_EPOCH},
};

use serde_json::json;
use session_core::{Entry, Environment, Expect, PrincipalIndex, PrincipalKey, Store, StoreKey, Written};
use session_golden::{Corpus, Sample};
use session_store_sql::SqlStore;
use sqlx::{AssertSqlSafe, Connection, Row, SqliteConnection};

use crate::world::{NOW, millis};

/// The version of the schema, as its table says it.
const FORMAT: u32 = 1;

async fn open(path: &Path) -> SqlStore {
    SqlStore::builder().connect(&url(path)).await.unwrap()
}

fn url(path: &Path) -> String {
    format!("sqlite:{}", path.display())
}

async fn connect(path: &Path) -> SqliteConnection {
    SqliteConnection::connect(&format!("{}?mode=rwc", url(path))).await.unwrap()
}

fn sample() -> (StoreKey, Entry) {
    let expires_at = UNIX_EPOCH + Duration::from_secs(NOW * 2);
    let ann = PrincipalKey::from_bytes([0x0a; 32]);
    (StoreKey::from_bytes([0xcd; 32]), Entry::new("of ann", expires_at).with_principal(ann))
}

#[tokio::test]
async fn rows_are_written_as_before() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sessions.db");
    let (key, entry) = sample();
    let store = open(&path).await;
    assert!(matches!(store.write(&key, entry, Expect::Absent).await, Ok(Written::Stored(_))));
    let mut connection = connect(&path).await;
    let definitions: Vec<String> =
        sqlx::query_scalar("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY rootpage")
            .fetch_all(&mut connection)
            .await
            .unwrap();
    let schema: i64 = sqlx::query_scalar(AssertSqlSafe(format!(
        "SELECT version FROM \"{}\"",
        table(&definitions, "schema")
    )))
    .fetch_one(&mut connection)
    .await
    .unwrap();
    assert_eq!(schema, i64::from(FORMAT));
    let row = sqlx::query(AssertSqlSafe(format!(
        "SELECT session_key, record, expires_at, typeof(version), principal FROM \"{}\"",
        records(&definitions)
    )))
    .fetch_one(&mut connection)
    .await
    .unwrap();
    assert_eq!(row.get::<String, _>(3), "integer");
    let sample = Sample {
        key: session_golden::hex(row.get::<Vec<u8>, _>(0)),
        written: session_golden::hex(row.get::<Vec<u8>, _>(1)),
        expires_at: Some(u64::try_from(row.get::<i64, _>(2)).unwrap()),
        principal: Some(session_golden::hex(row.get::<Vec<u8>, _>(4))),
        id: None,
        means: json!({ "definitions": definitions }),
    };
    session_golden::compare("sqlite", FORMAT, &Corpus::from([("row".to_owned(), sample)]));
}

#[tokio::test]
async fn rows_of_every_schema_are_read() {
    for corpus in session_golden::all::<Sample>("sqlite") {
        let folder = tempfile::tempdir().unwrap();
        let path = laid_out(folder.path(), &corpus["row"], i64::from(FORMAT)).await;
        let store = open(&path).await;
        store.check().await.unwrap();
        let (key, entry) = sample();
        let stored = store.load(&key).await.unwrap().unwrap();
        assert_eq!((stored.bytes, stored.expires_at), (entry.bytes.clone(), entry.expires_at));
        assert_eq!(store.keys_of(&entry.principal.unwrap(), None, 10).await.unwrap(), [key]);
        let written = store.write(&key, entry, Expect::Version(stored.version)).await.unwrap();
        assert!(matches!(written, Written::Stored(_)));
    }
}

/// Tables of a later version are refused when the store is opened, and nothing in them is changed.
#[tokio::test]
async fn tables_of_a_newer_schema_are_an_error_and_stay() {
    let corpus = session_golden::all::<Sample>("sqlite").pop().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = laid_out(folder.path(), &corpus["row"], i64::from(FORMAT) + 1).await;
    let refused = SqlStore::builder().connect(&url(&path)).await;
    assert!(refused.is_err(), "tables of a newer schema are used");
    let mut connection = connect(&path).await;
    let left: Vec<u8> = sqlx::query_scalar(AssertSqlSafe(format!(
        "SELECT record FROM \"{}\"",
        records(&definitions(&corpus["row"]))
    )))
    .fetch_one(&mut connection)
    .await
    .unwrap();
    assert_eq!(session_golden::hex(left), corpus["row"].written);
}

/// A database with the tables and the row of a sample.
async fn laid_out(folder: &Path, sample: &Sample, schema: i64) -> std::path::PathBuf {
    let path = folder.join("sessions.db");
    let mut connection = connect(&path).await;
    let definitions = definitions(sample);
    for definition in &definitions {
        sqlx::raw_sql(AssertSqlSafe(definition.clone())).execute(&mut connection).await.unwrap();
    }
    let sql = format!("INSERT INTO \"{}\" (version) VALUES ({schema})", table(&definitions, "schema"));
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
    let sql = format!(
        "INSERT INTO \"{}\" (session_key, record, expires_at, version, principal) VALUES (x'{}', x'{}', {}, 7, x'{}')",
        records(&definitions),
        sample.key,
        sample.written,
        sample.expires_at.unwrap(),
        sample.principal.as_ref().unwrap(),
    );
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    assert_eq!(sample.expires_at, Some(millis(self::sample().1.expires_at)));
    path
}

fn definitions(sample: &Sample) -> Vec<String> {
    serde_json::from_value(sample.means["definitions"].clone()).unwrap()
}

/// The table with the records.
fn records(definitions: &[String]) -> String {
    named(definitions, |definition| definition.contains("session_key BLOB"))
}

fn table(definitions: &[String], part: &str) -> String {
    named(definitions, |definition| {
        definition.starts_with("CREATE TABLE")
            && definition.contains(part)
            && !definition.contains("session_key")
    })
}

fn named(definitions: &[String], is_it: impl Fn(&String) -> bool) -> String {
    let definition = definitions.iter().find(|definition| is_it(definition)).unwrap();
    definition.split('"').nth(1).unwrap().to_owned()
}

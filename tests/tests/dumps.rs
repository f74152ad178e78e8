//! Who takes everything that a store has put on a disk, into a log or into a backup finds no id in it: not as text, not as
//! the bytes it spells, and not as the digits in which a database writes bytes.

#![allow(clippy::expect_used, clippy::panic, reason = "helpers of tests fail the test")]

use std::{
    collections::HashSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

use data_encoding::{BASE64URL_NOPAD, HEXLOWER, HEXUPPER};
use http::{HeaderMap, Request, StatusCode, header};
use session_core::{Opened, RequestHead, Session, SessionManager, Store};
use session_store_file::FileStore;
use session_store_redis::RedisStore;
use session_store_sql::SqlStore;
use session_test_servers::{MariadbRecipe, PostgresRecipe, RedisServer, StartError, find};

#[tokio::test]
async fn no_id_is_in_the_files_of_the_file_store() {
    // Shows: A5
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path().join("sessions");
    let ids = live(FileStore::builder(&root).open().expect("a store")).await;
    tells_none(&ids, &everything_in(&root));
}

#[tokio::test]
async fn no_id_is_in_the_files_of_sqlite() {
    // Shows: A5
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("sqlite:{}", folder.path().join("sessions.db").display());
    let ids = live(SqlStore::builder().connect(&url).await.expect("a store")).await;
    tells_none(&ids, &everything_in(folder.path()));
}

/// Whose log has every command that it was ever sent.
#[tokio::test]
async fn no_id_is_in_the_files_of_redis() {
    // Shows: A5
    let Some(server) = started(RedisServer::durable()) else { return };
    let ids = live(RedisStore::builder(server.url()).build().expect("a store")).await;
    tells_none(&ids, &everything_in(&server.data()));
}

/// Its tables and its log of changes, what it logs of every statement, and what `pg_dump` makes of it.
#[tokio::test]
async fn no_id_is_in_what_postgres_writes() {
    // Shows: A5
    let Some(server) = started(PostgresRecipe::default().set("log_statement", "all").start()) else { return };
    let ids = live(SqlStore::connect(&server.url()).await.expect("a store")).await;
    if let Some(mut dump) = program("pg_dump", "postgresql-client") {
        dump.args(["--host=127.0.0.1", "--username=session", "--no-password", "postgres"]);
        tells_none(&ids, &output(dump.arg(format!("--port={}", server.port()))));
    }
    server.stop().expect("an end");
    tells_none(&ids, &everything_in(&server.data()));
    let log = server.data().with_file_name("log");
    tells_none(&ids, &fs::read(log).expect("a log"));
}

/// Its tables, its logs of changes, of every statement and for replicas, and what `mariadb-dump` makes of it.
#[tokio::test]
async fn no_id_is_in_what_mariadb_writes() {
    // Shows: A5
    let recipe = MariadbRecipe::default().set("log-bin", "changes").set("general-log-file", "statements");
    let Some(server) = started(recipe.set("general-log", "ON").start()) else { return };
    let ids = live(SqlStore::connect(&server.url()).await.expect("a store")).await;
    if let Some(mut dump) = program("mariadb-dump", "mariadb-client") {
        dump.args(["--no-defaults", "--host=127.0.0.1", "--user=session", "--hex-blob", "session"]);
        tells_none(&ids, &output(dump.arg(format!("--port={}", server.port()))));
    }
    server.stop().expect("an end");
    tells_none(&ids, &everything_in(&server.data()));
    for file in ["statements", "changes.000001"] {
        tells_none(&ids, &fs::read(server.data().join(file)).expect("a log"));
    }
}

fn started<S>(server: Result<S, StartError>) -> Option<S> {
    match server {
        Ok(server) => Some(server),
        Err(error) if error.is_missing() => {
            session_conformance::skip(error);
            None
        }
        Err(error) => panic!("{error}"),
    }
}

fn program(name: &'static str, package: &'static str) -> Option<Command> {
    match find(name, package) {
        Ok(path) => Some(Command::new(path)),
        Err(missing) => {
            session_conformance::skip(missing);
            None
        }
    }
}

fn output(command: &mut Command) -> Vec<u8> {
    let done = command.output().expect("a program that runs");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    done.stdout
}

/// Sessions that start, sign in, renew, sign out and end. Answers every id that there was.
async fn live(store: impl Store) -> Vec<String> {
    let manager = SessionManager::builder(Arc::new(store)).build().expect("a manager");
    let mut ids = Vec::new();
    for user in 0..20 {
        let mut cookie = String::new();
        let steps: [&(dyn Fn(&Session) + Sync); 5] = [
            &|session| session.insert(MARK, user).expect("a value"),
            &|session| session.authenticate(&format!("{MARK} {user}")).expect("a login"),
            &|session| session.renew().expect("another id"),
            &|session| drop(session.csrf_token().expect("a token")),
            &|session| session.deauthenticate().expect("a logout"),
        ];
        for step in steps {
            if let Some(id) = request(&manager, &cookie, step).await {
                cookie = format!("__Host-id={id}");
                ids.push(id);
            }
        }
        if user % 2 == 0 {
            request(&manager, &cookie, &|session| session.destroy().expect("an end")).await;
        }
    }
    assert!(ids.len() >= 80, "{} ids", ids.len());
    ids
}

/// What is to be found, or nothing was looked at.
const MARK: &str = "mark-of-this-test";

/// One request. Answers the id that its client is told.
async fn request(manager: &SessionManager, cookie: &str, step: &(dyn Fn(&Session) + Sync)) -> Option<String> {
    let request = Request::builder().header(header::COOKIE, cookie).body(()).expect("a request");
    let Opened::Continue(lazy) = manager.open(&RequestHead::from(&request)).await else { return None };
    step(&lazy.load().await.expect("a session"));
    let mut fields = HeaderMap::new();
    manager.close(lazy, StatusCode::OK).await.expect("an end of the request").apply(&mut fields);
    let field = fields.get(header::SET_COOKIE)?.to_str().expect("text");
    field.split(['=', ';']).nth(1).filter(|id| !id.is_empty()).map(str::to_owned)
}

fn tells_none(ids: &[String], kept: &[u8]) {
    let marks = spellings(MARK.as_bytes());
    let is_there = marks.iter().any(|mark| memchr::memmem::find(kept, mark).is_some());
    assert!(is_there, "nothing of the sessions is in {} bytes", kept.len());
    assert!(!tells_one(ids, kept), "a part of an id is in what is kept");
}

/// Whether a quarter of one of these ids is there. In one pass: a search for each takes a minute where nothing is optimized.
fn tells_one(ids: &[String], kept: &[u8]) -> bool {
    let mut traces = HashSet::new();
    for id in ids {
        let bytes = BASE64URL_NOPAD.decode(id.as_bytes()).expect("an id");
        for part in [&id.as_bytes()[..16], &id.as_bytes()[16..], &bytes[..12], &bytes[12..]] {
            traces.extend(spellings(part).map(|trace| trace[..TRACE].to_vec()));
        }
    }
    let mut begins = vec![false; 1 << 16];
    let start = |trace: &[u8]| usize::from(trace[0]) << 8 | usize::from(trace[1]);
    traces.iter().for_each(|trace| begins[start(trace)] = true);
    kept.windows(TRACE).any(|window| begins[start(window)] && traces.contains(window))
}

#[test]
fn an_id_is_found_in_every_spelling() {
    let ids = ["AAECAwQFBgcICQoLDA0ODxAREhMUFRYX".to_owned(), "x".repeat(32)];
    let bytes: Vec<u8> = (0..24).collect();
    for told in [ids[0].as_bytes(), &ids[0].as_bytes()[16..], &bytes[..], &bytes[12..]] {
        for told in spellings(told) {
            assert!(tells_one(&ids, &[b"before", &told[..], b"behind"].concat()));
        }
    }
    assert!(!tells_one(&ids, &bytes[1..12]));
}

/// Bytes as they are, and as hexadecimal digits.
fn spellings(bytes: &[u8]) -> [Vec<u8>; 3] {
    [bytes.to_vec(), HEXLOWER.encode(bytes).into_bytes(), HEXUPPER.encode(bytes).into_bytes()]
}

/// How much of an id is a trace of it.
const TRACE: usize = 12;

/// Names and contents of everything below a folder, without what is empty in it.
fn everything_in(folder: &Path) -> Vec<u8> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path: PathBuf = entry.expect("an entry").path();
        all.extend(path.display().to_string().into_bytes());
        if path.is_dir() {
            all.extend(everything_in(&path));
        } else {
            let content = fs::read(&path).unwrap_or_default();
            let blocks = content.chunks(BLOCK).filter(|block| block.iter().any(|byte| *byte != 0));
            all.extend(blocks.flatten());
        }
    }
    all
}

/// Databases reserve megabytes of zeros.
const BLOCK: usize = 4_096;

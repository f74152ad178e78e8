//! Who takes everything that a store has put on a disk finds no id in it: not as text, and not as the bytes it spells.

#![allow(clippy::expect_used, clippy::panic, reason = "helpers of tests fail the test")]

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use data_encoding::BASE64URL_NOPAD;
use http::{HeaderMap, Request, StatusCode, header};
use session_core::{Opened, RequestHead, Session, SessionManager, Store};
use session_store_file::FileStore;
use session_store_redis::RedisStore;
use session_store_sql::SqlStore;
use session_test_servers::RedisServer;

#[tokio::test]
async fn no_id_is_in_the_files_of_the_file_store() {
    // Shows: A5
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path().join("sessions");
    let ids = live(FileStore::builder(&root).open().expect("a store")).await;
    tells_none(&ids, &root);
}

#[tokio::test]
async fn no_id_is_in_the_files_of_sqlite() {
    // Shows: A5
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("sqlite:{}", folder.path().join("sessions.db").display());
    let ids = live(SqlStore::builder().connect(&url).await.expect("a store")).await;
    tells_none(&ids, folder.path());
}

/// Whose log has every command that it was ever sent.
#[tokio::test]
async fn no_id_is_in_the_files_of_redis() {
    // Shows: A5
    let server = match RedisServer::durable() {
        Ok(server) => server,
        Err(error) if error.is_missing() => return session_conformance::skip(error),
        Err(error) => panic!("{error}"),
    };
    let ids = live(RedisStore::builder(server.url()).build().expect("a store")).await;
    tells_none(&ids, &server.data());
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

fn tells_none(ids: &[String], folder: &Path) {
    let mut seen = Vec::new();
    read(folder, &mut seen);
    let all = seen.concat();
    let holds = |trace: &[u8]| memchr::memmem::find(&all, trace).is_some();
    assert!(holds(MARK.as_bytes()), "nothing of the sessions is in {} bytes", all.len());
    for id in ids {
        let bytes = BASE64URL_NOPAD.decode(id.as_bytes()).expect("an id");
        for trace in [id.as_bytes(), &id.as_bytes()[..16], &bytes, &bytes[..12]] {
            assert!(!holds(trace), "a part of an id is in what is kept");
        }
    }
}

/// Names and contents of everything below a folder.
fn read(folder: &Path, seen: &mut Vec<Vec<u8>>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path: PathBuf = entry.expect("an entry").path();
        seen.push(path.display().to_string().into_bytes());
        if path.is_dir() {
            read(&path, seen);
        } else {
            seen.push(fs::read(&path).unwrap_or_default());
        }
    }
}

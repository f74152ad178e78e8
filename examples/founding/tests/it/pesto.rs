//! Pesto's document.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    http::{Request, StatusCode},
};
use founding::pesto;
use session_core::{ManualClock, SessionConfig, SessionManager, persist::CookieOptions};
use session_store_memory::MemoryStore;
use tempfile::TempDir;
use tokio::sync::{Semaphore, mpsc};

use crate::browser::{Browser, clock, files, store};

const ANN: [(&str, &str); 2] = [("username", "ann"), ("password", "basil")];

struct Site {
    folder: TempDir,
    clock: Arc<ManualClock>,
    sessions: SessionManager,
    app: Router,
}

fn site() -> Site {
    let (folder, clock) = (tempfile::tempdir().unwrap(), clock());
    let sessions = pesto::sessions(store(&folder, &clock)).clock(clock.clone()).build().unwrap();
    Site { app: pesto::app(sessions.clone()), folder, clock, sessions }
}

impl Site {
    fn files(&self) -> usize {
        files(&self.folder.path().join("sessions"))
    }
}

fn in_queries() -> Site {
    let (folder, clock) = (tempfile::tempdir().unwrap(), clock());
    let sessions = pesto::sessions_in_queries(store(&folder, &clock)).unwrap();
    let sessions = sessions.clock(clock.clone()).build().unwrap();
    Site { app: pesto::app(sessions.clone()), folder, clock, sessions }
}

#[tokio::test]
async fn who_logs_in_is_welcome_in_the_secure_area() {
    let site = site();
    let mut ann = Browser::new(&site.app);
    assert_eq!(ann.get("/secure-area").await.location("/"), "/login");
    let wrong = ann.post("/login", &[("username", "ann"), ("password", "wrong")]).await;
    assert_eq!(wrong.status, StatusCode::FORBIDDEN);
    assert_eq!(ann.get("/secure-area").await.location("/"), "/login");
    assert_eq!(ann.post("/login", &ANN).await.location("/"), "/secure-area");
    for _ in 0..10 {
        assert_eq!(ann.get("/secure-area").await.text, "Welcome to the secure area, ann");
    }
    let mut ben = Browser::new(&site.app);
    assert_eq!(ben.get("/secure-area").await.location("/"), "/login");
}

#[tokio::test]
async fn the_cookie_comes_with_the_first_thing_stored_and_once() {
    let site = site();
    let mut ann = Browser::new(&site.app);
    assert!(ann.get("/secure-area").await.cookies().is_empty());
    assert_eq!(site.files(), 0, "nothing is stored for a visitor who only looks");
    let login = ann.post("/login", &ANN).await;
    let [cookie] = login.cookies()[..] else { panic!("one cookie") };
    let (pair, attributes) = cookie.split_once("; ").unwrap();
    assert_eq!(pair.len(), "__Host-id=".len() + 32);
    assert_eq!(attributes, "Path=/; HttpOnly; Secure; SameSite=Lax");
    assert!(ann.get("/secure-area").await.cookies().is_empty());
    assert_eq!(site.files(), 1);
}

#[tokio::test]
async fn a_session_that_vanished_is_replaced_under_another_id() {
    let site = site();
    let mut ann = Browser::new(&site.app);
    ann.post("/login", &ANN).await;
    let before = ann.jar.clone();
    site.clock.advance(Duration::from_secs(1_800));
    assert_eq!(ann.get("/secure-area").await.location("/"), "/login");
    ann.post("/login", &ANN).await;
    assert_ne!(ann.jar, before);
}

#[tokio::test]
async fn sessions_unused_for_1800_s_are_refused_whether_purged_or_not() {
    let site = site();
    let mut ann = Browser::new(&site.app);
    ann.post("/login", &ANN).await;
    for _ in 0..5 {
        site.clock.advance(Duration::from_secs(1_799));
        assert_eq!(ann.get("/secure-area").await.status, StatusCode::OK, "use keeps it alive");
    }
    site.clock.advance(Duration::from_secs(1_800));
    assert_eq!(ann.get("/secure-area").await.location("/"), "/login");
}

#[tokio::test]
async fn every_600_s_a_purge_deletes_those_older_than_1800_s() {
    let site = site();
    Browser::new(&site.app).post("/login", &ANN).await;
    let mut ann = Browser::new(&site.app);
    ann.post("/login", &ANN).await;
    assert_eq!(site.files(), 2);

    // A `sleep` that tells how long it was to be, and ends when the test says so.
    let (asleep, mut slept) = mpsc::unbounded_channel();
    let wake = Arc::new(Semaphore::new(0));
    let sleeper = (site.sessions.clone(), wake.clone());
    let purging = tokio::spawn(async move {
        let (sessions, wake) = sleeper;
        let sleep = |time| {
            asleep.send(time).unwrap();
            let wake = wake.clone();
            async move { wake.acquire_owned().await.unwrap().forget() }
        };
        sessions.sweep_forever(sleep).await;
    });
    assert_eq!(slept.recv().await, Some(Duration::from_secs(600)));
    for (purge, left) in [(1, 2), (2, 2), (3, 2), (4, 1), (5, 1), (6, 0)] {
        site.clock.advance(Duration::from_secs(600));
        if purge <= 2 {
            ann.get("/secure-area").await;
        }
        wake.add_permits(1);
        // The next sleep begins when the purge is over; a budget may have cut it short before.
        while slept.recv().await != Some(Duration::from_secs(600)) {
            wake.add_permits(1);
        }
        assert_eq!(site.files(), left, "after {purge} purges");
    }
    purging.abort();
}

#[cfg(unix)]
#[tokio::test]
async fn other_users_cannot_read_the_files() {
    use std::os::unix::fs::PermissionsExt as _;

    let site = site();
    Browser::new(&site.app).post("/login", &ANN).await;
    let mut folders = vec![site.folder.path().join("sessions")];
    while let Some(folder) = folders.pop() {
        assert_eq!(folder.metadata().unwrap().permissions().mode() & 0o777, 0o700);
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
            }
        }
    }
}

#[tokio::test]
async fn sessions_in_memory_are_not_shared_and_those_in_files_are() {
    let memory = || pesto::app(SessionManager::builder(MemoryStore::new()).build().unwrap());
    let mut ann = Browser::new(&memory());
    ann.post("/login", &ANN).await;
    let mut elsewhere = Browser::new(&memory());
    elsewhere.jar = ann.jar;
    assert_eq!(elsewhere.get("/secure-area").await.location("/"), "/login");

    let site = site();
    let mut ann = Browser::new(&site.app);
    ann.post("/login", &ANN).await;
    let other = pesto::sessions(store(&site.folder, &site.clock)).clock(site.clock.clone()).build().unwrap();
    let mut elsewhere = Browser::new(&Router::new().nest("/mounted", pesto::app(other)));
    elsewhere.jar = ann.jar;
    let page = elsewhere.get("/mounted/secure-area").await;
    assert_eq!(page.text, "Welcome to the secure area, ann");
}

#[tokio::test]
async fn path_and_domain_of_the_cookie_can_be_set() {
    for (path, domain, attributes) in [
        ("/", "", "; Path=/; HttpOnly"),
        ("/foo", "", "; Path=/foo; HttpOnly"),
        ("/", "example.com", "; Path=/; Domain=example.com; HttpOnly"),
        ("/", ".example.com", "; Path=/; Domain=example.com; HttpOnly"),
    ] {
        let (folder, clock) = (tempfile::tempdir().unwrap(), clock());
        let cookie = CookieOptions::default().with_name("__Secure-pesto").with_path(path).with_domain(domain);
        let sessions = pesto::sessions(store(&folder, &clock)).clock(clock).cookie(cookie).build().unwrap();
        let login = Browser::new(&pesto::app(sessions)).post("/login", &ANN).await;
        assert!(login.cookies()[0].contains(attributes), "{:?}", login.cookies());
    }
}

#[test]
fn only_known_ways_to_persist_are_taken() {
    for known in ["cookie", "query", "header"] {
        assert!(SessionConfig::from_pairs("", [("persist", known)]).is_ok());
    }
    assert_eq!(SessionConfig::from_pairs("", [("persist", "carrier")]).unwrap_err().field(), "persist");
}

#[tokio::test]
async fn a_get_without_an_id_is_redirected_to_a_fresh_one() {
    let site = in_queries();
    let mut ann = Browser::new(&site.app);
    let page = ann.get("/foo").await;
    assert_eq!(page.status, StatusCode::FOUND);
    let location = page.location("/foo");
    let (before, id) = location.split_at("/foo?pesto_session=".len());
    assert_eq!((before, id.len()), ("/foo?pesto_session=", 32));
    assert_eq!(ann.get(&location).await.text, "Whoa Nelly!");
    assert!(ann.jar.is_empty(), "no cookie");

    let again = ann.get("/foo").await.location("/foo");
    assert_ne!(again, location, "every visitor gets another one");
}

#[tokio::test]
async fn other_parameters_are_kept_and_stale_ids_dropped() {
    let site = in_queries();
    let mut ann = Browser::new(&site.app);
    let stale = "a".repeat(32);
    let uri = format!("/foo?x=1&pesto_session={stale}&y=%26&pesto_session=&xpesto_session={stale}");
    let location = ann.get(&uri).await.location("/foo");
    let start = format!("/foo?x=1&y=%26&xpesto_session={stale}&pesto_session=");
    assert!(location.starts_with(&start), "{location}");
    assert!(!location.ends_with(&stale));
}

#[tokio::test]
async fn a_post_without_an_id_is_not_redirected_and_learns_its_id_from_a_link() {
    let site = in_queries();
    let mut ann = Browser::new(&site.app);
    let login = ann.post("/login", &ANN).await;
    assert_eq!(login.status, StatusCode::SEE_OTHER);
    let secure_area = login.location("/login");
    assert!(secure_area.starts_with("/secure-area?pesto_session="), "{secure_area}");
    assert_eq!(ann.get(&secure_area).await.text, "Welcome to the secure area, ann");

    let head = ann.send(Request::head("/foo").body("".into()).unwrap()).await;
    assert_eq!(head.status, StatusCode::OK);
}

#[tokio::test]
async fn with_ids_in_links_a_login_replaces_the_id() {
    let site = in_queries();
    let mut ann = Browser::new(&site.app);
    let form = ann.get("/login").await.location("/login");
    let page = ann.get(&form).await;
    assert_eq!(page.field("referrer-policy"), Some("no-referrer"));
    assert_eq!(page.field("cache-control"), Some("no-store"));
    let action = page.text.split("action=\"").nth(1).unwrap().split('"').next().unwrap();
    assert_eq!(action, form, "the page's own link carries the id");
    let secure_area = ann.post(action, &ANN).await.location("/login");
    assert_eq!(ann.get(&secure_area).await.text, "Welcome to the secure area, ann");
    let old = form.replace("/login", "/secure-area");
    assert_eq!(ann.get(&old).await.status, StatusCode::FOUND, "the id from before is worth nothing");
}

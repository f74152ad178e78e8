//! PythonWeb's document.

use std::{sync::Arc, time::Duration};

use axum::{Router, http::StatusCode};
use founding::pythonweb;
use session_core::{ManualClock, SessionManager, Store as _, SweepRequest};
use tempfile::TempDir;

use crate::browser::{Browser, NOW, clock, files, store};

struct Site {
    folder: TempDir,
    clock: Arc<ManualClock>,
    sessions: SessionManager,
    app: Router,
}

fn site() -> Site {
    let (folder, clock) = (tempfile::tempdir().unwrap(), clock());
    let store = store(&folder, &clock);
    let sessions = pythonweb::sessions(store).clock(clock.clone()).build().unwrap();
    Site { app: pythonweb::app(sessions.clone()), folder, clock, sessions }
}

const PAGE: &str = "/session1";

#[tokio::test]
async fn every_visit_lets_the_session_live_5_s_longer() {
    let site = site();
    let mut visitor = Browser::new(&site.app);
    assert!(visitor.get(PAGE).await.text.contains("New Session Started"));
    for (visit, wait) in [8, 6, 5, 5, 4].into_iter().enumerate() {
        site.clock.advance(Duration::from_secs(wait));
        let page = visitor.get(PAGE).await;
        let expires = NOW + 10 + 5 * (visit as u64 + 1);
        assert!(page.text.contains(&format!("ExpireTime: {expires}<")), "{}", page.text);
    }
    // 28 s have passed; with five visits the session ends 35 s after it began.
    site.clock.advance(Duration::from_millis(6_999));
    assert!(visitor.get(PAGE).await.text.contains(&format!("ExpireTime: {}<", NOW + 40)));
    let before = visitor.jar.clone();
    site.clock.advance(Duration::from_millis(5_001));
    assert!(visitor.get(PAGE).await.text.contains("New Session Started"));
    assert_ne!(visitor.jar, before);
}

#[tokio::test]
async fn created_is_true_in_the_request_that_created_only() {
    let site = site();
    let mut visitor = Browser::new(&site.app);
    assert!(visitor.get(PAGE).await.text.contains("New Session Started"));
    assert!(visitor.get(PAGE).await.text.contains("Welcome back"));
    let mut other = Browser::new(&site.app);
    assert!(other.get(PAGE).await.text.contains("New Session Started"));
}

#[tokio::test]
async fn the_page_tells_keys_values_and_application_and_no_id() {
    let site = site();
    let mut visitor = Browser::new(&site.app);
    visitor.get(PAGE).await;
    let page = visitor.get(PAGE).await;
    for told in ["Store Keys: Variable1<", "Store App: testApp<", "Variable1: Python Rules!<"] {
        assert!(page.text.contains(told), "{}", page.text);
    }
    let id = &visitor.jar["__Host-id"];
    assert!(!page.text.contains(id), "the public name stands there instead");
    let name = page.text.split("Session: ").nth(1).unwrap().split('<').next().unwrap();
    let mut thief = Browser::new(&site.app);
    thief.jar.insert("__Host-id".into(), name.to_owned());
    assert!(thief.get(PAGE).await.text.contains("New Session Started"));
}

#[tokio::test]
async fn destroying_removes_record_and_cookie() {
    let site = site();
    let mut visitor = Browser::new(&site.app);
    visitor.get(PAGE).await;
    let stolen = visitor.jar.clone();
    let page = visitor.get("/session1?destroy=True").await;
    assert!(page.text.contains("Session Destroyed"));
    assert!(page.cookies()[0].starts_with("__Host-id=; Max-Age=0; Expires=Thu, 01 Jan 1970"));
    assert_eq!(files(&site.folder.path().join("sessions")), 0);
    visitor.jar = stolen;
    assert!(visitor.get(PAGE).await.text.contains("New Session Started"));
}

#[tokio::test]
async fn a_session_can_be_destroyed_without_cookie_headers() {
    let site = site();
    let mut visitor = Browser::new(&site.app);
    visitor.get(PAGE).await;
    let before = visitor.jar.clone();
    let page = visitor.get("/session1?destroy=WithoutCookieHeaders").await;
    assert!(page.text.contains("Session Destroyed"));
    assert!(page.cookies().is_empty());
    assert_eq!(visitor.jar, before, "the client goes on to present its id");
    assert_eq!(files(&site.folder.path().join("sessions")), 0);
    assert!(visitor.get(PAGE).await.text.contains("New Session Started"));
    assert_ne!(visitor.jar, before, "which is not used again");
}

#[tokio::test]
async fn nothing_is_stored_before_the_application_commits() {
    use axum::routing::get;
    use session_adapter_axum::{Session, SessionError, SessionLayer};

    async fn fails(session: Session) -> Result<StatusCode, SessionError> {
        session.namespace("testApp")?.insert("Variable1", "never committed")?;
        Ok(StatusCode::INTERNAL_SERVER_ERROR)
    }
    let site = site();
    let app = site
        .app
        .clone()
        .merge(Router::new().route("/fails", get(fails)).layer(SessionLayer::new(site.sessions.clone())));
    let mut visitor = Browser::new(&app);
    assert!(visitor.get("/fails").await.cookies().is_empty());
    visitor.get(PAGE).await;
    visitor.get("/fails").await;
    assert!(visitor.get(PAGE).await.text.contains("Variable1: Python Rules!"));
}

#[tokio::test]
async fn each_application_has_a_store_of_its_own_and_emptying_one_leaves_the_others() {
    use axum::routing::post;
    use session_adapter_axum::{Session, SessionError, SessionLayer};

    async fn other(session: Session) -> Result<String, SessionError> {
        let other = session.namespace("otherApp")?;
        let before = other.keys().len();
        other.insert("Variable1", "of the other application")?;
        session.save().await?;
        Ok(format!("{before} keys before"))
    }
    async fn empty(session: Session) -> Result<(), SessionError> {
        session.namespace("otherApp")?.clear()?;
        Ok(session.save().await?)
    }
    let site = site();
    let others = Router::new().route("/other", post(other)).route("/empty", post(empty));
    let app = site.app.clone().merge(others.layer(SessionLayer::new(site.sessions.clone())));
    let mut visitor = Browser::new(&app);
    visitor.get(PAGE).await;
    assert_eq!(visitor.post("/other", &[]).await.text, "0 keys before");
    assert!(visitor.get(PAGE).await.text.contains("Variable1: Python Rules!"), "the write did not land here");
    assert_eq!(visitor.post("/other", &[]).await.text, "1 keys before", "nor did it vanish");
    visitor.post("/empty", &[]).await;
    assert_eq!(visitor.post("/other", &[]).await.text, "0 keys before");
    assert!(visitor.get(PAGE).await.text.contains("Variable1: Python Rules!"));
}

#[tokio::test]
async fn setting_up_creates_what_is_missing_and_destroys_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(store(&folder, &clock()));
    let environment = store.as_environment().unwrap();
    let app = pythonweb::app(pythonweb::sessions(store.clone()).build().unwrap());
    let mut visitor = Browser::new(&app);
    visitor.get(PAGE).await;
    pythonweb::set_up_environment(&store).await.unwrap();
    assert!(visitor.get(PAGE).await.text.contains("Welcome back"), "a complete one is left alone");

    std::fs::remove_dir(folder.path().join("sessions/quarantine")).unwrap();
    assert_eq!(environment.check().await.unwrap_err().len(), 1);
    pythonweb::set_up_environment(&store).await.unwrap();
    environment.check().await.unwrap();
    assert!(visitor.get(PAGE).await.text.contains("Welcome back"), "and so is what is left of another");

    environment.drop().await.unwrap();
    assert!(!folder.path().join("sessions").exists());
    assert_eq!(visitor.get(PAGE).await.status, StatusCode::SERVICE_UNAVAILABLE);
    pythonweb::set_up_environment(&store).await.unwrap();
    assert!(visitor.get(PAGE).await.text.contains("New Session Started"));
}

#[tokio::test]
async fn a_cleanup_covers_a_range_of_expiry_times() {
    let site = site();
    for _ in 0..3 {
        Browser::new(&site.app).get(PAGE).await; // they end 10, 110 and 210 s after the beginning
        site.clock.advance(Duration::from_secs(100));
    }
    let root = site.folder.path().join("sessions");
    let at = |seconds| std::time::UNIX_EPOCH + Duration::from_secs(NOW + seconds);
    let middle = SweepRequest::before(at(200)).from(at(100));
    assert_eq!(site.sessions.sweep(middle).await.unwrap().removed, 1);
    assert_eq!(files(&root), 2);
    assert_eq!(site.sessions.sweep(SweepRequest::before(at(300))).await.unwrap().removed, 2);
    assert_eq!(files(&root), 0);
}

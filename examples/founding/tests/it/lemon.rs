//! lemon's document.

use std::{sync::Arc, time::Duration};

use axum::{Router, http::StatusCode};
use founding::lemon::{self, Auth};
use session_core::{ManualClock, SessionConfig, SessionManager, persist::CookieOptions};
use tempfile::TempDir;

use crate::browser::{Browser, NOW, clock, files, store};

struct Site {
    folder: TempDir,
    clock: Arc<ManualClock>,
    sessions: SessionManager,
}

fn site(cleanup: f64) -> Site {
    let (folder, clock) = (tempfile::tempdir().unwrap(), clock());
    let store = store(&folder, &clock);
    let sessions = lemon::sessions(store, CookieOptions::default(), cleanup).clock(clock.clone());
    Site { sessions: sessions.build().unwrap(), folder, clock }
}

impl Site {
    fn app(&self) -> Router {
        lemon::app(self.sessions.clone(), None)
    }

    fn files(&self) -> usize {
        files(&self.folder.path().join("sessions"))
    }
}

#[tokio::test]
async fn first_visit_welcome_back_and_destroy() {
    let site = site(0.0);
    let mut visitor = Browser::new(&site.app());
    assert!(visitor.get("/test").await.text.contains("This is your first visit"));
    for _ in 0..3 {
        let page = visitor.get("/test").await;
        assert!(page.text.contains("Welcome back") && page.text.contains("variable1: Python Rules!"));
    }
    assert!(visitor.get("/test?destroy=True").await.text.contains("Session Deleted"));
    assert!(visitor.jar.is_empty());
    assert_eq!(site.files(), 0);
    assert!(visitor.get("/test").await.text.contains("This is your first visit"));
}

#[tokio::test]
async fn applications_share_a_session_and_overwrite_nothing() {
    let site = site(0.0);
    let mut visitor = Browser::new(&site.app());
    visitor.get("/test").await;
    let page = visitor.get("/forum").await;
    assert!(page.text.contains("This is your first visit"), "its own variables");
    assert_eq!(visitor.jar.len(), 1, "of the same session");
    assert_eq!(site.files(), 1);
    visitor.post("/forum/set?key=variable1&value=Forums+rule", &[]).await;
    assert!(visitor.get("/forum").await.text.contains("variable1: Forums rule"));
    assert!(visitor.get("/test").await.text.contains("variable1: Python Rules!"));
}

#[tokio::test]
async fn a_reserved_name_is_out_of_reach_until_it_is_released() {
    let site = site(0.0);
    let app = lemon::app(site.sessions.clone(), Some(Auth::new(&site.sessions).unwrap()));
    let mut visitor = Browser::new(&app);
    visitor.get("/test").await;
    visitor.get("/test").await;
    let refused = visitor.post("/auth/set?key=accesses&value=1000000", &[]).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert!(refused.text.contains("\"auth\" is reserved"), "{}", refused.text);
    assert_eq!(visitor.get("/test/accesses").await.text, format!("started={NOW} accesses=2"));
    assert!(Auth::new(&site.sessions).is_err(), "one component holds it");
}

#[tokio::test]
async fn a_released_name_is_everybodys() {
    let site = site(0.0);
    let auth = Auth::new(&site.sessions).unwrap();
    let mut visitor = Browser::new(&site.app());
    assert_eq!(visitor.post("/auth/set?key=k&value=v", &[]).await.status, StatusCode::FORBIDDEN);
    auth.release(&site.sessions);
    assert_eq!(visitor.post("/auth/set?key=k&value=v", &[]).await.status, StatusCode::NO_CONTENT);
    assert!(Auth::new(&site.sessions).is_ok());
}

#[tokio::test]
async fn a_key_of_more_than_32_characters_is_refused() {
    let site = site(0.0);
    let mut visitor = Browser::new(&site.app());
    let set = |length| format!("/test/set?key={}&value=v", "k".repeat(length));
    assert_eq!(visitor.post(&set(32), &[]).await.status, StatusCode::NO_CONTENT);
    let refused = visitor.post(&set(33), &[]).await;
    assert_eq!(refused.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(refused.text, "bytes of a session key would be 33, allowed are 32");
}

#[tokio::test]
async fn names_of_applications_have_255_characters_at_most() {
    let site = site(0.0);
    let mut visitor = Browser::new(&site.app());
    let set = |length| format!("/{}/set?key=k&value=v", "a".repeat(length));
    assert_eq!(visitor.post(&set(255), &[]).await.status, StatusCode::NO_CONTENT);
    assert_eq!(visitor.post(&set(256), &[]).await.status, StatusCode::INTERNAL_SERVER_ERROR);
}

#[tokio::test]
async fn cleanup_1_always_cleans_and_0_never() {
    for (cleanup, left) in [(1.0, 1), (0.0, 4)] {
        let site = site(cleanup);
        for _ in 0..3 {
            Browser::new(&site.app()).get("/test").await;
        }
        assert_eq!(site.files(), 3);
        site.clock.advance(Duration::from_secs(1_441));
        Browser::new(&site.app()).get("/test").await;
        assert_eq!(site.files(), left, "cleanup {cleanup}");
    }
}

#[test]
fn cleanup_is_a_probability() {
    for wrong in [-0.1, 1.1, f64::NAN] {
        let store = founding::own_store::OwnStore::default();
        let error = lemon::sessions(store, CookieOptions::default(), wrong).build().unwrap_err();
        assert_eq!(error.field(), "sweep_probability");
    }
}

#[tokio::test]
async fn reaching_for_an_expired_session_destroys_it() {
    let site = site(0.0);
    let mut visitor = Browser::new(&site.app());
    visitor.get("/test").await;
    site.clock.advance(Duration::from_millis(1_439_999));
    assert!(visitor.get("/test").await.text.contains("Welcome back"));
    site.clock.advance(Duration::from_millis(1));
    let answer = visitor.get("/test/accesses").await;
    assert!(answer.cookies().is_empty());
    assert_eq!(site.files(), 0, "nothing was swept: reading was enough");
    assert!(visitor.get("/test").await.text.contains("This is your first visit"));
}

#[tokio::test]
async fn the_cookie_expires_when_it_likes() {
    let site = site(0.0);
    let mut visitor = Browser::new(&site.app());
    let page = visitor.get("/test").await;
    assert!(page.cookies()[0].contains("; Max-Age=1000; "), "{:?}", page.cookies());
    let kept = visitor.jar.clone();
    site.clock.advance(Duration::from_secs(1_001));
    visitor.jar.clear(); // as a browser does now
    assert!(visitor.get("/test").await.text.contains("This is your first visit"));
    visitor.jar = kept;
    assert!(visitor.get("/test").await.text.contains("Welcome back"), "the session outlives its cookie");
}

#[test]
fn settings_that_do_not_exist_are_named() {
    for key in ["cookie.comment", "cookie.version", "cookie.expires", "seed"] {
        assert_eq!(SessionConfig::from_pairs("", [(key, "1")]).unwrap_err().field(), key);
    }
}

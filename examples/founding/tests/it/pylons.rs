//! The document of Pylons and Beaker.

use axum::{
    Router,
    body::Body,
    http::{Request, StatusCode},
};
use founding::pylons;
use session_core::SavePolicy;
use tempfile::TempDir;

use crate::browser::{Browser, clock, files};

/// The application as a section of a new ini file configures it.
fn site(section: &str) -> (TempDir, Router) {
    let here = tempfile::tempdir().unwrap();
    let sessions = pylons::sessions(&pylons::make_config().unwrap(), section, here.path()).unwrap();
    let app = pylons::app(sessions.clock(clock()).build().unwrap());
    (here, app)
}

async fn log_in(browser: &mut Browser, password: &str) -> crate::browser::Page {
    let token = browser.get("/login").await.token();
    browser.post("/login", &[("csrf_token", &token), ("name", "ann"), ("password", password)]).await
}

#[tokio::test]
async fn login_and_logout_are_set_or_cleared_and_saved() {
    let (_here, app) = site("home");
    let mut ann = Browser::new(&app);
    assert_eq!(ann.get("/").await.location("/"), "/login");
    assert_eq!(log_in(&mut ann, "basil").await.location("/"), "/");
    let page = ann.get("/").await;
    assert!(page.text.contains("Welcome"), "{}", page.text);
    let signed_in = ann.jar.clone();
    assert_eq!(ann.post("/logout", &[("csrf_token", &page.token())]).await.location("/"), "/");
    assert_eq!(ann.get("/").await.location("/"), "/login");

    let mut thief = Browser::new(&app);
    thief.jar = signed_in;
    assert_eq!(
        thief.get("/keys").await.text,
        "failures=0 unsaved=false",
        "the id from before is worth nothing"
    );
    assert_eq!(thief.get("/").await.status, StatusCode::CONFLICT, "and no flash message is stored under it");
}

#[tokio::test]
async fn a_flash_message_is_shown_after_the_redirect_and_once() {
    let (_here, app) = site("home");
    let mut ann = Browser::new(&app);
    ann.get("/").await;
    ann.get("/").await;
    assert_eq!(ann.get("/login").await.text.matches("Please login").count(), 1);
    assert_eq!(log_in(&mut ann, "wrong").await.location("/"), "/login");
    assert!(ann.get("/login").await.text.contains("Invalid username/password"));
    log_in(&mut ann, "basil").await;
    assert!(ann.get("/").await.text.contains("Successfully logged in as ann"));
    assert!(!ann.get("/").await.text.contains("Successfully"));
}

#[tokio::test]
async fn nothing_is_loaded_before_it_is_asked_for() {
    let (here, app) = site("home");
    let mut ann = Browser::new(&app);
    log_in(&mut ann, "basil").await;
    std::fs::remove_dir_all(here.path().join("data")).unwrap();
    let page = ann.get("/about").await;
    assert_eq!((page.status, page.text.as_str()), (StatusCode::OK, "no session here"));
    assert!(page.cookies().is_empty() && page.field("vary").is_none());
}

#[tokio::test]
async fn without_save_nothing_is_stored() {
    let (here, app) = site("home");
    let mut ann = Browser::new(&app);
    log_in(&mut ann, "basil").await;
    assert_eq!(files(&here.path().join("data/sessions")), 2, "the session, and what is left of its first id");
    let ini = pylons::make_config().unwrap();
    assert_eq!(
        pylons::sessions(&ini, "home", here.path()).unwrap().build().unwrap().config().save,
        SavePolicy::Explicit
    );
    // The handler counts, saves, and then sets one key more.
    assert_eq!(ann.post("/broken", &[]).await.status, StatusCode::INTERNAL_SERVER_ERROR);
    let keys = ann.get("/keys").await.text;
    assert_eq!(keys, "failures=1 unsaved=false");
}

#[tokio::test]
async fn the_language_is_read_before_each_action() {
    let (_here, app) = site("home");
    let mut ann = Browser::new(&app);
    log_in(&mut ann, "basil").await;
    let page = ann.get("/").await;
    assert!(page.text.contains("<h1>Welcome</h1>"));
    let answer = ann.post("/lang", &[("csrf_token", &page.token()), ("lang", "de")]).await;
    assert_eq!(answer.text, "Willkommen");
    for _ in 0..3 {
        assert!(ann.get("/").await.text.contains("<h1>Willkommen</h1>"));
    }
}

#[tokio::test]
async fn a_form_without_its_token_is_403() {
    let (_here, app) = site("home");
    let mut ann = Browser::new(&app);
    log_in(&mut ann, "basil").await;
    let token = ann.get("/").await.token();
    let mut other = Browser::new(&app);
    let of_another = other.get("/login").await.token();
    for wrong in ["", "guess", &of_another] {
        let answer = ann.post("/lang", &[("csrf_token", wrong), ("lang", "de")]).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
    }
    assert_eq!(ann.post("/lang", &[("lang", "de")]).await.status, StatusCode::FORBIDDEN);
    assert!(ann.get("/").await.text.contains("<h1>Welcome</h1>"), "nothing was changed");
    assert_eq!(ann.post("/lang", &[("csrf_token", &token), ("lang", "de")]).await.status, StatusCode::OK);
}

#[tokio::test]
async fn cookie_only_sessions_are_valid_for_all_sub_domains_and_need_no_store() {
    let (here, app) = site("cookie-only");
    let mut ann = Browser::new(&app);
    let login = log_in(&mut ann, "basil").await;
    let [cookie] = login.cookies()[..] else { panic!("one cookie") };
    assert!(cookie.starts_with("__Secure-foo="));
    assert!(cookie.contains("; Domain=example.com; HttpOnly; Secure"), "{cookie}");
    assert!(ann.get("/").await.text.contains("Successfully logged in as ann"));
    assert_eq!(std::fs::read_dir(here.path()).unwrap().count(), 0);

    // Somebody else's server of the same settings has another secret.
    let mut elsewhere = Browser::new(&site("cookie-only").1);
    elsewhere.jar = ann.jar;
    assert_eq!(elsewhere.get("/").await.location("/"), "/login");
}

#[tokio::test]
async fn a_cookie_with_a_wrong_signature_is_a_new_visitor() {
    // Shows: A41
    let (_here, app) = site("home");
    let mut ann = Browser::new(&app);
    log_in(&mut ann, "basil").await;
    let (name, value) = ann.jar.pop_first().unwrap();
    assert_eq!(name, "__Host-foo");
    let (id, signature) = value.split_once('.').unwrap();
    for forged in [id.to_owned(), format!("{id}.{}", "A".repeat(signature.len()))] {
        let mut thief = Browser::new(&app);
        thief.jar.insert(name.clone(), forged);
        assert_eq!(thief.get("/").await.location("/"), "/login");
    }
}

#[test]
fn settings_come_from_the_section_of_an_ini_file() {
    let here = tempfile::tempdir().unwrap();
    let ini = pylons::make_config().unwrap();
    for section in ["home", "development", "cookie-only"] {
        pylons::sessions(&ini, section, here.path()).unwrap().build().unwrap();
    }
    assert!(here.path().join("data/sessions").is_dir());

    let wrong = |from: &str, to: &str| {
        let ini = ini.replace(from, to);
        let built = pylons::sessions(&ini, "home", here.path()).map(|builder| builder.build().map(drop));
        match built {
            Ok(built) => built.unwrap_err().to_string(),
            Err(error) => error.to_string(),
        }
    };
    assert!(wrong("session.save", "session.safe").starts_with("session.safe:"));
    assert!(wrong("= explicit", "= sometimes").starts_with("session.save:"));
    assert!(
        wrong("session.cookie.name = __Host-foo", "session.cookie.path = /x").starts_with("cookie.path:")
    );
    assert!(wrong("session.keys = ", "session.keys = not-base64url!").starts_with("session.keys:"));
    assert_eq!(wrong("[home]", "[house]"), "there is no such section");
}

#[test]
fn every_new_config_has_a_secret_of_its_own() {
    // Shows: A41
    let [one, other] = [(); 2].map(|()| pylons::make_config().unwrap());
    assert!(one != other && !one.contains("${secret}"));
}

#[tokio::test]
async fn the_cookie_survives_a_layer_that_replaces_the_response() {
    let (_here, app) = site("home");
    let mut ann = Browser::new(&app);
    let page = ann.post("/broken", &[]).await;
    assert_eq!(page.text, "Something went wrong. We are looking into it.");
    assert_eq!(page.cookies().len(), 1);
    ann.post("/broken", &[]).await;
    assert_eq!(ann.get("/keys").await.text, "failures=2 unsaved=false");
}

#[tokio::test]
async fn without_cookies_the_id_comes_from_a_function_and_is_handed_back() {
    let here = tempfile::tempdir().unwrap();
    let sessions = pylons::sessions(&pylons::make_config().unwrap(), "development", here.path()).unwrap();
    let app = pylons::api(pylons::without_cookies(sessions).build().unwrap());
    let client = |id: &str| Request::post("/fred").header("x-client", id).body(Body::empty()).unwrap();

    let mut ann = Browser::new(&app);
    let first = ann.post("/fred", &[]).await;
    assert!(first.cookies().is_empty());
    assert_eq!(first.text.len(), 32);
    assert_eq!(ann.send(client(&first.text)).await.text, "fred was Some(42)");

    let chosen = "a".repeat(32);
    let new = ann.send(client(&chosen)).await.text;
    assert!(new.len() == 32 && new != chosen, "an id that was not drawn here is not used");
    ann.jar.insert("foo".into(), first.text.clone());
    assert_eq!(ann.post("/fred", &[]).await.text.len(), 32, "a cookie is not read");
}

#[tokio::test]
async fn applications_under_one_layer_share_their_sessions() {
    let here = tempfile::tempdir().unwrap();
    let sessions = pylons::sessions(&pylons::make_config().unwrap(), "home", here.path()).unwrap();
    let mut ann = Browser::new(&pylons::composite(sessions.build().unwrap()));
    assert_eq!(ann.post("/", &[]).await.cookies().len(), 1);
    assert_eq!(ann.get("/servicebroker").await.text, "brokering for ann");
    assert!(ann.post("/proxy", &[]).await.cookies().is_empty(), "the same session");
    assert_eq!(ann.get("/proxy").await.text, "proxy of ann");
    assert_eq!(ann.get("/servicebroker").await.text, "brokering for ann");
}

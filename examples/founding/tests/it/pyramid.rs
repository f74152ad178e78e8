//! Pyramid's document.

use std::time::Duration;

use axum::{Router, http::StatusCode};
use founding::{own_store::OwnStore, pyramid};
use session_core::persist::{CookieOptions, KeyRing, SecretKey};

use crate::browser::{Browser, NOW, clock};

fn by_cookie() -> Router {
    let ring = KeyRing::new(SecretKey::generate().unwrap());
    let sessions = pyramid::signed_cookie_sessions(CookieOptions::default(), ring).unwrap();
    pyramid::app(sessions.clock(clock()).build().unwrap())
}

fn by_store() -> Router {
    pyramid::app(pyramid::stored_sessions(OwnStore::default()).clock(clock()).build().unwrap())
}

#[tokio::test]
async fn a_view_finds_what_an_earlier_one_has_put_in() {
    for app in [by_cookie(), by_store()] {
        let mut fred = Browser::new(&app);
        assert_eq!(fred.get("/myview").await.text, "Fred was not in the session");
        for _ in 0..3 {
            assert_eq!(fred.get("/myview").await.text, "Fred was in the session");
        }
        assert_eq!(Browser::new(&app).get("/myview").await.text, "Fred was not in the session");
    }
}

#[tokio::test]
async fn the_cookie_is_signed_and_readable() {
    let app = by_cookie();
    let mut fred = Browser::new(&app);
    fred.post("/note?bytes=30", &[]).await;
    let (name, value) = fred.jar.pop_first().unwrap();
    // 30 bytes make 40 characters, ten of them whatever their neighbours are.
    assert!(value.contains("eHh4eHh4eHh4"), "base64url of xxx…");
    for at in 0..value.len() {
        let mut changed = value.clone().into_bytes();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        let mut forger = Browser::new(&app);
        forger.jar.insert(name.clone(), String::from_utf8(changed).unwrap());
        assert_eq!(forger.get("/attributes").await.text, format!("created={NOW} new=true keys="));
    }
}

#[tokio::test]
async fn what_does_not_fit_a_cookie_is_an_error_that_names_the_sizes() {
    let app = by_cookie();
    let mut fred = Browser::new(&app);
    let largest = largest_note(&mut fred).await;
    assert!((2_800..3_000).contains(&largest), "{largest}");
    assert_eq!(fred.post(&format!("/note?bytes={largest}"), &[]).await.status, StatusCode::NO_CONTENT);
    let (name, value) = fred.jar.first_key_value().unwrap();
    assert!((4_000..=4_096).contains(&(name.len() + 1 + value.len())));

    let refused = fred.post("/note?bytes=5000", &[]).await;
    assert_eq!(refused.status, StatusCode::PAYLOAD_TOO_LARGE);
    let numbers: Vec<usize> = refused.text.split([' ', ',']).filter_map(|word| word.parse().ok()).collect();
    let [actual, allowed] = numbers[..] else { panic!("{}", refused.text) };
    assert!(actual > 5_000 && allowed < 4_096, "{}", refused.text);
    assert!(refused.cookies().is_empty());
}

/// By halving, as a reader would who was told nothing.
async fn largest_note(fred: &mut Browser) -> usize {
    let (mut fits, mut fails) = (0, 5_000);
    while fails - fits > 1 {
        let middle = (fits + fails) / 2;
        match fred.post(&format!("/note?bytes={middle}"), &[]).await.status {
            StatusCode::NO_CONTENT => fits = middle,
            _ => fails = middle,
        }
    }
    fits
}

#[tokio::test]
async fn created_is_a_timestamp_and_new_a_boolean() {
    let clock = clock();
    let sessions = pyramid::stored_sessions(OwnStore::default()).clock(clock.clone()).build().unwrap();
    let mut fred = Browser::new(&pyramid::app(sessions));
    let page = fred.get("/attributes").await;
    assert_eq!(page.text, format!("created={NOW} new=true keys="));
    fred.get("/myview").await;
    clock.advance(Duration::from_secs(60));
    assert_eq!(fred.get("/attributes").await.text, format!("created={NOW} new=false keys=abc"));
    clock.advance(Duration::from_secs(1_800));
    let page = fred.get("/attributes").await;
    assert_eq!(
        page.text,
        format!("created={} new=true keys=", NOW + 1_860),
        "expired, it is new in every way"
    );
}

#[tokio::test]
async fn changing_a_copy_changes_nothing_and_changed_stores_all_the_same() {
    let mut fred = Browser::new(&by_cookie());
    let first = fred.post("/changed", &[]).await;
    assert_eq!(first.cookies().len(), 1);
    let mut longer = fred.jar.clone();
    assert_eq!(fred.post("/changed", &[]).await.cookies().len(), 1);
    assert_ne!(fred.jar, longer, "`update` changes the value inside");
    std::mem::swap(&mut fred.jar, &mut longer);
    let text = fred.get("/attributes").await.text;
    assert!(text.ends_with("keys=list"), "{text}");
    let value = fred.jar.first_key_value().unwrap().1;
    let bytes = data_encoding::BASE64URL_NOPAD.decode(value.as_bytes()).unwrap();
    let shown = String::from_utf8_lossy(&bytes);
    assert!(shown.contains("in the session") && !shown.contains("in the copy"), "{shown}");
}

#[tokio::test]
async fn invalidating_dumps_all_data_and_sends_a_clearing_cookie() {
    for app in [by_cookie(), by_store()] {
        let mut fred = Browser::new(&app);
        fred.get("/myview").await;
        let page = fred.post("/invalidate", &[]).await;
        assert!(page.cookies()[0].starts_with("__Host-id=; Max-Age=0"), "{:?}", page.cookies());
        assert!(fred.jar.is_empty());
        assert_eq!(fred.get("/attributes").await.text, format!("created={NOW} new=true keys="));
    }
}

#[tokio::test]
async fn an_invalidated_session_in_a_store_cannot_be_replayed() {
    // Shows: A25
    let app = by_store();
    let mut fred = Browser::new(&app);
    fred.get("/myview").await;
    let before = fred.jar.clone();
    fred.post("/invalidate", &[]).await;
    fred.jar = before;
    assert_eq!(fred.get("/attributes").await.text, format!("created={NOW} new=true keys="));
}

#[tokio::test]
async fn reading_does_not_send_the_cookie_again() {
    let mut fred = Browser::new(&by_cookie());
    fred.get("/myview").await;
    for _ in 0..3 {
        assert!(fred.get("/attributes").await.cookies().is_empty());
    }
}

#[tokio::test]
async fn a_view_that_failed_stores_only_where_configured() {
    for (stores, keys) in [(true, "abc"), (false, "")] {
        let sessions = pyramid::stored_sessions(OwnStore::default()).save_on_server_error(stores);
        let mut fred = Browser::new(&pyramid::app(sessions.clock(clock()).build().unwrap()));
        let page = fred.post("/broken", &[]).await;
        assert_eq!(page.cookies().len(), usize::from(stores));
        let text = fred.get("/attributes").await.text;
        assert!(text.ends_with(&format!(" keys={keys}")), "{text}");
    }
}

#[tokio::test]
async fn what_cannot_be_encoded_is_an_error_at_insertion() {
    use std::time::UNIX_EPOCH;

    use axum::routing::post;
    use session_adapter_axum::{Session, SessionLayer};
    use session_core::SessionError;

    async fn born_too_early(session: Session) -> String {
        let born = UNIX_EPOCH - Duration::from_secs(1); // serde has no form for this
        match session.insert("born", born) {
            Err(error @ SessionError::Encode { .. }) => error.to_string(),
            other => format!("{other:?}"),
        }
    }
    let sessions = pyramid::stored_sessions(OwnStore::default()).build().unwrap();
    let app = Router::new().route("/", post(born_too_early)).layer(SessionLayer::new(sessions));
    let page = Browser::new(&app).post("/", &[]).await;
    assert_eq!(page.text, "the value for session key \"born\" cannot be encoded");
    assert!(page.cookies().is_empty(), "nothing is stored");
}

#[tokio::test]
async fn without_a_factory_the_session_is_an_error() {
    use axum::routing::get;
    use session_adapter_axum::Session;

    let app = Router::new().route("/", get(|_: Session| async { "never" }));
    assert_eq!(Browser::new(&app).get("/").await.status, StatusCode::INTERNAL_SERVER_ERROR);
}

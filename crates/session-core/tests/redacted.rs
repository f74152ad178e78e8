//! What `Debug` shows of what carries an id, a session or a key: nothing of it.
#![cfg(feature = "encrypted")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::{panic::AssertUnwindSafe, time::Duration};

use session_core::{
    OsRandom, RequestHead, SessionConfig, SessionId, SessionManager,
    persist::{
        Announcement, Chain, Cookie, CookieOptions, ExternalId, Header, KeyRing, Persistence, Query,
        SealedCookie, SecretKey,
    },
};
use support::{MapStore, get, send, with};

const ID: &str = "AbcdefghijklmnopqrstuvwxyzABCDEF";
const VALUE: &str = "tea-with-milk";

fn hides(shown: &str, secrets: &[&str]) {
    for secret in secrets {
        assert!(!shown.contains(secret), "{shown}");
        // As bytes are shown, and as lists of numbers.
        assert!(!shown.contains(&format!("{:?}", secret.as_bytes())), "{shown}");
    }
}

#[test]
fn what_a_request_presents_is_redacted() {
    // Shows: A17
    let fields =
        with(with(get("/?sid=AbcdefghijklmnopqrstuvwxyzABCDEF"), "x-session-id", ID), "cookie", VALUE);
    let request = with(fields, "cookie", &format!("__Host-id={ID}"));
    let head = RequestHead::from(&request);
    let chain = Chain::new(Cookie::new(CookieOptions::default()).unwrap()).then(Header::default());
    let strategies: [Box<dyn Persistence>; 2] = [Box::new(chain), Box::new(Query::default())];
    for strategy in strategies {
        let shown = format!("{head:?} {:?} {strategy:?}", strategy.present(&head));
        assert!(shown.contains("Ids"), "{shown}");
        hides(&shown, &[ID, VALUE]);
    }
    hides(&format!("{:?} {:?}", ExternalId::Trusted(ID.into()), ExternalId::Presented(ID.into())), &[ID]);
}

#[test]
fn a_session_that_travels_is_redacted() {
    // Shows: A17
    let ring = || KeyRing::new(SecretKey::generate().unwrap());
    for strategy in [
        SealedCookie::signed(CookieOptions::default(), ring()).unwrap(),
        SealedCookie::encrypted(CookieOptions::default(), ring()).unwrap(),
    ] {
        let sealed = strategy.seal(VALUE.as_bytes(), &OsRandom).unwrap();
        let sealed_text = std::str::from_utf8(&sealed).unwrap();
        let request = with(get("/"), "cookie", &format!("__Host-id={sealed_text}"));
        let presented = format!("{:?}", strategy.present(&RequestHead::from(&request)));
        assert!(presented.starts_with("State"), "{presented}");
        let announced = format!("{:?}", Announcement::State { sealed: &sealed });
        hides(&format!("{presented} {announced} {strategy:?}"), &[VALUE, sealed_text]);
    }
}

#[test]
fn what_a_response_announces_is_redacted() {
    // Shows: A17
    let id = SessionId::parse(ID.as_bytes()).unwrap();
    let issue = Announcement::Issue { id: &id, source: 0, lifetime: Duration::from_secs(1) };
    let mut fields = http::HeaderMap::new();
    Cookie::new(CookieOptions::default()).unwrap().announce(issue, &mut fields);
    hides(&format!("{issue:?} {fields:?}"), &[ID]);
}

#[test]
fn keys_are_in_no_debug_and_no_error() {
    // Shows: A17, A27
    let key = SecretKey::generate().unwrap();
    let text = key.expose_secret();
    let pairs = [("s.persist", "signed-cookie"), ("s.keys", &*text)];
    let config = SessionConfig::from_pairs("s.", pairs).unwrap();
    let manager = SessionManager::builder(MapStore::default()).config(config.clone());
    let mut shown = format!("{config:?} {manager:?} {key:?}");
    shown += &format!("{:?}", manager.build().unwrap());
    // Pasted in the wrong place, or only in part.
    let (half, _) = text.split_at(20);
    for pairs in [
        [("s.keys", half), ("s.persist", "signed-cookie")],
        [("s.keys", &*format!("{text}!")), ("s.persist", "signed-cookie")],
        [("s.keys", &*format!("{text} {text}")), ("s.persist", "signed-cookie")],
        [("s.keys.first", &*text), ("s.persist", "signed-cookie")],
    ] {
        let error = SessionConfig::from_pairs("s.", pairs).unwrap_err();
        shown += &format!("{error} {error:?}");
    }
    hides(&shown, &[&text, half]);
}

/// A panic is logged with its words, and a handler may panic with whatever a session answered.
#[test]
fn errors_of_a_session_name_no_value() {
    // Shows: A17, A37
    let manager = SessionManager::builder(MapStore::default()).build().unwrap();
    let (_, answer) = send(&manager, &get("/"), |session| {
        session.insert("k", VALUE)?;
        session.get::<u64>("k")
    });
    let read = answer.unwrap();
    let panic = std::panic::catch_unwind(AssertUnwindSafe(|| read.unwrap())).unwrap_err();
    hides(panic.downcast_ref::<String>().unwrap(), &[VALUE]);
}

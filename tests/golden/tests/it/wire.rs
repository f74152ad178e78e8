//! What travels: ids, signatures, sealed sessions, handles; and the keys that stores know sessions and people by.

use serde_json::{Value, json};
use session_core::{
    SessionHandle, SessionManager,
    persist::{Cookie, CookieOptions, KeyRing, SealedCookie, SecretKey},
};
use session_golden::{Corpus, Sample};

use crate::world::{InOrder, NOW, Site, clock, send};

/// Counted by hand: what travels has no number of its own.
const FORMAT: u32 = 1;
const SECRET: &[u8; 32] = b"a key of the corpus and no other";

fn ring() -> KeyRing {
    KeyRing::new(SecretKey::from_bytes(&SECRET[..]).unwrap())
}

fn signed() -> Site {
    Site::new(|builder| {
        builder.realm("golden").persistence(Cookie::signed(CookieOptions::default(), ring()).unwrap())
    })
}

fn sealed(encrypted: bool) -> SessionManager {
    let make = if encrypted { SealedCookie::encrypted } else { SealedCookie::signed };
    let strategy = make(CookieOptions::default(), ring()).unwrap();
    let builder = SessionManager::without_store().realm("golden").persistence(strategy);
    builder.clock(clock()).random(InOrder::default()).build().unwrap()
}

fn made() -> Corpus {
    let mut corpus = Corpus::new();
    let mut add = |name: &str, key: &str, written: String, means: Value| {
        let sample =
            Sample { key: key.to_owned(), written, expires_at: None, principal: None, id: None, means };
        corpus.insert(name.to_owned(), sample);
    };

    let site = signed();
    let (handle, _) = site.send(None, |session| Ok(session.handle())).unwrap();
    assert_eq!(handle, None);
    let id = site
        .send(None, |session| {
            session.insert("k", 1)?;
            session.authenticate("ann")
        })
        .unwrap()
        .1
        .unwrap();
    let (key, principal) = {
        let records = site.shelf.records.lock().unwrap();
        let (key, (entry, _)) = records.iter().next().unwrap();
        (key.to_hex(), entry.principal.unwrap().to_hex())
    };
    let handle = site.send(Some(&id), |session| Ok(session.handle())).unwrap().0.unwrap().to_string();
    let plain = id.split_once('.').unwrap().0.to_owned();
    add("id", "__Host-id", plain, Value::Null);
    add("signed id", "__Host-id", id, json!({ "k": 1, "principal": "ann" }));
    add("store key of the id, realm `golden`", "", key, Value::Null);
    add("principal key of `ann`, realm `golden`", "", principal, Value::Null);
    add("handle of the session", "", handle, Value::Null);

    for (name, encrypted) in [("sealed, signed", false), ("sealed, encrypted", true)] {
        let set = |session: &session_core::Session| {
            session.insert("k", 1)?;
            session.authenticate("ann")
        };
        let value = send(&sealed(encrypted), None, set).unwrap().1.unwrap();
        add(name, "__Host-id", value, json!({ "k": 1, "principal": "ann", "created": NOW }));
    }
    corpus
}

#[test]
fn what_travels_is_written_as_before() {
    session_golden::compare("wire", FORMAT, &made());
}

#[test]
fn what_has_travelled_is_read() {
    for corpus in session_golden::all::<Sample>("wire") {
        let site = signed();
        // The record of the signed id: made anew, under the key that the corpus says.
        site.send(None, |session| {
            session.insert("k", 1)?;
            session.authenticate("ann")
        })
        .unwrap();
        let read = |session: &session_core::Session| {
            assert_eq!(session.get::<i32>("k")?, Some(1));
            assert_eq!(session.principal().as_deref(), Some("ann"));
            Ok(session.handle().map(|handle| handle.to_string()))
        };
        let handle = site.send(Some(&corpus["signed id"].written), read).unwrap().0;
        let kept = &corpus["handle of the session"].written;
        assert_eq!(handle.as_ref(), Some(kept));
        assert_eq!(kept.parse::<SessionHandle>().unwrap().to_string(), *kept);
        send(&sealed(false), Some(&corpus["sealed, signed"].written), read).unwrap();
        send(&sealed(true), Some(&corpus["sealed, encrypted"].written), read).unwrap();
    }
}

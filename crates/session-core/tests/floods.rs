//! Requests and records that are made to cost much cost no more than others: memory is counted, and what is not linear does
//! not come back from half a million bytes.
#![cfg(feature = "encrypted")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::collections::{BTreeMap, HashMap};

use allocation_counter::{AllocationInfo, measure};
use http::{HeaderValue, Request};
use serde::{
    Deserialize, Serialize, Serializer,
    ser::{SerializeMap, SerializeSeq},
};
use session_core::{
    RequestHead, SessionError, SessionManager,
    persist::{Chain, Cookie, CookieOptions, Header, KeyRing, SealedCookie, SecretKey},
};
use support::{MapStore, get, send, with};

const LENGTH: usize = 1 << 19;
const ID: &str = "AbcdefghijklmnopqrstuvwxyzABCDEF";

fn managers() -> Vec<SessionManager> {
    let ring = || KeyRing::new(SecretKey::generate().unwrap());
    let cookie = CookieOptions::default;
    let stored = || SessionManager::builder(MapStore::default());
    vec![
        stored().build().unwrap(),
        stored().persistence(Cookie::signed(cookie(), ring()).unwrap()).build().unwrap(),
        stored()
            .persistence(Chain::new(Cookie::new(cookie()).unwrap()).then(Header::default()))
            .build()
            .unwrap(),
        SessionManager::without_store()
            .persistence(SealedCookie::signed(cookie(), ring()).unwrap())
            .build()
            .unwrap(),
        SessionManager::without_store()
            .persistence(SealedCookie::encrypted(cookie(), ring()).unwrap())
            .build()
            .unwrap(),
    ]
}

fn opening(manager: &SessionManager, request: &Request<()>) -> AllocationInfo {
    measure(|| {
        let opened = manager.open(&RequestHead::from(request)).into_ready();
        assert!(opened.is_ok());
    })
}

fn repeated(part: &str) -> String {
    part.repeat(LENGTH / part.len())
}

/// In one field of half a million bytes.
#[test]
fn a_flood_of_cookies_costs_what_a_few_do() {
    // Shows: A12
    let few = with(get("/"), "cookie", &format!("a=b; __Host-id={ID}"));
    for manager in managers() {
        let few = opening(&manager, &few);
        for part in [
            "a=b; ",
            ";",
            " ",
            "=",
            "\"",
            "__Host-id",
            "__Host-id=",
            "__Host-id=; ",
            "__Host-id=x; ",
            "\t;\t",
        ] {
            let request = with(get("/"), "cookie", &repeated(part));
            let flood = opening(&manager, &request);
            assert!(flood.count_total <= few.count_total + 8, "{part:?}: {flood:?}, not {few:?}");
            assert!(flood.bytes_max <= few.bytes_max + 32_768, "{part:?}: {flood:?}, not {few:?}");
        }
    }
}

/// Twenty thousand ids in one field, all different and all well formed.
#[test]
fn a_flood_of_ids_costs_what_a_few_do() {
    // Shows: A9, A12
    for manager in managers() {
        let ids = |number: usize| {
            let pairs = (0..number).map(|number| format!("__Host-id={number:A>32}"));
            with(get("/"), "cookie", &pairs.collect::<Vec<_>>().join("; "))
        };
        let (few, flood) = (opening(&manager, &ids(6)), opening(&manager, &ids(20_000)));
        assert!(flood.count_total <= few.count_total + 8, "{flood:?}, not {few:?}");
        assert!(flood.bytes_max <= few.bytes_max + 4_096, "{flood:?}, not {few:?}");
    }
}

/// As many fields as a head can have.
#[test]
fn a_flood_of_fields_costs_what_a_few_do() {
    // Shows: A12
    for manager in managers() {
        let fields = |number: usize| {
            let mut request = get("/");
            for at in 0..number {
                request.headers_mut().append("cookie", HeaderValue::from_static("a=b"));
                let id = HeaderValue::try_from(format!("{at:A>32}")).unwrap();
                request.headers_mut().append("x-session-id", id);
            }
            request
        };
        let (few, flood) = (opening(&manager, &fields(6)), opening(&manager, &fields(10_000)));
        assert!(flood.count_total <= few.count_total + 8, "{flood:?}, not {few:?}");
        assert!(flood.bytes_max <= few.bytes_max + 4_096, "{flood:?}, not {few:?}");
    }
}

/// Says that it has 2⁴⁰ elements, and has none.
struct Bomb {
    is_map: bool,
}

impl Serialize for Bomb {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.is_map {
            serializer.serialize_map(Some(1 << 40))?.end()
        } else {
            serializer.serialize_seq(Some(1 << 40))?.end()
        }
    }
}

#[test]
fn a_length_that_lies_is_not_believed() {
    // Shows: A22
    let manager = SessionManager::builder(MapStore::default()).build().unwrap();
    let (response, _) = send(&manager, &get("/"), |session| {
        session.insert("map", Bomb { is_map: true })?;
        session.insert("list", Bomb { is_map: false })
    });
    let request = with(get("/"), "cookie", &support::cookie(&response).unwrap());
    fn defused<T: for<'de> Deserialize<'de>>(session: &session_core::Session, key: &str) {
        let cost = measure(|| {
            let read = session.get::<T>(key);
            assert!(matches!(read, Err(SessionError::Decode { .. })), "{key}");
        });
        // What serde reserves at most before it has seen an element is 1 MiB, which a table rounds up.
        assert!(cost.bytes_max < 4 << 20, "{key} costs {cost:?}");
    }
    let (_, answer) = send(&manager, &request, |session| {
        defused::<HashMap<String, String>>(session, "map");
        defused::<HashMap<u8, u8>>(session, "map");
        defused::<BTreeMap<String, u64>>(session, "map");
        defused::<Vec<u64>>(session, "list");
        defused::<Vec<String>>(session, "list");
        defused::<Vec<[u64; 32]>>(session, "list");
        Ok(())
    });
    answer.unwrap().unwrap();
}

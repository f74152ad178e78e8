//! The application on warp: without sessions, with the library, and with warp-sessions as its documentation shows it.
#![expect(clippy::expect_used, reason = "a measurement that cannot be set up ends with the reason")]

use std::convert::Infallible;

use bytes::Bytes;
use http_body_util::Empty;
use session_core::{Key, SessionManager};
use session_store_memory::MemoryStore;
use warp::{Filter, Rejection};
use warp_sessions::{CookieOptions, SameSiteCookieOption, SessionWithStore};

use super::{Apps, PLAIN, TowerApp, next};
use crate::report::OURS;

pub(super) fn apps() -> Apps {
    vec![
        (PLAIN, Box::new(TowerApp { service: warp::service(plain()), body: Empty::<Bytes>::new })),
        (OURS, ours()),
        (
            "warp-sessions 1.0",
            Box::new(TowerApp { service: warp::service(peer()), body: Empty::<Bytes>::new }),
        ),
    ]
}

fn plain() -> impl Filter<Extract = (impl warp::Reply,), Error = Rejection> + Clone {
    let ok = |path: &'static str| warp::path(path).and(warp::path::end()).then(async || "ok");
    ok("untouched").or(ok("read")).or(ok("write"))
}

fn ours() -> Box<dyn super::App> {
    use session_adapter_warp::{Session, SessionLayer, session};

    const N: Key<u64> = Key::new("n");

    async fn read(session: Session) -> &'static str {
        assert!(session.get(N).expect("a number").is_some());
        "ok"
    }

    async fn write(session: Session) -> &'static str {
        session.insert(N, next()).expect("a change");
        "ok"
    }

    let path = |path: &'static str| warp::path(path).and(warp::path::end());
    let routes =
        path("untouched")
            .then(async || "ok")
            .or(path("read").and(session()).then(read))
            .or(path("write").and(session()).then(write));
    let store = MemoryStore::builder().max_records(usize::MAX).max_bytes(usize::MAX).build();
    let manager = SessionManager::builder(store).build().expect("a valid configuration");
    Box::new(TowerApp { service: SessionLayer::new(manager).wrap(routes), body: Empty::<Bytes>::new })
}

/// A route has a session by loading it; there is no other way. The one that does not use it is measured with the filter,
/// too: without, it would cost nothing and have none.
fn peer() -> impl Filter<Extract = (impl warp::Reply,), Error = Rejection> + Clone {
    type Session = SessionWithStore<warp_sessions::MemoryStore>;

    async fn untouched(session: Session) -> Result<(&'static str, Session), Infallible> {
        Ok(("ok", session))
    }

    async fn read(session: Session) -> Result<(&'static str, Session), Infallible> {
        assert!(session.session.get::<u64>("n").is_some());
        Ok(("ok", session))
    }

    async fn write(mut session: Session) -> Result<(&'static str, Session), Infallible> {
        session.session.insert("n", next()).expect("a change");
        Ok(("ok", session))
    }

    let store = warp_sessions::MemoryStore::new();
    let session = move |path: &'static str| {
        let options = CookieOptions {
            cookie_name: "sid",
            cookie_value: None,
            max_age: Some(60),
            domain: None,
            path: None,
            secure: false,
            http_only: true,
            same_site: Some(SameSiteCookieOption::Strict),
        };
        warp::path(path)
            .and(warp::path::end())
            .and(warp_sessions::request::with_session(store.clone(), Some(options)))
    };
    let reply = warp_sessions::reply::with_session;
    session("untouched")
        .and_then(untouched)
        .untuple_one()
        .and_then(reply)
        .or(session("read").and_then(read).untuple_one().and_then(reply))
        .or(session("write").and_then(write).untuple_one().and_then(reply))
}

//! What the wrap costs in allocations, against the same routes without it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail the test")]

use std::{
    convert::Infallible,
    hint::black_box,
    pin::pin,
    sync::atomic::{AtomicU64, Ordering},
    task::{Context, Poll, Waker},
};

use allocation_counter::measure;
use bytes::Bytes;
use http::{Request, header};
use http_body_util::Empty;
use session_adapter_warp::{Session, SessionLayer, session};
use session_core::{Key, SessionManager};
use session_store_memory::MemoryStore;
use tower_service::Service;
use warp::{Filter, Rejection, Reply, reply::Response};

// What was measured, so that more is noticed.
const UNTOUCHED: u64 = 5;
const READING: u64 = 6;
const WRITING: u64 = 10;
const CREATING: u64 = 11;

const VISITS: Key<u64> = Key::new("visits");

#[test]
fn requests_cost_so_many_allocations_at_most() {
    let mut plain = warp::service(route("untouched").then(async || "ok"));
    let manager = SessionManager::builder(MemoryStore::new()).build().unwrap();
    let mut app = SessionLayer::new(manager).wrap(routes());
    let written = answer(app.call(request("/write", None)));
    let cookie = written.headers()[header::SET_COOKIE].to_str().unwrap().split(';').next();
    // An empty store makes room for its first records.
    for _ in 0..3_000 {
        drop(answer(app.call(request("/write", None))));
    }

    let base = allocations(&mut plain, "/untouched", None);
    let base_with_cookie = allocations(&mut plain, "/untouched", cookie);
    for (path, cookie, base, most) in [
        ("/untouched", None, base, UNTOUCHED),
        ("/untouched", cookie, base_with_cookie, UNTOUCHED),
        ("/read", cookie, base_with_cookie, READING),
        ("/write", cookie, base_with_cookie, WRITING),
        ("/write", None, base, CREATING),
    ] {
        let with = allocations(&mut app, path, cookie);
        assert!(with > base && with <= base + most, "{path} {cookie:?}: {with} instead of {base}");
    }
}

fn routes() -> impl Filter<Extract = (impl Reply,), Error = Rejection> + Clone {
    let read = async |session: Session| {
        assert!(session.get(VISITS).unwrap().is_some());
        "ok"
    };
    let write = async |session: Session| {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        session.insert(VISITS, NEXT.fetch_add(1, Ordering::Relaxed)).unwrap();
        "ok"
    };
    let untouched = route("untouched").then(async || "ok");
    untouched.or(route("read").and(session()).then(read)).or(route("write").and(session()).then(write))
}

fn route(path: &'static str) -> impl Filter<Extract = (), Error = Rejection> + Clone {
    warp::path(path).and(warp::path::end())
}

/// Allocations of one request, from the call to the response. The smallest of several: the first ones fill caches of
/// the thread.
fn allocations<S>(app: &mut S, path: &str, cookie: Option<&str>) -> u64
where
    S: Service<Request<Empty<Bytes>>, Response = Response, Error = Infallible>,
{
    let mut one = || {
        let request = request(path, cookie);
        measure(|| drop(black_box(answer(app.call(request))))).count_total
    };
    (0..5).map(|_| one()).min().unwrap()
}

fn request(path: &str, cookie: Option<&str>) -> Request<Empty<Bytes>> {
    let mut request = Request::get(path);
    if let Some(cookie) = cookie {
        request = request.header(header::COOKIE, cookie);
    }
    request.body(Empty::new()).unwrap()
}

fn answer(future: impl Future<Output = Result<Response, Infallible>>) -> Response {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Ok(response)) => response,
        Poll::Pending => panic!("nothing to wait for"),
    }
}

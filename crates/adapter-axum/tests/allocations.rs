//! What the layer costs in allocations, against the same router under a layer that does nothing.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail the test")]

use std::{
    convert::Infallible,
    hint::black_box,
    pin::pin,
    sync::atomic::{AtomicU64, Ordering},
    task::{Context, Poll, Waker},
};

use allocation_counter::measure;
use axum::{
    Router,
    body::Body,
    http::{Request, Response, header},
    routing::get,
};
use session_adapter_axum::{LazySession, Session, SessionLayer};
use session_core::{
    Entry, Expect, Key, Removed, SessionManager, Store, StoreError, StoreKey, Stored, Version, Written,
};
use session_store_memory::MemoryStore;
use tower::{Layer, Service};

/// What the design allows for a request that does not touch its session.
const UNTOUCHED: u64 = 4;
/// What it allows for one that reads a value from a store in memory.
const READING: u64 = 4;
/// What it allows for one that changes a value of a session in memory.
const WRITING: u64 = 8;
/// What it allows for one that stores the first value of a session.
const CREATING: u64 = 9;

const VISITS: Key<u64> = Key::new("visits");

#[test]
fn an_untouched_request_costs_four_allocations_at_most() {
    for cookie in [None, Some("__Host-id=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), Some("theme=dark; lang=en")] {
        let plain = allocations(router().layer(Nothing(())), cookie);
        let with_session = allocations(router().layer(layer()), cookie);
        assert!(plain > 0);
        assert!(with_session <= plain + UNTOUCHED, "{with_session} instead of {plain} with {cookie:?}");
    }
}

#[test]
fn reading_a_value_costs_four_allocations_at_most() {
    let sessions = SessionManager::builder(MemoryStore::new()).build().unwrap();
    let write = async |session: Session| session.insert("visits", 1_u32).unwrap();
    let read = async |session: Session| {
        assert_eq!(session.get("visits").unwrap(), Some(1_u32));
        "Hello"
    };
    let app = Router::new().route("/", get(read).post(write)).layer(SessionLayer::new(sessions));
    let request = Request::post("/").body(Body::empty()).unwrap();
    let written = answer(app.clone().into_service().call(request));
    let cookie = written.headers()[header::SET_COOKIE].to_str().unwrap().split(';').next();

    let plain = allocations(router().layer(Nothing(())), cookie);
    let reading = allocations(app, cookie);
    assert!(reading <= plain + READING, "{reading} instead of {plain}");
}

#[test]
fn changing_a_value_costs_eight_allocations_at_most_and_the_first_one_nine() {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let sessions = SessionManager::builder(MemoryStore::new()).build().unwrap();
    let write = async |session: Session| {
        session.insert(VISITS, NEXT.fetch_add(1, Ordering::Relaxed)).unwrap();
        "Hello"
    };
    let app = Router::new().route("/", get(write)).layer(SessionLayer::new(sessions));
    let request = Request::get("/").body(Body::empty()).unwrap();
    let written = answer(app.clone().into_service().call(request));
    let cookie = written.headers()[header::SET_COOKIE].to_str().unwrap().split(';').next();

    // An empty store makes room for its first records.
    let mut warm = app.clone().into_service();
    for _ in 0..3_000 {
        answer(warm.call(Request::get("/").body(Body::empty()).unwrap()));
    }
    for (cookie, most) in [(cookie, WRITING), (None, CREATING)] {
        let plain = allocations(router().layer(Nothing(())), cookie);
        let writing = allocations(app.clone(), cookie);
        assert!(writing > plain && writing <= plain + most, "{writing} instead of {plain} with {cookie:?}");
    }
}

#[test]
fn taking_the_lazy_session_costs_none() {
    let app = |router: Router| allocations(router.layer(layer()), None);
    let without = app(router());
    let with = app(Router::new().route("/", get(async |_: LazySession| "Hello")));
    assert_eq!(with, without);
}

#[test]
fn a_layer_below_another_of_the_same_manager_costs_as_much_as_one_that_does_nothing() {
    let layer = layer();
    let once = allocations(router().layer(Nothing(0_u8)).layer(layer.clone()), None);
    let twice = allocations(router().layer(layer.clone()).layer(layer), None);
    assert_eq!(twice, once);
}

fn router() -> Router {
    Router::new().route("/", get(async || "Hello"))
}

fn layer() -> SessionLayer {
    SessionLayer::new(SessionManager::builder(NoStore).build().unwrap())
}

/// Allocations of one request, from the call to the head of the response. The smallest of several: the first ones fill
/// caches of the thread.
fn allocations(app: Router, cookie: Option<&str>) -> u64 {
    let mut app = app.into_service::<Body>();
    let mut one = || {
        let mut request = Request::get("/");
        if let Some(cookie) = cookie {
            request = request.header(header::COOKIE, cookie);
        }
        let request = request.body(Body::empty()).unwrap();
        measure(|| drop(black_box(answer(app.call(request))))).count_total
    };
    (0..5).map(|_| one()).min().unwrap()
}

fn answer(future: impl Future<Output = Result<Response<Body>, Infallible>>) -> Response<Body> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Ok(response)) => response,
        Poll::Pending => panic!("nothing to wait for"),
    }
}

/// A layer as thin as they get, and with a setting as thin as they get: axum boxes layers that have any.
#[derive(Clone)]
struct Nothing<T>(T);

#[derive(Clone)]
struct NothingService<S>(S);

impl<S, T> Layer<S> for Nothing<T> {
    type Service = NothingService<S>;

    fn layer(&self, inner: S) -> NothingService<S> {
        NothingService(inner)
    }
}

impl<S: Service<R>, R> Service<R> for NothingService<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: R) -> S::Future {
        self.0.call(request)
    }
}

/// A store that must not be asked.
#[derive(Debug)]
struct NoStore;

#[async_trait::async_trait]
impl Store for NoStore {
    async fn load(&self, _: &StoreKey) -> Result<Option<Stored>, StoreError> {
        panic!("an untouched request asked the store")
    }

    async fn write(&self, _: &StoreKey, _: Entry, _: Expect) -> Result<Written, StoreError> {
        panic!("an untouched request asked the store")
    }

    async fn remove(&self, _: &StoreKey, _: Option<Version>) -> Result<Removed, StoreError> {
        panic!("an untouched request asked the store")
    }
}

//! The application on axum: without sessions, with the library, tower-sessions and axum_session, each set up as its
//! documentation recommends.
#![expect(clippy::expect_used, reason = "a measurement that cannot be set up ends with the reason")]

use std::task::{Context, Poll};

use axum::{Router, body::Body, routing::get};
use axum_session::SessionNullPool;
use session_core::SessionManager;
use session_store_memory::MemoryStore;
use tokio::runtime::Runtime;
use tower::{Layer, Service};
use tower_sessions::{
    SessionStore as _,
    session::{Id, Record},
};

use super::{App, Apps, PLAIN, TowerApp, next};
use crate::{report::OURS, sample};

pub(super) const TOWER_SESSIONS: &str = "tower-sessions 0.15";
const AXUM_SESSION: &str = "axum_session 0.22";

pub(super) fn routers(runtime: &Runtime) -> Vec<(&'static str, Router)> {
    vec![
        (PLAIN, plain()),
        (OURS, ours(unbounded())),
        (TOWER_SESSIONS, tower_sessions(tower_sessions::MemoryStore::default())),
        (AXUM_SESSION, runtime.block_on(axum_session())),
    ]
}

pub(super) fn apps(runtime: &Runtime) -> Apps {
    routers(runtime).into_iter().map(|(name, router)| (name, app(router))).collect()
}

/// With so many other sessions in the stores.
pub(super) fn grown(sessions: u64, runtime: &Runtime) -> Apps {
    let store = unbounded();
    let theirs = tower_sessions::MemoryStore::default();
    for number in 0..sessions {
        let _ = sample::create(&store, &sample::key(number), sample::entry(number, 100));
        let expiry_date = time::OffsetDateTime::now_utc() + time::Duration::minutes(45);
        let data = [("n".to_owned(), number.into())].into();
        let record = Record { id: Id(i128::from(sample::mix(number))), data, expiry_date };
        runtime.block_on(theirs.save(&record)).expect("a store");
    }
    vec![(PLAIN, app(plain())), (OURS, app(ours(store))), (TOWER_SESSIONS, app(tower_sessions(theirs)))]
}

fn app(router: Router) -> Box<dyn App> {
    Box::new(TowerApp { service: router, body: Body::empty })
}

fn unbounded() -> MemoryStore {
    MemoryStore::builder().max_records(usize::MAX).max_bytes(usize::MAX).build()
}

fn plain() -> Router {
    Router::new()
        .route("/untouched", get(async || "ok"))
        .route("/read", get(async || "ok"))
        .route("/write", get(async || "ok"))
        .layer(NoOp)
}

/// A layer that hands every request on: what any tower layer costs by itself.
#[derive(Clone, Copy, Debug)]
struct NoOp;

#[derive(Clone, Debug)]
struct NoOpService<S>(S);

impl<S> Layer<S> for NoOp {
    type Service = NoOpService<S>;

    fn layer(&self, inner: S) -> NoOpService<S> {
        NoOpService(inner)
    }
}

impl<S: Service<R>, R> Service<R> for NoOpService<S> {
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

fn ours(store: MemoryStore) -> Router {
    use session_adapter_axum::{Session, SessionLayer};
    use session_core::Key;

    const N: Key<u64> = Key::new("n");

    async fn read(session: Session) -> &'static str {
        assert!(session.get(N).expect("a number").is_some());
        "ok"
    }

    async fn write(session: Session) -> &'static str {
        session.insert(N, next()).expect("a change");
        "ok"
    }

    let manager = SessionManager::builder(store).build().expect("a valid configuration");
    Router::new()
        .route("/untouched", get(async || "ok"))
        .route("/read", get(read))
        .route("/write", get(write))
        .layer(SessionLayer::new(manager))
}

fn tower_sessions(store: tower_sessions::MemoryStore) -> Router {
    use tower_sessions::{Session, SessionManagerLayer};

    async fn read(session: Session) -> &'static str {
        assert!(session.get::<u64>("n").await.expect("a number").is_some());
        "ok"
    }

    async fn write(session: Session) -> &'static str {
        session.insert("n", next()).await.expect("a change");
        "ok"
    }

    Router::new()
        .route("/untouched", get(async || "ok"))
        .route("/read", get(read))
        .route("/write", get(write))
        .layer(SessionManagerLayer::new(store))
}

async fn axum_session() -> Router {
    use axum_session::{Session, SessionConfig, SessionLayer, SessionStore};

    async fn read(session: Session<SessionNullPool>) -> &'static str {
        assert!(session.get::<u64>("n").is_some());
        "ok"
    }

    async fn write(session: Session<SessionNullPool>) -> &'static str {
        session.set("n", next());
        "ok"
    }

    let store = SessionStore::<SessionNullPool>::new(None, SessionConfig::default()).await.expect("a store");
    Router::new()
        .route("/untouched", get(async || "ok"))
        .route("/read", get(read))
        .route("/write", get(write))
        .layer(SessionLayer::new(store))
}

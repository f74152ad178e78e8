//! The same small application on each session library, set up as its documentation recommends.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    task::{Context, Poll},
};

use axum::{Router, routing::get};
use axum_session::SessionNullPool;
use http::{HeaderValue, header::SET_COOKIE};
use session_core::SessionManager;
use session_store_memory::MemoryStore;
use tower::{Layer, Service};

use crate::rows::Row;

/// A number that is different in every request, so that every write changes the session.
static NEXT: AtomicU64 = AtomicU64::new(1);

/// One application under measurement.
#[derive(Debug)]
pub struct Contender {
    /// Its name in tables.
    pub name: &'static str,
    /// The application.
    pub router: Router,
    /// A cookie of a live session that holds one value.
    pub cookie: String,
}

impl Contender {
    /// All contenders; the first is the application without sessions, below a layer that does nothing.
    ///
    /// # Panics
    /// If one of them cannot be set up.
    pub async fn all() -> Vec<Self> {
        vec![
            Self::new("plain", plain()).await,
            Self::new("session-core", ours()).await,
            Self::new("tower-sessions 0.15", tower_sessions()).await,
            Self::new("axum_session 0.22", axum_session().await).await,
        ]
    }

    async fn new(name: &'static str, mut router: Router) -> Self {
        let response = router.call(Row::FirstWrite.request("")).await.expect("an infallible router");
        let pairs: Vec<_> = response
            .headers()
            .get_all(SET_COOKIE)
            .iter()
            .filter_map(|field| HeaderValue::to_str(field).ok()?.split(';').next())
            .filter(|pair| !pair.ends_with('='))
            .collect();
        Self { name, cookie: pairs.join("; "), router }
    }
}

fn next() -> u64 {
    NEXT.fetch_add(1, Ordering::Relaxed)
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

fn ours() -> Router {
    use session_adapter_axum::{Session, SessionLayer};
    use session_core::Key;

    const N: Key<u64> = Key::new("n");

    async fn read(session: Session) -> &'static str {
        std::hint::black_box(session.get(N).expect("a number"));
        "ok"
    }

    async fn write(session: Session) -> &'static str {
        session.insert(N, next()).expect("a change");
        "ok"
    }

    let store = MemoryStore::builder().max_records(usize::MAX).max_bytes(usize::MAX).build();
    let manager = SessionManager::builder(store).build().expect("a valid configuration");
    Router::new()
        .route("/untouched", get(async || "ok"))
        .route("/read", get(read))
        .route("/write", get(write))
        .layer(SessionLayer::new(manager))
}

fn tower_sessions() -> Router {
    use tower_sessions::{MemoryStore, Session, SessionManagerLayer};

    async fn read(session: Session) -> &'static str {
        std::hint::black_box(session.get::<u64>("n").await.expect("a number"));
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
        .layer(SessionManagerLayer::new(MemoryStore::default()))
}

async fn axum_session() -> Router {
    use axum_session::{Session, SessionConfig, SessionLayer, SessionStore};

    async fn read(session: Session<SessionNullPool>) -> &'static str {
        std::hint::black_box(session.get::<u64>("n"));
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

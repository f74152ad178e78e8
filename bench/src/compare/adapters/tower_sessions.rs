//! tower-sessions on axum, with its `MemoryStore`: `SessionManagerLayer::new(store)`, as its README shows it.

use std::sync::Arc;

use async_trait::async_trait;
use axum::{
    Router,
    extract::State,
    http::{HeaderMap, Uri},
    response::Response as AxumResponse,
    routing::{get, post},
};
use bytes::Bytes;
use http::{Request, Response};
use serde_json::Value;
use session_conformance::adapter::Stranger;
use session_core::{SessionConfig, Store, StoreError};
use tower_sessions::{
    MemoryStore, Session, SessionManagerLayer, SessionStore,
    session::{Id, Record},
    session_store,
};

use super::{on_axum, settings};
use crate::compare::{
    fixture::{self, Known, Outcome, Trouble, Visit},
    toll::Toll,
};

/// The application.
#[derive(Debug)]
pub(crate) struct TowerSessions(Router, Known);

impl Stranger for TowerSessions {
    async fn start(config: SessionConfig, cookie: String, store: Arc<dyn Store>) -> Self {
        settings(&config);
        let known = Known::new(cookie.clone());
        let store = Tolled { toll: Toll::new(store), store: MemoryStore::default() };
        let router = Router::new()
            .route("/", get(handle))
            .route("/untouched", get(async || "ok"))
            .route("/ops", post(handle))
            .with_state(known.clone())
            .layer(SessionManagerLayer::new(store).with_name(cookie));
        Self(router, known)
    }

    async fn send(&self, request: Request<Bytes>) -> Response<Bytes> {
        on_axum(&self.0, &self.1, request).await
    }
}

async fn handle(
    session: Session,
    State(known): State<Known>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> AxumResponse {
    let answer = fixture::answer(&mut Visitor(session), &known, uri.path(), &headers, &body).await;
    answer.map(Into::into)
}

struct Visitor(Session);

#[async_trait]
impl Visit for Visitor {
    async fn get(&mut self, key: &str) -> Outcome<Option<Value>> {
        self.0.get_value(key).await.map_err(failed)
    }

    async fn set(&mut self, key: &str, value: Value) -> Outcome<()> {
        self.0.insert_value(key, value).await.map(drop).map_err(failed)
    }

    async fn remove(&mut self, key: &str) -> Outcome<()> {
        self.0.remove_value(key).await.map(drop).map_err(failed)
    }

    async fn clear(&mut self, _: &[String]) -> Outcome<()> {
        self.0.clear().await;
        Ok(())
    }

    async fn renew(&mut self) -> Outcome<()> {
        self.0.cycle_id().await.map_err(failed)
    }

    async fn destroy(&mut self) -> Outcome<()> {
        self.0.flush().await.map_err(failed)
    }

    async fn save(&mut self) -> Outcome<()> {
        self.0.save().await.map_err(failed)
    }
}

fn failed(_: tower_sessions::session::Error) -> Trouble {
    Trouble::Failed
}

/// Its own store, with the kit's in front.
#[derive(Clone, Debug)]
struct Tolled {
    toll: Toll,
    store: MemoryStore,
}

#[async_trait]
impl SessionStore for Tolled {
    async fn create(&self, record: &mut Record) -> session_store::Result<()> {
        let (id, bytes) = (spelled(&record.id), encoded(record)?);
        self.toll.write(&id, &bytes, backend, self.store.create(record)).await
    }

    async fn save(&self, record: &Record) -> session_store::Result<()> {
        let (id, bytes) = (spelled(&record.id), encoded(record)?);
        self.toll.write(&id, &bytes, backend, self.store.save(record)).await
    }

    async fn load(&self, id: &Id) -> session_store::Result<Option<Record>> {
        self.toll.load(&spelled(id), backend, self.store.load(id)).await
    }

    async fn delete(&self, id: &Id) -> session_store::Result<()> {
        self.toll.remove(&spelled(id), backend, self.store.delete(id)).await
    }
}

/// As its file and SQL stores name a session.
fn spelled(id: &Id) -> Vec<u8> {
    id.to_string().into_bytes()
}

fn encoded(record: &Record) -> session_store::Result<Vec<u8>> {
    serde_json::to_vec(record).map_err(|error| session_store::Error::Encode(error.to_string()))
}

fn backend(error: StoreError) -> session_store::Error {
    session_store::Error::Backend(error.to_string())
}

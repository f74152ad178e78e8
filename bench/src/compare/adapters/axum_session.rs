//! axum_session with a database: `SessionConfig::default()`, as its README shows it. Sessions are in its memory as well, which
//! is the default.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use async_trait::async_trait;
use axum::{
    Router,
    extract::State,
    http::{HeaderMap, Uri},
    response::Response as AxumResponse,
    routing::{get, post},
};
use axum_session::{
    DatabaseError, DatabasePool, Session, SessionConfig as PeerConfig, SessionLayer, SessionStore,
};
use bytes::Bytes;
use http::{Request, Response};
use serde_json::Value;
use session_conformance::adapter::Stranger;
use session_core::{SessionConfig, Store, StoreError};

use super::{on_axum, settings};
use crate::compare::{
    fixture::{self, Known, Outcome, Visit},
    toll::Toll,
};

/// The application.
#[derive(Debug)]
pub(crate) struct AxumSession(Router, Known);

impl Stranger for AxumSession {
    async fn start(config: SessionConfig, cookie: String, store: Arc<dyn Store>) -> Self {
        settings(&config);
        let secure = cookie.starts_with("__Host-");
        let config = PeerConfig::default().with_session_name(cookie.clone()).with_secure(secure);
        let known = Known::new(cookie);
        let table = Table { toll: Toll::new(store), rows: Arc::default() };
        #[expect(clippy::expect_used, reason = "opening it asks its pool for nothing that can fail")]
        let store = SessionStore::new(Some(table), config).await.expect("a store");
        let router = Router::new()
            .route("/", get(handle))
            .route("/untouched", get(async || "ok"))
            .route("/ops", post(handle))
            .with_state(known.clone())
            .layer(SessionLayer::new(store));
        Self(router, known)
    }

    async fn send(&self, request: Request<Bytes>) -> Response<Bytes> {
        on_axum(&self.0, &self.1, request).await
    }
}

async fn handle(
    session: Session<Table>,
    State(known): State<Known>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> AxumResponse {
    let answer = fixture::answer(&mut Visitor(session), &known, uri.path(), &headers, &body).await;
    answer.map(Into::into)
}

struct Visitor(Session<Table>);

#[async_trait]
impl Visit for Visitor {
    async fn get(&mut self, key: &str) -> Outcome<Option<Value>> {
        Ok(self.0.get(key))
    }

    async fn set(&mut self, key: &str, value: Value) -> Outcome<()> {
        self.0.set(key, value);
        Ok(())
    }

    async fn remove(&mut self, key: &str) -> Outcome<()> {
        self.0.remove(key);
        Ok(())
    }

    async fn clear(&mut self, _: &[String]) -> Outcome<()> {
        self.0.clear();
        Ok(())
    }

    async fn renew(&mut self) -> Outcome<()> {
        self.0.renew();
        Ok(())
    }

    async fn destroy(&mut self) -> Outcome<()> {
        self.0.destroy();
        Ok(())
    }
}

/// A table as its SQL pools use one: a row is inserted or replaced, and is there until it expires.
#[derive(Clone, Debug)]
struct Table {
    toll: Toll,
    rows: Arc<Mutex<HashMap<String, (String, i64)>>>,
}

impl Table {
    fn with<T>(&self, work: impl FnOnce(&mut HashMap<String, (String, i64)>) -> T) -> T {
        work(&mut self.rows.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn live(&self, id: &str) -> Option<String> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let now = i64::try_from(now).unwrap_or(i64::MAX);
        self.with(|rows| {
            rows.get(id).filter(|(_, expires)| *expires > now).map(|(session, _)| session.clone())
        })
    }
}

#[async_trait]
impl DatabasePool for Table {
    async fn initiate(&self, _: &str) -> Result<(), DatabaseError> {
        Ok(())
    }

    async fn count(&self, _: &str) -> Result<i64, DatabaseError> {
        Ok(self.with(|rows| i64::try_from(rows.len()).unwrap_or(i64::MAX)))
    }

    async fn store(&self, id: &str, session: &str, expires: i64, _: &str) -> Result<(), DatabaseError> {
        let failed = failed(DatabaseError::GenericInsertError);
        let work = async {
            self.with(|rows| rows.insert(id.to_owned(), (session.to_owned(), expires)));
            Ok(())
        };
        self.toll.write(id.as_bytes(), session.as_bytes(), failed, work).await
    }

    async fn load(&self, id: &str, _: &str) -> Result<Option<String>, DatabaseError> {
        let failed = failed(DatabaseError::GenericSelectError);
        self.toll.load(id.as_bytes(), failed, async { Ok(self.live(id)) }).await
    }

    async fn delete_one_by_id(&self, id: &str, _: &str) -> Result<(), DatabaseError> {
        let failed = failed(DatabaseError::GenericDeleteError);
        let work = async {
            self.with(|rows| rows.remove(id));
            Ok(())
        };
        self.toll.remove(id.as_bytes(), failed, work).await
    }

    async fn exists(&self, id: &str, _: &str) -> Result<bool, DatabaseError> {
        // Asked for ids that are still to be given out; not a load, or first writes would seem to cost one.
        Ok(self.live(id).is_some())
    }

    async fn delete_by_expiry(&self, _: &str) -> Result<Vec<String>, DatabaseError> {
        Ok(Vec::new())
    }

    async fn delete_all(&self, _: &str) -> Result<(), DatabaseError> {
        self.with(HashMap::clear);
        Ok(())
    }

    async fn get_ids(&self, _: &str) -> Result<Vec<String>, DatabaseError> {
        Ok(self.with(|rows| rows.keys().cloned().collect()))
    }

    fn auto_handles_expiry(&self) -> bool {
        false
    }
}

fn failed(kind: fn(String) -> DatabaseError) -> impl Fn(StoreError) -> DatabaseError {
    move |error| kind(error.to_string())
}

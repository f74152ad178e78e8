//! A store that counts, fails and waits on demand, and a client that keeps its cookie.

use std::{
    collections::HashMap,
    convert::Infallible,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    task::Poll,
};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode, header, request};
use http_body_util::{BodyExt as _, Full};
use session_adapter_warp::{LazySession, Session, SessionError, SessionLayer, lazy_session, session};
use session_core::{
    Entry, Expect, ManagerBuilder, Removed, SessionManager, Store, StoreError, StoreErrorKind, StoreKey,
    Stored, Version, Written,
};
use tower::{ServiceExt as _, util::BoxCloneSyncService};
use warp::{Filter, Rejection, Reply, filters::BoxedFilter, reply::Response};

#[derive(Clone, Debug, Default)]
pub(crate) struct TestStore(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    records: Mutex<HashMap<StoreKey, (Entry, u64)>>,
    versions: AtomicUsize,
    calls: AtomicUsize,
    /// How often each call is pending, before it is applied and after it.
    pauses: AtomicUsize,
    failure: Mutex<Option<StoreErrorKind>>,
}

impl TestStore {
    pub(crate) fn waiting(pauses: usize) -> Self {
        let store = Self::default();
        store.0.pauses.store(pauses, SeqCst);
        store
    }

    /// Store calls since the last time.
    pub(crate) fn calls(&self) -> usize {
        self.0.calls.swap(0, SeqCst)
    }

    pub(crate) fn records(&self) -> usize {
        self.0.records.lock().unwrap().len()
    }

    pub(crate) fn fail(&self, failure: impl Into<Option<StoreErrorKind>>) {
        *self.0.failure.lock().unwrap() = failure.into();
    }

    async fn call<T: Send>(&self, apply: impl FnOnce(&Shared) -> T + Send) -> Result<T, StoreError> {
        self.0.calls.fetch_add(1, SeqCst);
        let pauses = self.0.pauses.load(SeqCst);
        pause(pauses).await;
        if let Some(kind) = *self.0.failure.lock().unwrap() {
            return Err(StoreError::new(kind, "test"));
        }
        let answer = apply(&self.0);
        pause(pauses).await;
        Ok(answer)
    }
}

#[async_trait::async_trait]
impl Store for TestStore {
    async fn load(&self, key: &StoreKey) -> Result<Option<Stored>, StoreError> {
        self.call(|shared| {
            let records = shared.records.lock().unwrap();
            let (entry, version) = records.get(key)?;
            Some(Stored::new(entry.bytes.clone(), entry.expires_at, Version::new(*version)))
        })
        .await
    }

    async fn write(&self, key: &StoreKey, entry: Entry, expect: Expect) -> Result<Written, StoreError> {
        self.call(|shared| {
            let mut records = shared.records.lock().unwrap();
            let found = records
                .get(key)
                .map_or(Expect::Absent, |(_, version)| Expect::Version(Version::new(*version)));
            if found != expect {
                return Written::Conflict;
            }
            let version = shared.versions.fetch_add(1, SeqCst) as u64;
            records.insert(*key, (entry, version));
            Written::Stored(Version::new(version))
        })
        .await
    }

    async fn remove(&self, key: &StoreKey, expect: Option<Version>) -> Result<Removed, StoreError> {
        self.call(|shared| {
            let mut records = shared.records.lock().unwrap();
            match (records.get(key), expect) {
                (Some((_, version)), Some(expected)) if Version::new(*version) != expected => {
                    Removed::Conflict
                }
                _ => {
                    records.remove(key);
                    Removed::Gone
                }
            }
        })
        .await
    }
}

/// Pending so many times.
pub(crate) async fn pause(times: usize) {
    let mut left = times;
    std::future::poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(());
        }
        left -= 1;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

pub(crate) fn manager(store: &TestStore) -> SessionManager {
    manager_with(store, |builder| builder)
}

pub(crate) fn manager_with(
    store: &TestStore,
    configure: impl FnOnce(ManagerBuilder) -> ManagerBuilder,
) -> SessionManager {
    configure(SessionManager::builder(store.clone())).build().unwrap()
}

pub(crate) fn layer(store: &TestStore) -> SessionLayer {
    SessionLayer::new(manager(store))
}

/// Counts visits, and shows the number.
pub(crate) async fn count(session: Session) -> Result<String, SessionError> {
    Ok(session.update("visits", |visits: &mut u32| *visits += 1)?.to_string())
}

/// Shows the number of visits.
pub(crate) async fn read(session: Session) -> String {
    session.get::<u32>("visits").unwrap().unwrap_or(0).to_string()
}

/// `/count`, `/read`, `/destroy` and `/untouched`.
pub(crate) fn routes() -> BoxedFilter<(Response,)> {
    let count = warp::path("count").and(session()).then(count).map(Reply::into_response);
    let read = warp::path("read").and(session()).then(read).map(Reply::into_response);
    let destroy = warp::path("destroy").and(session()).map(|session: Session| match session.destroy() {
        Ok(()) => "bye".into_response(),
        Err(error) => SessionError::from(error).into_response(),
    });
    let untouched =
        warp::path("untouched").and(lazy_session()).map(|_: LazySession| "untouched".into_response());
    count.or(read).unify().or(destroy).unify().or(untouched).unify().boxed()
}

pub(crate) type App = BoxCloneSyncService<Request<Full<Bytes>>, Response, Infallible>;

pub(crate) fn app<F>(layer: SessionLayer, routes: F) -> App
where
    F: Filter<Extract: Reply + Send, Error: Into<Rejection>> + Send + Sync + 'static,
{
    BoxCloneSyncService::new(layer.wrap(routes))
}

/// What a client sees of a response.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
    pub(crate) extensions: http::Extensions,
}

impl Answer {
    pub(crate) fn all(&self, field: impl header::AsHeaderName) -> Vec<&str> {
        self.headers.get_all(field).iter().map(|value| value.to_str().unwrap()).collect()
    }

    /// The header fields that the session layer may send, and how often.
    pub(crate) fn session_fields(&self) -> [usize; 3] {
        [header::SET_COOKIE, header::VARY, header::CACHE_CONTROL].map(|field| self.all(field).len())
    }
}

/// A browser, as far as cookies go: one cookie for each name.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    app: App,
    cookies: HashMap<String, String>,
}

impl Client {
    pub(crate) fn new(app: App) -> Self {
        Self { app, cookies: HashMap::new() }
    }

    pub(crate) fn has_cookie(&self) -> bool {
        !self.cookies.is_empty()
    }

    pub(crate) fn cookie_header(&self) -> String {
        self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.send(Request::get(path), "").await
    }

    pub(crate) async fn post(&mut self, path: &str) -> Answer {
        self.send(Request::post(path), "").await
    }

    pub(crate) async fn method(&mut self, method: Method, path: &str) -> Answer {
        self.send(Request::builder().method(method).uri(path), "").await
    }

    pub(crate) async fn send(&mut self, request: request::Builder, body: impl Into<Bytes>) -> Answer {
        let answer = collect(self.open(request, body).await).await;
        for cookie in answer.all(header::SET_COOKIE) {
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            if cookie.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.into(), value.into());
            }
        }
        answer
    }

    /// The response when its head has left, with a body to be read.
    pub(crate) async fn open(&self, mut request: request::Builder, body: impl Into<Bytes>) -> Response {
        if self.has_cookie() {
            request = request.header(header::COOKIE, self.cookie_header());
        }
        let Ok(response) = self.app.clone().oneshot(request.body(Full::new(body.into())).unwrap()).await;
        response
    }
}

pub(crate) async fn collect(response: Response) -> Answer {
    let (parts, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Answer {
        status: parts.status,
        headers: parts.headers,
        body: String::from_utf8(body.to_vec()).unwrap(),
        extensions: parts.extensions,
    }
}

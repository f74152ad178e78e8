//! A store that counts, fails and waits on demand, and a client that keeps its cookie.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    task::Poll,
};

use rocket::{
    Build, Rocket, Route, get,
    http::{Header, Method},
    local::asynchronous::{self, LocalResponse},
    routes,
};
use session_adapter_rocket::{LazySession, Session, SessionError, SessionFairing};
use session_core::{
    Entry, Expect, ManagerBuilder, Removed, SessionManager, Store, StoreError, StoreErrorKind, StoreKey,
    Stored, Version, Written,
};

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

/// Counts visits, and shows the number.
#[get("/count")]
fn count(session: Session) -> Result<String, SessionError> {
    Ok(session.update("visits", |visits: &mut u32| *visits += 1)?.to_string())
}

/// Shows the number of visits.
#[get("/read")]
fn read(session: Session) -> String {
    session.get::<u32>("visits").unwrap().unwrap_or(0).to_string()
}

#[get("/destroy")]
fn destroy(session: Session) -> Result<(), SessionError> {
    Ok(session.destroy()?)
}

/// Takes the session and does not ask for it.
#[get("/untouched")]
fn untouched(_session: LazySession) -> &'static str {
    "untouched"
}

/// An application with the routes above and others.
pub(crate) fn app(fairing: SessionFairing, others: Vec<Route>) -> Rocket<Build> {
    let config =
        rocket::Config { log_level: rocket::config::LogLevel::Off, ..rocket::Config::debug_default() };
    rocket::custom(config)
        .attach(fairing)
        .mount("/", routes![count, read, destroy, untouched])
        .mount("/", others)
}

pub(crate) async fn client(store: &TestStore, others: Vec<Route>) -> Client {
    Client::new(app(SessionFairing::new(manager(store)), others)).await
}

/// What a client sees of a response.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) async fn of(response: LocalResponse<'_>) -> Self {
        let headers =
            response.headers().iter().map(|field| (field.name.to_string(), field.value.to_string()));
        Self {
            status: response.status().code,
            headers: headers.collect(),
            body: response.into_string().await.unwrap_or_default(),
        }
    }

    pub(crate) fn all(&self, field: &str) -> Vec<&str> {
        let named = self.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case(field));
        named.map(|(_, value)| value.as_str()).collect()
    }

    /// The header fields that the session layer may send, and how often.
    pub(crate) fn session_fields(&self) -> [usize; 3] {
        ["set-cookie", "vary", "cache-control"].map(|field| self.all(field).len())
    }
}

/// A browser, as far as cookies go: one cookie for each name, sent in a `Cookie` field.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) rocket: Arc<asynchronous::Client>,
    cookies: HashMap<String, String>,
}

impl Client {
    pub(crate) async fn new(app: Rocket<Build>) -> Self {
        let rocket = asynchronous::Client::untracked(app).await.unwrap();
        Self { rocket: Arc::new(rocket), cookies: HashMap::new() }
    }

    /// Another visitor of the same application.
    pub(crate) fn stranger(&self) -> Self {
        Self { rocket: self.rocket.clone(), cookies: HashMap::new() }
    }

    pub(crate) fn has_cookie(&self) -> bool {
        !self.cookies.is_empty()
    }

    pub(crate) fn cookie_header(&self) -> String {
        self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.send(Method::Get, path, &[], "").await
    }

    pub(crate) async fn send(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(&'static str, &str)],
        body: &str,
    ) -> Answer {
        let mut request = self.rocket.req(method, path.to_owned()).body(body);
        for (name, value) in headers {
            request.add_header(Header::new(*name, (*value).to_owned()));
        }
        if self.has_cookie() {
            request.add_header(Header::new("Cookie", self.cookie_header()));
        }
        let answer = Answer::of(request.dispatch().await).await;
        for cookie in answer.all("set-cookie") {
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            if cookie.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.into(), value.into());
            }
        }
        answer
    }
}

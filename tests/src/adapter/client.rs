//! Who uses the application: a browser with its cookies, or a program that keeps what it is told in another way.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, Uri, header};
use serde_json::Value;
use session_core::{Clock, ManualClock};
use tokio::task::{JoinHandle, yield_now};

use super::{
    application::Started,
    jar::Jar,
    persist::{Persist, Told, redirected},
};
use crate::{
    Failure, Result,
    failure::{ensure, fail},
};

/// A client of the application. Clones are the same client: parallel requests of one browser.
#[derive(Clone)]
pub(super) struct Client {
    way: Arc<Way>,
    memory: Arc<Mutex<Memory>>,
}

/// How a client reaches the application.
pub(super) struct Way {
    pub(super) app: Started,
    pub(super) persist: Persist,
    pub(super) clock: Arc<ManualClock>,
    /// The name of the session cookie.
    pub(super) cookie: String,
    pub(super) https: bool,
}

/// What a client remembers between requests.
#[derive(Clone, Default)]
struct Memory {
    jar: Jar,
    /// What it presents, where that is no cookie.
    held: Option<String>,
}

impl Client {
    pub(super) fn new(way: Arc<Way>) -> Self {
        Self { way, memory: Arc::default() }
    }

    /// Another client who remembers the same: a copy of the browser's cookies, from now on on its own.
    pub(super) fn copy(&self) -> Self {
        Self { way: self.way.clone(), memory: Arc::new(Mutex::new(self.memory().clone())) }
    }

    /// Another client who remembers nothing.
    pub(super) fn stranger(&self) -> Self {
        Self::new(self.way.clone())
    }

    /// Another client who remembers nothing but this id.
    pub(super) fn with_id(&self, id: &str) -> Self {
        let client = self.stranger();
        {
            let mut memory = client.memory();
            if self.way.persist.is_cookie() {
                memory.jar.plant(&self.way.cookie, "/", id);
            } else {
                memory.held = Some(id.to_owned());
            }
        }
        client
    }

    /// What this client will present.
    pub(super) fn id(&self) -> Option<String> {
        let memory = self.memory();
        if self.way.persist.is_cookie() {
            memory.jar.value(&self.way.cookie, self.way.clock.now()).map(str::to_owned)
        } else {
            memory.held.clone()
        }
    }

    /// The id that this client must have by now.
    pub(super) fn known_id(&self) -> Result<String> {
        self.id().ok_or_else(|| Failure::new("the client has not been told an id"))
    }

    /// Sends a list of operations.
    pub(super) async fn ops(&self, ops: impl IntoIterator<Item = Value>) -> Result<Reply> {
        self.send(self.ops_request(ops)?).await
    }

    /// Sends operations that must be answered with 200, and gives the answers.
    pub(super) async fn run<const N: usize>(&self, ops: [Value; N]) -> Result<[Value; N]> {
        self.ops(ops).await?.results()
    }

    /// Sends one operation that must be answered with 200, and gives its answer.
    pub(super) async fn one(&self, op: Value) -> Result<Value> {
        let [result] = self.run([op]).await?;
        Ok(result)
    }

    /// The value of a key.
    pub(super) async fn value(&self, key: &str) -> Result<Value> {
        self.one(super::ops::get(key)).await
    }

    /// Sends `GET path`.
    pub(super) async fn get(&self, path: &str) -> Result<Reply> {
        self.send(self.request(Method::GET, path, Bytes::new())?).await
    }

    /// Begins to send a list of operations.
    pub(super) fn launch(&self, ops: impl IntoIterator<Item = Value>) -> Result<Flight> {
        let (client, request) = (self.clone(), self.ops_request(ops)?);
        Ok(Flight { task: tokio::spawn(async move { client.send(request).await }), landed: None })
    }

    /// The request for a list of operations, with what this client presents.
    pub(super) fn ops_request(&self, ops: impl IntoIterator<Item = Value>) -> Result<Request<Bytes>> {
        let body = Value::Array(ops.into_iter().collect()).to_string();
        let mut request = self.request(Method::POST, "/ops", body.into())?;
        request.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        Ok(request)
    }

    /// A request, with what this client presents.
    pub(super) fn request(&self, method: Method, path: &str, body: Bytes) -> Result<Request<Bytes>> {
        let mut request =
            Request::builder().method(method).uri(path).header(header::HOST, HOST).body(body)?;
        let memory = self.memory();
        let now = self.way.clock.now();
        if let Some(field) = memory.jar.field(request.uri().path(), self.way.https, now)? {
            request.headers_mut().insert(header::COOKIE, field);
        }
        if let Some(held) = &memory.held {
            self.way.persist.present(&mut request, &self.way.cookie, held.as_bytes())?;
        }
        Ok(request)
    }

    /// A request for a list of operations that presents these values as ids, and nothing else.
    pub(super) fn presenting(
        &self,
        ids: &[&[u8]],
        ops: impl IntoIterator<Item = Value>,
    ) -> Result<Request<Bytes>> {
        let mut request = self.stranger().ops_request(ops)?;
        for id in ids {
            self.way.persist.present(&mut request, &self.way.cookie, id)?;
        }
        Ok(request)
    }

    /// A request for a list of operations with these header fields, and nothing that this client remembers.
    pub(super) fn with_fields(
        &self,
        name: &HeaderName,
        fields: &[&[u8]],
        ops: impl IntoIterator<Item = Value>,
    ) -> Result<Request<Bytes>> {
        let mut request = self.stranger().ops_request(ops)?;
        for field in fields {
            request.headers_mut().append(name, HeaderValue::from_bytes(field)?);
        }
        Ok(request)
    }

    /// Sends a request as it is, follows the redirect that hands an id out, and takes in the answer.
    pub(super) async fn send(&self, request: Request<Bytes>) -> Result<Reply> {
        if self.way.persist != Persist::Query || request.method() != Method::GET {
            return self.send_once(request).await;
        }
        let mut again = request.clone();
        let reply = self.send_once(request).await?;
        let Some(uri) = self.keep_redirect(&again, &reply)? else { return Ok(reply) };
        *again.uri_mut() = uri;
        let reply = self.send_once(again).await?;
        ensure!(!reply.headers.contains_key(header::LOCATION), "a redirect leads to another redirect");
        Ok(reply)
    }

    /// Keeps the id that a redirect hands out. Answers where it leads to, if it is one.
    pub(super) fn keep_redirect(&self, request: &Request<Bytes>, reply: &Reply) -> Result<Option<Uri>> {
        let location = reply.headers.get(header::LOCATION);
        if self.way.persist != Persist::Query || request.method() != Method::GET {
            return Ok(None);
        }
        let Some(location) = location else { return Ok(None) };
        let (uri, id) = redirected(request.uri(), location)?;
        self.memory().held = Some(id);
        Ok(Some(uri))
    }

    /// Sends a request as it is and takes in the answer, be it a redirect.
    pub(super) async fn send_once(&self, request: Request<Bytes>) -> Result<Reply> {
        let (head, body) = self.way.app.send(request).await.into_parts();
        let told = self.learn(&head.headers)?;
        let sealed = self.way.persist.is_sealed();
        Ok(Reply { status: head.status, headers: head.headers, body, told, sealed })
    }

    /// Takes in what a response says.
    pub(super) fn learn(&self, headers: &HeaderMap) -> Result<Told> {
        let told = self.way.persist.told(headers, &self.way.cookie)?;
        let mut memory = self.memory();
        memory.jar.take(headers, self.way.https, self.way.clock.now())?;
        if !self.way.persist.is_cookie() {
            match &told {
                Told::Nothing => {}
                Told::Issued(id) => memory.held = Some(id.clone()),
                Told::Withdrawn => memory.held = None,
            }
        }
        Ok(told)
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Client")
    }
}

/// A request on its way. Dropped, it is cancelled.
pub(super) struct Flight {
    task: JoinHandle<Result<Reply>>,
    landed: Option<Result<Reply>>,
}

impl Flight {
    /// Waits for the answer.
    pub(super) async fn land(mut self) -> Result<Reply> {
        self.landing().await
    }

    /// Waits for the answer, and gives up when dropped.
    pub(super) async fn landing(&mut self) -> Result<Reply> {
        match self.landed.take() {
            Some(reply) => reply,
            None => joined((&mut self.task).await),
        }
    }

    /// Waits for the answer, unless the request turns out to wait for another one: then there is none.
    pub(super) async fn landing_or_waiting(&mut self) -> Option<Result<Reply>> {
        for _ in 0..PATIENCE {
            if self.has_landed() {
                return Some(self.landing().await);
            }
            yield_now().await;
        }
        None
    }

    /// Whether the answer is there.
    pub(super) fn has_landed(&self) -> bool {
        self.landed.is_some() || self.task.is_finished()
    }

    /// The request must still wait for the store.
    ///
    /// # Errors
    /// If it is answered all the same.
    pub(super) async fn must_wait(&mut self) -> Result {
        for _ in 0..PATIENCE {
            if self.task.is_finished() {
                fail!("a request is answered before the store has answered it");
            }
            yield_now().await;
        }
        Ok(())
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn joined(reply: Result<Result<Reply>, tokio::task::JoinError>) -> Result<Reply> {
    reply.unwrap_or_else(|error| match error.try_into_panic() {
        Ok(panic) => std::panic::resume_unwind(panic),
        Err(error) => Err(error.into()),
    })
}

/// Waits for many answers.
pub(super) async fn land_all(flights: impl IntoIterator<Item = Flight>) -> Result<Vec<Reply>> {
    let mut replies = Vec::new();
    for flight in flights {
        replies.push(flight.land().await?);
    }
    Ok(replies)
}

/// An answer.
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    pub(super) told: Told,
    /// Whether the client holds the session itself.
    sealed: bool,
}

impl Reply {
    /// The answers to the operations, of which there must be `N`, in a response that must be a 200.
    pub(super) fn results<const N: usize>(&self) -> Result<[Value; N]> {
        self.has_status(200)?;
        self.answers()
    }

    /// The answers to the operations, of which there must be `N`, whatever the status.
    pub(super) fn answers<const N: usize>(&self) -> Result<[Value; N]> {
        let results: Vec<Value> = serde_json::from_slice(&self.body)?;
        let number = results.len();
        results.try_into().map_err(|_| Failure::new(format!("{N} operations have {number} answers")))
    }

    /// The response must have this status.
    pub(super) fn has_status(&self, status: u16) -> Result<&Self> {
        let body = String::from_utf8_lossy(&self.body);
        ensure!(self.status.as_u16() == status, "the answer is {} instead of {status}: {body}", self.status);
        Ok(self)
    }

    /// The response must not say anything about an id.
    pub(super) fn tells_nothing(&self) -> Result<&Self> {
        ensure!(self.told == Told::Nothing, "a response sends {:?} where nothing is to be told", self.told);
        Ok(self)
    }

    /// The response must not say anything about an id; where the client holds the session itself, it may bring what
    /// has changed.
    pub(super) fn keeps_the_id(&self) -> Result<&Self> {
        if self.sealed && matches!(self.told, Told::Issued(_)) { Ok(self) } else { self.tells_nothing() }
    }

    /// The response must issue an id.
    pub(super) fn issues(&self) -> Result<String> {
        match &self.told {
            Told::Issued(id) => Ok(id.clone()),
            told => fail!("a response sends {told:?} where an id is to be issued"),
        }
    }

    /// The response must withdraw the id.
    pub(super) fn withdraws(&self) -> Result<&Self> {
        ensure!(self.told == Told::Withdrawn, "a response sends {:?} where it is to be withdrawn", self.told);
        Ok(self)
    }

    /// The members of a field that is a comma-separated list, in lower case, over all its lines.
    pub(super) fn list(&self, name: &HeaderName) -> Result<Vec<String>> {
        let mut members = Vec::new();
        for line in self.headers.get_all(name) {
            members.extend(line.to_str()?.split(',').map(|member| member.trim().to_ascii_lowercase()));
        }
        Ok(members)
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply")
            .field("status", &self.status)
            .field("told", &self.told)
            .finish_non_exhaustive()
    }
}

const HOST: &str = "app.example";
/// How often other tasks get their turn before a request that is still waiting is believed to wait.
pub(super) const PATIENCE: usize = 200;

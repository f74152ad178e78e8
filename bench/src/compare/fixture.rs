//! The application of the kit's protocol (`GET /`, `GET /untouched`, `POST /ops`) over the sessions of another library: what
//! an application would write that has to answer so, and nothing that would make up for the library.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use serde_json::{Value, json};

/// What a handler can do with a session of the library under test.
#[async_trait]
pub(crate) trait Visit: Send {
    async fn get(&mut self, key: &str) -> Outcome<Option<Value>>;
    async fn set(&mut self, key: &str, value: Value) -> Outcome<()>;
    async fn remove(&mut self, key: &str) -> Outcome<()>;

    /// Removes every value; `keys` are all that were ever set.
    async fn clear(&mut self, keys: &[String]) -> Outcome<()>;

    /// A new id for the same data.
    async fn renew(&mut self) -> Outcome<()>;

    async fn destroy(&mut self) -> Outcome<()>;

    /// The id of the session that was found, where the cookie's value does not tell it.
    async fn id(&mut self) -> Option<String> {
        None
    }

    /// Stores at once.
    async fn save(&mut self) -> Outcome<()> {
        Err(Trouble::NotOffered("storing at once"))
    }
}

pub(crate) type Outcome<T> = Result<T, Trouble>;

/// Why an operation was not carried out.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// The library has no such thing.
    NotOffered(&'static str),
    /// The library has answered with an error.
    Failed,
}

/// What an application knows besides the session. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    /// The name of the session's cookie.
    cookie: String,
    facts: Arc<Mutex<Facts>>,
}

#[derive(Debug, Default)]
struct Facts {
    /// Every key that was ever set: not all libraries list the keys of a session, and asking for each that can be there
    /// comes to the same.
    keys: BTreeSet<String>,
    /// Values of the cookie that were handed out, and those of them that were replaced. They are only for the word in the
    /// answer (`unknown`, `superseded`) and decide nothing.
    issued: BTreeSet<String>,
    replaced: BTreeSet<String>,
}

/// What the library, as it is set up here, was asked for and does not offer, since the last [`take_not_offered`].
static NOT_OFFERED: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());

/// Notes that a case has asked for something that the library has no notion of.
pub(crate) fn not_offered(what: &'static str) {
    NOT_OFFERED.lock().unwrap_or_else(PoisonError::into_inner).insert(what);
}

/// What was noted since the last call. Cases run one at a time.
pub(crate) fn take_not_offered() -> Vec<&'static str> {
    let noted = std::mem::take(&mut *NOT_OFFERED.lock().unwrap_or_else(PoisonError::into_inner));
    noted.into_iter().collect()
}

impl Known {
    pub(crate) fn new(cookie: String) -> Self {
        Self { cookie, facts: Arc::default() }
    }

    /// Looks at a whole response, as it leaves the library.
    ///
    /// An answer of the library that says no more than that something went wrong becomes the one that an application should
    /// give then: 503 with `Retry-After`. And a cookie that tells the client the id which it has presented is taken off:
    /// the kit's rules are about ids that change, and sending one again is not wrong.
    pub(crate) fn leave(&self, mut response: Response<Bytes>, presented: Option<&str>) -> Response<Bytes> {
        let same = response.headers_mut().remove(SAME_ID).is_some();
        let mut issued = self.issued(response.headers());
        if same || (issued.len() == 1 && issued.first().map(String::as_str) == presented) {
            self.take_off(response.headers_mut());
            issued.clear();
        }
        {
            let mut facts = self.facts();
            if let (Some(old), true) = (presented, issued.iter().any(|id| Some(id.as_str()) != presented)) {
                if facts.issued.contains(old) {
                    facts.replaced.insert(old.to_owned());
                }
            }
            facts.issued.extend(issued);
        }
        let ours = response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == JSON);
        if response.status().is_server_error() && !ours {
            *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }

    /// The value of the first session cookie in a request.
    pub(crate) fn presented(&self, headers: &HeaderMap) -> Option<String> {
        let fields = headers.get_all(header::COOKIE).iter();
        let texts: Vec<_> = fields.map(|field| String::from_utf8_lossy(field.as_bytes())).collect();
        let pairs = texts.iter().flat_map(|field| field.split(';'));
        let mut pairs = pairs.filter_map(|pair| pair.split_once('='));
        let (_, value) = pairs.find(|(name, _)| name.trim_matches([' ', '\t']) == self.cookie)?;
        Some(value.trim_matches([' ', '\t']).to_owned())
    }

    /// The values of the session cookie that a response hands out.
    fn issued(&self, headers: &HeaderMap) -> Vec<String> {
        let fields = headers.get_all(header::SET_COOKIE).iter().filter_map(|field| field.to_str().ok());
        let pairs = fields.filter_map(|field| field.split(';').next()?.split_once('='));
        let ours = pairs.filter(|(name, value)| *name == self.cookie && !value.is_empty());
        ours.map(|(_, id)| id.to_owned()).collect()
    }

    fn take_off(&self, headers: &mut HeaderMap) {
        let prefix = format!("{}=", self.cookie);
        let all: Vec<_> = headers.get_all(header::SET_COOKIE).iter().cloned().collect();
        headers.remove(header::SET_COOKIE);
        for field in all.into_iter().filter(|field| !field.as_bytes().starts_with(prefix.as_bytes())) {
            headers.append(header::SET_COOKIE, field);
        }
    }

    fn facts(&self) -> MutexGuard<'_, Facts> {
        self.facts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keys(&self) -> Vec<String> {
        self.facts().keys.iter().cloned().collect()
    }

    /// The keys that the session has.
    async fn keys_of(&self, visit: &mut dyn Visit) -> Outcome<Vec<String>> {
        let mut found = Vec::new();
        for key in self.keys() {
            if visit.get(&key).await?.is_some() {
                found.push(key);
            }
        }
        Ok(found)
    }

    /// A word for the state of the session, from what an application can see of it.
    async fn status(&self, visit: &mut dyn Visit, presented: Option<&str>) -> Outcome<&'static str> {
        if !self.keys_of(visit).await?.is_empty() || visit.get(PRINCIPAL).await?.is_some() {
            return Ok("active");
        }
        let facts = self.facts();
        Ok(match presented {
            None => "new",
            Some(id) if facts.replaced.contains(id) => "superseded",
            Some(id) if facts.issued.contains(id) || is_like_ours(id) => "unknown",
            Some(_) => "new",
        })
    }
}

/// The answer to a request whose handler has this session.
pub(crate) async fn answer(
    visit: &mut dyn Visit,
    known: &Known,
    path: &str,
    headers: &HeaderMap,
    body: &[u8],
) -> Response<Bytes> {
    let presented = known.presented(headers);
    let before = visit.id().await;
    let answered = match path {
        "/" => root(visit, known, presented.as_deref()).await,
        _ => ops(visit, known, presented.as_deref(), body).await,
    };
    let mut response = answered.unwrap_or_else(|_| {
        let mut response = respond(StatusCode::SERVICE_UNAVAILABLE, &json!({ "error": "unavailable" }));
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        response
    });
    if before.is_some() && visit.id().await == before {
        response.headers_mut().insert(SAME_ID, HeaderValue::from_static("1"));
    }
    response
}

async fn root(visit: &mut dyn Visit, known: &Known, presented: Option<&str>) -> Outcome<Response<Bytes>> {
    let keys = known.keys_of(visit).await?;
    let status = known.status(visit, presented).await?;
    Ok(respond(StatusCode::OK, &json!({ "status": status, "keys": keys })))
}

async fn ops(
    visit: &mut dyn Visit,
    known: &Known,
    presented: Option<&str>,
    body: &[u8],
) -> Outcome<Response<Bytes>> {
    let Ok(Value::Array(ops)) = serde_json::from_slice(body) else {
        return Ok(respond(StatusCode::BAD_REQUEST, &json!({ "error": "not a list" })));
    };
    let mut run = Run { visit, known, presented, status: StatusCode::OK, headers: Vec::new(), ended: false };
    let mut results = Vec::new();
    for op in &ops {
        results.push(match run.op(op).await {
            Ok(answer) => answer,
            Err(Trouble::NotOffered(what)) => {
                not_offered(what);
                json!({ "error": "not-offered" })
            }
            Err(Trouble::Failed) if op["op"] == "save" => json!({ "error": "unavailable" }),
            Err(Trouble::Failed) => return Err(Trouble::Failed),
        });
    }
    let mut response = respond(run.status, &Value::Array(results));
    for (name, value) in run.headers {
        response.headers_mut().append(name, value);
    }
    Ok(response)
}

struct Run<'a> {
    visit: &'a mut dyn Visit,
    known: &'a Known,
    presented: Option<&'a str>,
    status: StatusCode,
    headers: Vec<(HeaderName, HeaderValue)>,
    ended: bool,
}

impl Run<'_> {
    async fn op(&mut self, op: &Value) -> Outcome<Value> {
        if !op["ns"].is_null() {
            return Err(Trouble::NotOffered("namespaces"));
        }
        let key = op["key"].as_str().unwrap_or_default();
        let done = |()| Value::Null;
        match op["op"].as_str().unwrap_or_default() {
            "get" => Ok(self.visit.get(key).await?.unwrap_or_default()),
            "set" => self.set(key, op["value"].clone()).await.map(done),
            "remove" => {
                let value = self.visit.get(key).await?.unwrap_or_default();
                self.visit.remove(key).await?;
                Ok(value)
            }
            "incr" => self.increment(key, op["by"].as_i64().unwrap_or(1)).await,
            "clear" => self.visit.clear(&self.known.keys()).await.map(done),
            "keys" => Ok(json!(self.known.keys_of(self.visit).await?)),
            "len" => Ok(json!(self.known.keys_of(self.visit).await?.len())),
            "renew" => self.visit.renew().await.map(done),
            // As their guides tell to: the name of the user is a value, and the id is replaced.
            "authenticate" => {
                self.visit.set(PRINCIPAL, op["principal"].clone()).await?;
                self.visit.renew().await.map(done)
            }
            "deauthenticate" => match self.visit.get(PRINCIPAL).await? {
                None => Ok(Value::Null),
                Some(_) => {
                    self.visit.remove(PRINCIPAL).await?;
                    self.visit.renew().await.map(done)
                }
            },
            "destroy" => {
                self.ended = true;
                self.visit.destroy().await.map(done)
            }
            "info" => self.info().await,
            "save" => self.visit.save().await.map(done),
            "sleep" => {
                let pause = std::time::Duration::from_millis(op["ms"].as_u64().unwrap_or_default());
                tokio::time::sleep(pause).await;
                Ok(Value::Null)
            }
            "fail" => self.respond_with(500),
            "status" => self.respond_with(op["code"].as_u64().unwrap_or_default()),
            "header" => {
                let (name, value) = (op["name"].as_str(), op["value"].as_str());
                let name = name.and_then(|name| HeaderName::try_from(name).ok());
                let value = value.and_then(|value| HeaderValue::try_from(value).ok());
                self.headers.extend(name.zip(value));
                Ok(Value::Null)
            }
            "flash" | "flashes" => Err(Trouble::NotOffered("flash messages")),
            "csrf" | "check_csrf" => Err(Trouble::NotOffered("CSRF tokens")),
            "sessions" | "end" | "end_others" => Err(Trouble::NotOffered("the sessions of a principal")),
            "set_idle" | "set_expires_at" => Err(Trouble::NotOffered("times of a single session")),
            "revert" => Err(Trouble::NotOffered("taking changes back")),
            "link" => Err(Trouble::NotOffered("links with ids")),
            _ => Err(Trouble::NotOffered("an operation of the kit")),
        }
    }

    async fn set(&mut self, key: &str, value: Value) -> Outcome<()> {
        self.known.facts().keys.insert(key.to_owned());
        self.visit.set(key, value).await
    }

    /// As an application changes a value: reads it, and writes what becomes of it.
    async fn increment(&mut self, key: &str, by: i64) -> Outcome<Value> {
        let number = match self.visit.get(key).await? {
            None => 0,
            Some(Value::Number(number)) => number.as_i64().unwrap_or_default(),
            Some(_) => return Ok(json!({ "error": "decode" })),
        };
        let number = number.saturating_add(by);
        self.set(key, json!(number)).await?;
        Ok(json!(number))
    }

    async fn info(&mut self) -> Outcome<Value> {
        let status = match self.ended {
            true => "ended",
            false => self.known.status(self.visit, self.presented).await?,
        };
        let principal = self.visit.get(PRINCIPAL).await?;
        Ok(json!({ "is_new": status == "new", "status": status, "principal": principal }))
    }

    fn respond_with(&mut self, code: u64) -> Outcome<Value> {
        let code = u16::try_from(code).ok().and_then(|code| StatusCode::from_u16(code).ok());
        self.status = code.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Ok(Value::Null)
    }
}

/// Whether the kit made the id up as one that looks right.
fn is_like_ours(id: &str) -> bool {
    id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

pub(crate) fn respond(status: StatusCode, body: &Value) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(JSON));
    response
}

/// Set by [`answer`] where the session still has the id that it came with.
const SAME_ID: &str = "x-same-id";
const PRINCIPAL: &str = "signed in as";
const JSON: &str = "application/json";

//! rocket_flex_session with its memory storage and a map of values: the fairing as its documentation shows it. It has no call for a new id: deleting the session and setting the same data again gives one.

use std::{collections::HashMap, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};
use rocket::{
    Build, Config, Rocket, State,
    config::{LogLevel, SecretKey},
    data::{Limits, ToByteUnit},
    get,
    http::{Cookie, CookieJar, Header, Method, Status},
    local::asynchronous::Client,
    post,
    request::{FromRequest, Outcome as Guarded},
    routes,
};
use rocket_flex_session::{
    RocketFlexSession, Session, SessionHashMap,
    error::{SessionError, SessionResult},
    storage::{SessionStorage, memory::MemoryStorage},
};
use serde_json::Value;
use session_conformance::adapter::Stranger;
use session_core::{SessionConfig, Store, StoreError};

use super::settings;
use crate::compare::{
    fixture::{self, Known, Outcome, Visit},
    toll::Toll,
};

/// The application.
pub(crate) struct FlexSession(Client, Known);

/// The session's data, a map as the library's own trait for such sessions wants it.
#[derive(Clone, Debug, Default, serde::Serialize)]
struct Data(HashMap<String, Value>);

impl SessionHashMap for Data {
    type Value = Value;

    fn get(&self, key: &str) -> Option<&Value> {
        self.0.get(key)
    }

    fn insert(&mut self, key: String, value: Value) {
        self.0.insert(key, value);
    }

    fn remove(&mut self, key: &str) {
        self.0.remove(key);
    }
}

impl Stranger for FlexSession {
    /// Rocket drops them.
    const RAW_FIELDS: bool = false;

    async fn start(config: SessionConfig, cookie: String, store: Arc<dyn Store>) -> Self {
        settings(&config);
        let known = Known::new(cookie.clone());
        let storage = Tolled { toll: Toll::new(store), storage: MemoryStorage::default() };
        let fairing = RocketFlexSession::<Data>::builder()
            .storage(storage)
            .with_options(|options| options.cookie_name = cookie)
            .build();
        let rocket = rocket().attach(fairing).manage(known.clone()).mount("/", routes![root, untouched, ops]);
        #[expect(clippy::expect_used, reason = "the routes do not collide")]
        let client = Client::untracked(rocket).await.expect("an application");
        Self(client, known)
    }

    async fn send(&self, request: Request<Bytes>) -> Response<Bytes> {
        let presented = self.1.presented(request.headers());
        let (head, body) = request.into_parts();
        let method = if head.method == http::Method::POST { Method::Post } else { Method::Get };
        let mut local = self.0.req(method, head.uri.to_string()).body(&body);
        for (name, value) in &head.headers {
            // As Rocket itself: what is not UTF-8 is dropped.
            let Ok(value) = std::str::from_utf8(value.as_bytes()) else { continue };
            local.add_header(Header::new(name.as_str().to_owned(), value.to_owned()));
            if name == http::header::COOKIE {
                // What arrives over a socket has its cookies in the jar as well.
                local = local.cookies(Cookie::split_parse_encoded(value.to_owned()).filter_map(Result::ok));
            }
        }
        let answer = local.dispatch().await;
        let mut response = Response::new(Bytes::new());
        *response.status_mut() =
            StatusCode::from_u16(answer.status().code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        for field in answer.headers().iter() {
            let name = HeaderName::try_from(field.name().as_str()).ok();
            response.headers_mut().extend(name.zip(HeaderValue::from_bytes(field.value().as_bytes()).ok()));
        }
        *response.body_mut() = answer.into_bytes().await.unwrap_or_default().into();
        self.1.leave(response, presented.as_deref())
    }
}

fn rocket() -> Rocket<Build> {
    let secret_key = SecretKey::from(&[7; 64]);
    let limits = Limits::default().limit("bytes", 2.mebibytes());
    rocket::custom(Config { log_level: LogLevel::Off, secret_key, limits, ..Config::release_default() })
}

#[get("/")]
async fn root(session: Session<'_, Data>, known: &State<Known>, fields: Fields) -> Reply {
    Reply(fixture::answer(&mut Visitor(session), known, "/", &fields.0, b"").await)
}

#[get("/untouched")]
fn untouched() -> &'static str {
    "ok"
}

#[post("/ops", data = "<body>")]
async fn ops(session: Session<'_, Data>, known: &State<Known>, fields: Fields, body: Vec<u8>) -> Reply {
    Reply(fixture::answer(&mut Visitor(session), known, "/ops", &fields.0, &body).await)
}

struct Visitor<'a>(Session<'a, Data>);

#[async_trait]
impl Visit for Visitor<'_> {
    async fn get(&mut self, key: &str) -> Outcome<Option<Value>> {
        Ok(self.0.get_key(key))
    }

    async fn set(&mut self, key: &str, value: Value) -> Outcome<()> {
        self.0.set_key(key.to_owned(), value);
        Ok(())
    }

    async fn remove(&mut self, key: &str) -> Outcome<()> {
        // Its `remove_key` counts as a change whether the key is there or not.
        if self.0.get_key(key).is_some() {
            self.0.remove_key(key);
        }
        Ok(())
    }

    async fn clear(&mut self, _: &[String]) -> Outcome<()> {
        if self.0.get().is_some() {
            self.0.set(Data::default());
        }
        Ok(())
    }

    async fn renew(&mut self) -> Outcome<()> {
        if let Some(data) = self.0.get() {
            self.0.delete();
            self.0.set(data);
        }
        Ok(())
    }

    async fn id(&mut self) -> Option<String> {
        self.0.id()
    }

    async fn destroy(&mut self) -> Outcome<()> {
        self.0.delete();
        Ok(())
    }
}

/// Its own storage, with the kit's store in front.
struct Tolled {
    toll: Toll,
    storage: MemoryStorage<Data>,
}

#[async_trait]
#[expect(elided_lifetimes_in_paths, reason = "spelled out, it would be another lifetime than the trait's")]
impl SessionStorage<Data> for Tolled {
    async fn load(&self, id: &str, ttl: Option<u32>, jar: &CookieJar) -> SessionResult<(Data, u32)> {
        self.toll.load(id.as_bytes(), backend, self.storage.load(id, ttl, jar)).await
    }

    async fn save(&self, id: &str, data: Data, ttl: u32) -> SessionResult<()> {
        let bytes = serde_json::to_vec(&data).unwrap_or_default();
        self.toll.write(id.as_bytes(), &bytes, backend, self.storage.save(id, data, ttl)).await
    }

    async fn delete(&self, id: &str, data: Data) -> SessionResult<()> {
        self.toll.remove(id.as_bytes(), backend, self.storage.delete(id, data)).await
    }

    async fn setup(&self) -> SessionResult<()> {
        self.storage.setup().await
    }

    async fn shutdown(&self) -> SessionResult<()> {
        self.storage.shutdown().await
    }
}

fn backend(error: StoreError) -> SessionError {
    SessionError::Backend(Box::new(error))
}

/// The header fields of a request.
struct Fields(HeaderMap);

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Fields {
    type Error = std::convert::Infallible;

    async fn from_request(request: &'r rocket::Request<'_>) -> Guarded<Self, Self::Error> {
        let mut fields = HeaderMap::new();
        for field in request.headers().iter() {
            let name = HeaderName::try_from(field.name().as_str()).ok();
            if let Some((name, value)) = name.zip(HeaderValue::from_bytes(field.value().as_bytes()).ok()) {
                fields.append(name, value);
            }
        }
        Guarded::Success(Self(fields))
    }
}

struct Reply(Response<Bytes>);

impl<'r> rocket::response::Responder<'r, 'static> for Reply {
    fn respond_to(self, _: &'r rocket::Request<'_>) -> rocket::response::Result<'static> {
        let (head, body) = self.0.into_parts();
        let mut response = rocket::Response::build();
        response.status(Status::new(head.status.as_u16()));
        for (name, value) in &head.headers {
            response.header_adjoin(Header::new(
                name.as_str().to_owned(),
                value.to_str().unwrap_or_default().to_owned(),
            ));
        }
        response.sized_body(body.len(), std::io::Cursor::new(body));
        response.ok()
    }
}

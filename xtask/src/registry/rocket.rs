//! The fixture application behind session-adapter-rocket.

use std::io::Cursor;

use anyhow::{Result, anyhow};
use bytes::Bytes;
use http::{Request, Response};
use rocket::{
    Build, Config, Rocket,
    config::{LogLevel, Shutdown},
    data::{Limits, ToByteUnit},
    fairing::AdHoc,
    get,
    http::{Header, Status, uri::Origin},
    local::asynchronous::Client,
    post,
    response::{self, Responder},
    routes,
};
use session_adapter_rocket::{Session, SessionFairing};
use session_conformance::{adapter::Adapter, fixture};
use session_core::SessionManager;

use super::{Serving, cut_off};

/// The application without a socket.
pub(super) struct Application(Client);

impl Adapter for Application {
    const RAW_FIELDS: bool = false;

    #[expect(clippy::expect_used, reason = "the suite makes a panic the failure of its case")]
    async fn start(manager: SessionManager) -> Self {
        Self(Client::untracked(rocket(manager, config())).await.expect("an application that launches"))
    }

    async fn send(&self, request: Request<Bytes>) -> Response<Bytes> {
        let (parts, body) = request.into_parts();
        let Ok(method) = parts.method.as_str().parse() else { return refused() };
        // What Rocket's server keeps of a target.
        let Some(target) = parts.uri.path_and_query() else { return refused() };
        let target = Origin::new(target.path(), target.query());
        let mut request = self.0.req(method, target).body(body);
        for (name, value) in &parts.headers {
            // Rocket drops the others where they come from a socket.
            if let Ok(value) = str::from_utf8(value.as_bytes()) {
                request.add_header(Header::new(name.as_str().to_owned(), value.to_owned()));
            }
        }
        let answer = request.dispatch().await;
        let mut response = Response::builder().status(answer.status().code);
        for field in answer.headers().iter() {
            response = response.header(field.name.as_str(), field.value.as_bytes());
        }
        let body = if answer.body().is_some() { answer.into_bytes().await } else { Some(Vec::new()) };
        body.and_then(|body| response.body(body.into()).ok()).unwrap_or_else(cut_off)
    }
}

/// The application on a socket. Rocket takes an address and no listener.
pub(super) async fn serve(Serving { manager, listener, ready, end }: Serving) -> Result<()> {
    let address = listener.local_addr()?;
    drop(listener);
    let config = Config {
        address: address.ip(),
        port: address.port(),
        shutdown: Shutdown {
            ctrlc: false,
            signals: Default::default(),
            grace: 7,
            mercy: 1,
            ..Shutdown::default()
        },
        ..config()
    };
    let rocket = rocket(manager, config)
        .attach(AdHoc::on_liftoff("ready", |_| Box::pin(async { ready() })))
        .ignite()
        .await
        .map_err(|error| anyhow!("{error}"))?;
    let shutdown = rocket.shutdown();
    tokio::spawn(async move {
        end.await;
        shutdown.notify();
    });
    rocket.launch().await.map(drop).map_err(|error| anyhow!("{error}"))
}

fn config() -> Config {
    let limits = Limits::new().limit("bytes", 2.mebibytes());
    Config { log_level: LogLevel::Off, limits, ..Config::debug_default() }
}

fn rocket(manager: SessionManager, config: Config) -> Rocket<Build> {
    // Rocket prints a line for every request, while another one is being built, unless somebody else has a logger.
    drop(log::set_logger(&Silence));
    rocket::custom(config).attach(SessionFairing::new(manager)).mount("/", routes![root, untouched, ops])
}

#[get("/")]
fn root(session: Session) -> Answer {
    Answer(fixture::root(&session))
}

#[get("/untouched")]
fn untouched() -> Answer {
    Answer(fixture::untouched())
}

#[post("/ops", data = "<body>")]
async fn ops(session: Session, body: Vec<u8>) -> Answer {
    Answer(fixture::ops(&session, &body).await)
}

/// The fixture's answer, in Rocket's types.
struct Answer(Response<Bytes>);

impl<'r> Responder<'r, 'static> for Answer {
    fn respond_to(self, _: &'r rocket::Request<'_>) -> response::Result<'static> {
        let (parts, body) = self.0.into_parts();
        let mut response = rocket::Response::new();
        response.set_status(Status::new(parts.status.as_u16()));
        for (name, value) in &parts.headers {
            let value = str::from_utf8(value.as_bytes()).map_err(|_| Status::InternalServerError)?;
            response.adjoin_header(Header::new(name.as_str().to_owned(), value.to_owned()));
        }
        response.set_sized_body(body.len(), Cursor::new(body));
        Ok(response)
    }
}

/// What a client sees that uses a method which Rocket does not know.
fn refused() -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = http::StatusCode::BAD_REQUEST;
    response
}

struct Silence;

impl log::Log for Silence {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        false
    }

    fn log(&self, _: &log::Record<'_>) {}

    fn flush(&self) {}
}

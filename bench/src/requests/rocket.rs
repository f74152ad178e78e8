//! The application on Rocket: without sessions, with the library, and with rocket_flex_session as its documentation
//! shows it.
#![expect(clippy::expect_used, reason = "a measurement that cannot be set up ends with the reason")]

use std::hint::black_box;

use rocket::{
    Build, Config, Data, Request, Response, Rocket,
    config::{LogLevel, SecretKey},
    fairing::{Fairing, Info, Kind},
    get,
    http::{Cookie, Header},
    local::asynchronous::{Client, LocalRequest},
    routes,
};
use rocket_flex_session::RocketFlexSession;
use session_adapter_rocket::SessionFairing;
use session_core::{Key, SessionManager};
use session_store_memory::MemoryStore;
use tokio::runtime::Runtime;

use super::{App, Apps, Meter, PLAIN, Row, next};
use crate::report::OURS;

pub(super) fn apps(runtime: &Runtime) -> Apps {
    let store = MemoryStore::builder().max_records(usize::MAX).max_bytes(usize::MAX).build();
    let manager = SessionManager::builder(store).build().expect("a valid configuration");
    let rockets = [
        (PLAIN, rocket().attach(NoOp).mount("/", routes![untouched, plain::read, plain::write])),
        (
            OURS,
            rocket()
                .attach(SessionFairing::new(manager))
                .mount("/", routes![untouched, ours::read, ours::write]),
        ),
        (
            "rocket_flex_session 0.2",
            rocket()
                .attach(RocketFlexSession::<peer::Visitor>::default())
                .mount("/", routes![untouched, peer::read, peer::write]),
        ),
    ];
    let apps = rockets.map(|(name, rocket)| {
        let client = runtime.block_on(Client::untracked(rocket)).expect("an application");
        (name, Box::new(RocketApp(client)) as Box<dyn App>)
    });
    apps.into()
}

fn rocket() -> Rocket<Build> {
    let secret_key = SecretKey::from(&[7; 64]);
    rocket::custom(Config { log_level: LogLevel::Off, secret_key, ..Config::release_default() })
}

struct RocketApp(Client);

impl RocketApp {
    /// What arrives from a socket has its cookies in the header and in the jar.
    fn request(&self, row: Row, cookie: &str) -> LocalRequest<'_> {
        let request = self.0.get(row.path());
        let request = request.header(Header::new("user-agent", "bench")).header(Header::new("accept", "*/*"));
        if !row.has_cookie() {
            return request;
        }
        let cookies = Cookie::split_parse_encoded(cookie.to_owned()).filter_map(Result::ok);
        request.header(Header::new("cookie", cookie.to_owned())).cookies(cookies)
    }
}

impl App for RocketApp {
    fn batch(&mut self, runtime: &Runtime, row: Row, cookie: &str, requests: usize, meter: Meter<'_>) {
        let mut prepared: Vec<_> = (0..requests).map(|_| self.request(row, cookie)).collect();
        meter(&mut || {
            runtime.block_on(async {
                for request in prepared.drain(..) {
                    drop(black_box(request.dispatch().await));
                }
            });
        });
    }

    fn answer(&mut self, runtime: &Runtime, row: Row, cookie: &str) -> (u16, Vec<String>) {
        let response = runtime.block_on(self.request(row, cookie).dispatch());
        let fields = response.headers().get("set-cookie").map(str::to_owned);
        (response.status().code, fields.collect())
    }
}

/// A fairing that does nothing at the two moments at which the others do something.
struct NoOp;

#[rocket::async_trait]
impl Fairing for NoOp {
    fn info(&self) -> Info {
        Info { name: "nothing", kind: Kind::Request | Kind::Response }
    }

    async fn on_request(&self, _: &mut Request<'_>, _: &mut Data<'_>) {}

    async fn on_response<'r>(&self, _: &'r Request<'_>, _: &mut Response<'r>) {}
}

#[get("/untouched")]
fn untouched() -> &'static str {
    "ok"
}

mod plain {
    use super::*;

    #[get("/read")]
    pub(super) fn read() -> &'static str {
        "ok"
    }

    #[get("/write")]
    pub(super) fn write() -> &'static str {
        "ok"
    }
}

mod ours {
    use session_adapter_rocket::Session;

    use super::*;

    const N: Key<u64> = Key::new("n");

    #[get("/read")]
    pub(super) fn read(session: Session) -> &'static str {
        assert!(session.get(N).expect("a number").is_some());
        "ok"
    }

    #[get("/write")]
    pub(super) fn write(session: Session) -> &'static str {
        session.insert(N, next()).expect("a change");
        "ok"
    }
}

mod peer {
    use rocket_flex_session::Session;

    use super::*;

    #[derive(Clone)]
    pub(super) struct Visitor {
        n: u64,
    }

    #[get("/read")]
    pub(super) fn read(session: Session<'_, Visitor>) -> &'static str {
        assert!(session.get().is_some_and(|visitor| visitor.n > 0));
        "ok"
    }

    #[get("/write")]
    pub(super) fn write(mut session: Session<'_, Visitor>) -> &'static str {
        session.set(Visitor { n: next() });
        "ok"
    }
}

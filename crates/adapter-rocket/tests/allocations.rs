//! What the fairing costs in allocations, against the same routes under one that does nothing.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests fail the test")]

use std::sync::atomic::{AtomicU64, Ordering};

use allocation_counter::measure;
use rocket::{
    Build, Config, Data, Request, Response, Rocket,
    config::LogLevel,
    fairing::{Fairing, Info, Kind},
    get,
    http::Header,
    local::asynchronous::Client,
    routes,
    tokio::runtime::{Builder, Runtime},
};
use session_adapter_rocket::{Session, SessionFairing};
use session_core::{Key, SessionManager};
use session_store_memory::MemoryStore;

// Rocket has header fields of its own kind: what the core looks at is copied, and what it adds is copied back.
const UNTOUCHED: u64 = 6;
const READING: u64 = 11;
const WRITING: u64 = 15;
const CREATING: u64 = 24;

const VISITS: Key<u64> = Key::new("visits");

#[test]
fn requests_cost_so_many_allocations_at_most() {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let manager = SessionManager::builder(MemoryStore::new()).build().unwrap();
    let plain = runtime.block_on(Client::untracked(rocket().attach(Nothing))).unwrap();
    let app = rocket().attach(SessionFairing::new(manager)).mount("/", routes![read, write]);
    let app = runtime.block_on(Client::untracked(app)).unwrap();
    let cookie = first_write(&runtime, &app);
    // An empty store makes room for its first records.
    for _ in 0..3_000 {
        first_write(&runtime, &app);
    }

    for (path, cookie, most) in [
        ("/untouched", None, UNTOUCHED),
        ("/untouched", Some(&*cookie), UNTOUCHED),
        ("/read", Some(&*cookie), READING),
        ("/write", Some(&*cookie), WRITING),
        ("/write", None, CREATING),
    ] {
        let base = allocations(&runtime, &plain, "/untouched", cookie);
        let with = allocations(&runtime, &app, path, cookie);
        assert!(with > base && with <= base + most, "{path} {cookie:?}: {with} instead of {base}");
    }
}

fn rocket() -> Rocket<Build> {
    let config = Config { log_level: LogLevel::Off, ..Config::debug_default() };
    rocket::custom(config).mount("/", routes![untouched])
}

#[get("/untouched")]
fn untouched() -> &'static str {
    "ok"
}

#[get("/read")]
fn read(session: Session) -> &'static str {
    assert!(session.get(VISITS).unwrap().is_some());
    "ok"
}

#[get("/write")]
fn write(session: Session) -> &'static str {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    session.insert(VISITS, NEXT.fetch_add(1, Ordering::Relaxed)).unwrap();
    "ok"
}

fn first_write(runtime: &Runtime, client: &Client) -> String {
    runtime.block_on(async {
        let response = client.get("/write").dispatch().await;
        let field = response.headers().get_one("set-cookie").expect("a cookie");
        field.split(';').next().unwrap().to_owned()
    })
}

/// Allocations of one request, without making it. The smallest of several: the first ones fill caches of the thread.
fn allocations(runtime: &Runtime, client: &Client, path: &'static str, cookie: Option<&str>) -> u64 {
    let one = || {
        let mut request = client.get(path);
        if let Some(cookie) = cookie {
            request = request.header(Header::new("cookie", cookie.to_owned()));
        }
        measure(|| drop(runtime.block_on(request.dispatch()))).count_total
    };
    (0..5).map(|_| one()).min().unwrap()
}

struct Nothing;

#[rocket::async_trait]
impl Fairing for Nothing {
    fn info(&self) -> Info {
        Info { name: "nothing", kind: Kind::Request | Kind::Response }
    }

    async fn on_request(&self, _: &mut Request<'_>, _: &mut Data<'_>) {}

    async fn on_response<'r>(&self, _: &'r Request<'_>, _: &mut Response<'r>) {}
}

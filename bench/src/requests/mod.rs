//! The requests of row P1, and the applications that answer them.

mod axum;
mod rocket;
mod row;
mod warp;

use std::{
    convert::Infallible,
    fmt,
    hint::black_box,
    sync::atomic::{AtomicU64, Ordering},
};

use ::axum::Router;
use clap::ValueEnum;
use http::{HeaderValue, Request, Response, header::SET_COOKIE};
use serde::Serialize;
use tokio::runtime::Runtime;
use tower::Service;

pub use self::row::Row;

/// The frameworks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Framework {
    /// axum 0.8
    Axum,
    /// warp 0.4
    Warp,
    /// Rocket 0.5
    Rocket,
}

impl Framework {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Axum, Self::Warp, Self::Rocket];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Axum => "axum",
            Self::Warp => "warp",
            Self::Rocket => "Rocket",
        }
    }

    /// The applications: without sessions, with the library, and with each peer.
    ///
    /// # Panics
    /// If one of them cannot be set up.
    #[must_use]
    pub fn contenders(self, runtime: &Runtime) -> Vec<Contender> {
        let apps = match self {
            Self::Axum => axum::apps(runtime),
            Self::Warp => warp::apps(),
            Self::Rocket => rocket::apps(runtime),
        };
        apps.into_iter().map(|(name, app)| Contender::new(name, app, runtime)).collect()
    }
}

/// An application on axum by its name, to be served.
#[must_use]
pub fn router(name: &str, runtime: &Runtime) -> Option<Router> {
    axum::routers(runtime).into_iter().find_map(|(known, router)| (known == name).then_some(router))
}

/// The library's application on axum with so many sessions in its store, and that of tower-sessions.
#[must_use]
pub fn grown(sessions: u64, runtime: &Runtime) -> Vec<Contender> {
    let apps = axum::grown(sessions, runtime);
    apps.into_iter().map(|(name, app)| Contender::new(name, app, runtime)).collect()
}

/// An application under measurement.
pub struct Contender {
    /// Its name in tables.
    pub name: &'static str,
    app: Box<dyn App>,
    cookie: String,
}

/// What sends requests to an application.
trait App {
    /// Prepares so many requests, and then sends them one after the other while `meter` measures.
    fn batch(&mut self, runtime: &Runtime, row: Row, cookie: &str, requests: usize, meter: Meter<'_>);

    /// The status and the `Set-Cookie` fields of one answer.
    fn answer(&mut self, runtime: &Runtime, row: Row, cookie: &str) -> (u16, Vec<String>);
}

type Apps = Vec<(&'static str, Box<dyn App>)>;

/// Calls what it is given, and measures that.
pub type Meter<'a> = &'a mut dyn FnMut(&mut dyn FnMut());

impl Contender {
    fn new(name: &'static str, mut app: Box<dyn App>, runtime: &Runtime) -> Self {
        let (_, fields) = app.answer(runtime, Row::FirstWrite, "");
        let pairs = fields.iter().filter_map(|field| field.split(';').next());
        let cookie = pairs.filter(|pair| has_value(pair)).collect::<Vec<_>>().join("; ");
        // A request to an application without sessions is as long as one to the others.
        let cookie = if cookie.is_empty() { NOBODYS_COOKIE.to_owned() } else { cookie };
        // Whoever does not find its value again fails.
        let (status, _) = app.answer(runtime, Row::CookieRead, &cookie);
        assert_eq!(status, 200, "{name} does not work");
        Self { name, app, cookie }
    }

    /// Sends so many requests while `meter` measures. Making them is not measured.
    pub fn batch(&mut self, runtime: &Runtime, row: Row, requests: usize, meter: Meter<'_>) {
        self.app.batch(runtime, row, &self.cookie, requests, meter);
    }
}

impl fmt::Debug for Contender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Contender").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Whether a cookie is set, and not removed.
#[must_use]
pub fn has_value(pair: &str) -> bool {
    pair.split_once('=').is_some_and(|(_, value)| !value.is_empty())
}

/// The name in tables of an application without sessions.
pub const PLAIN: &str = "plain";
const NOBODYS_COOKIE: &str = "__Host-id=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// An application that is a tower service.
struct TowerApp<S, B> {
    service: S,
    body: fn() -> B,
}

impl<S, B, A> App for TowerApp<S, B>
where
    S: Service<Request<B>, Response = Response<A>, Error = Infallible>,
{
    fn batch(&mut self, runtime: &Runtime, row: Row, cookie: &str, requests: usize, meter: Meter<'_>) {
        let mut prepared: Vec<_> =
            (0..requests).map(|_| row.request(cookie).map(|()| (self.body)())).collect();
        meter(&mut || {
            runtime.block_on(async {
                for request in prepared.drain(..) {
                    drop(black_box(self.service.call(request).await));
                }
            });
        });
    }

    fn answer(&mut self, runtime: &Runtime, row: Row, cookie: &str) -> (u16, Vec<String>) {
        let request = row.request(cookie).map(|()| (self.body)());
        // Some look for the runtime when they are called, not when they are polled.
        let Ok(response) = runtime.block_on(async { self.service.call(request).await });
        let fields = response.headers().get_all(SET_COOKIE).iter();
        let fields = fields.filter_map(|field| HeaderValue::to_str(field).ok()).map(str::to_owned);
        (response.status().as_u16(), fields.collect())
    }
}

/// A number that is different in every request, so that every write changes the session.
fn next() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

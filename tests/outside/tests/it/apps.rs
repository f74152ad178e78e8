//! One small site, once for each adapter: a page that is the same for everybody, and one that is not.
//!
//! Both say that they may be cached by everybody, which is careless for the second: what keeps it from the wrong eyes is
//! what the library adds to its answers.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{Router, extract::State, response::IntoResponse, routing::get};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use session_core::{SessionManager, persist::CookieOptions};
use session_store_memory::MemoryStore;
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};
use warp::Filter as _;

/// What says who signs in.
pub(crate) const USER: &str = "x-user";
/// What a site says of itself that does not know better.
const PUBLIC: &str = "public, max-age=60";
/// What is seen by who is not signed in.
pub(crate) const NOBODY: &str = "nobody";

/// A running site. Dropped, it ends.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) address: SocketAddr,
    /// How often the page for everybody was made.
    pub(crate) pages: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Drop for Site {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn manager() -> SessionManager {
    // Behind the caches, on loopback, there is no TLS.
    let cookie = CookieOptions::plain_http_for_development();
    SessionManager::builder(MemoryStore::new()).cookie(cookie).build().unwrap()
}

/// `GET /everybody`, `GET /me` and `GET /sign-in` on axum.
pub(crate) async fn on_axum() -> Site {
    use session_adapter_axum::{Session, SessionError, SessionLayer};

    async fn everybody(State(pages): State<Arc<AtomicUsize>>) -> impl IntoResponse {
        ([(header::CACHE_CONTROL, PUBLIC)], page(&pages))
    }
    async fn me(session: Session) -> impl IntoResponse {
        ([(header::CACHE_CONTROL, PUBLIC)], session.principal().unwrap_or_else(|| NOBODY.into()))
    }
    async fn sign_in(session: Session, headers: HeaderMap) -> Result<impl IntoResponse, SessionError> {
        session.authenticate(headers[USER].to_str().unwrap())?;
        Ok(([(header::CACHE_CONTROL, PUBLIC)], "welcome"))
    }

    let pages = Arc::new(AtomicUsize::new(0));
    let routes = Router::new()
        .route("/everybody", get(everybody))
        .route("/me", get(me))
        .route("/sign-in", get(sign_in))
        .with_state(pages.clone())
        .layer(SessionLayer::new(manager()));
    let (listener, address) = listener().await;
    let task = tokio::spawn(async { axum::serve(listener, routes).await.unwrap() });
    Site { address, pages, task }
}

/// The same site on warp.
pub(crate) async fn on_warp() -> Site {
    use session_adapter_warp::{Session, SessionError, SessionLayer, serve, session};

    let pages = Arc::new(AtomicUsize::new(0));
    let counter = pages.clone();
    let everybody = warp::path!("everybody").map(move || page(&counter));
    let me = warp::path!("me")
        .and(session())
        .map(|session: Session| session.principal().unwrap_or_else(|| NOBODY.into()));
    let sign_in = warp::path!("sign-in").and(session()).and(warp::header(USER)).then(
        async |session: Session, user: String| {
            session.authenticate(&user)?;
            Ok::<_, SessionError>("welcome")
        },
    );
    let routes = everybody.or(me).or(sign_in).with(warp::reply::with::header("cache-control", PUBLIC));
    let (listener, address) = listener().await;
    let service = SessionLayer::new(manager()).wrap(routes);
    let task = tokio::spawn(serve(listener, service, std::future::pending()));
    Site { address, pages, task }
}

/// The same site on Rocket.
pub(crate) async fn on_rocket() -> Site {
    use rocket::{Rocket, fairing::AdHoc, routes};
    use session_adapter_rocket::SessionFairing;

    let pages = Arc::new(AtomicUsize::new(0));
    let (report, started) = oneshot::channel();
    let config = rocket::Config {
        port: 0,
        log_level: rocket::config::LogLevel::Off,
        shutdown: rocket::config::Shutdown { ctrlc: false, ..Default::default() },
        ..rocket::Config::debug_default()
    };
    let app = rocket::custom(config)
        .manage(pages.clone())
        .mount("/", routes![on_rocket::everybody, on_rocket::me, on_rocket::sign_in])
        .attach(SessionFairing::new(manager()))
        .attach(AdHoc::on_liftoff("report", |rocket: &Rocket<_>| {
            let address = SocketAddr::new(rocket.config().address, rocket.config().port);
            Box::pin(async move { report.send(address).unwrap() })
        }));
    let task = tokio::spawn(async { drop(app.launch().await.unwrap()) });
    Site { address: started.await.unwrap(), pages, task }
}

/// What of the site on Rocket has to stand outside of a function.
mod on_rocket {
    use std::sync::{Arc, atomic::AtomicUsize};

    use rocket::{Responder, get, http::Header, outcome::Outcome, request::FromRequest};
    use session_adapter_rocket::{Session, SessionError};

    use super::{NOBODY, PUBLIC, USER, page};

    pub(super) struct User(String);

    #[rocket::async_trait]
    impl<'r> FromRequest<'r> for User {
        type Error = std::convert::Infallible;
        async fn from_request(
            request: &'r rocket::Request<'_>,
        ) -> rocket::request::Outcome<Self, Self::Error> {
            Outcome::Success(Self(request.headers().get_one(USER).unwrap().to_owned()))
        }
    }

    #[derive(Responder)]
    pub(super) struct Public(String, Header<'static>);
    impl Public {
        fn new(text: impl Into<String>) -> Self {
            Self(text.into(), Header::new("cache-control", PUBLIC))
        }
    }

    #[get("/everybody")]
    pub(super) fn everybody(pages: &rocket::State<Arc<AtomicUsize>>) -> Public {
        Public::new(page(pages))
    }

    #[get("/me")]
    pub(super) fn me(session: Session) -> Public {
        Public::new(session.principal().unwrap_or_else(|| NOBODY.into()))
    }

    #[get("/sign-in")]
    pub(super) fn sign_in(session: Session, user: User) -> Result<Public, SessionError> {
        session.authenticate(&user.0)?;
        Ok(Public::new("welcome"))
    }
}

/// The same site as somebody writes it who keeps ids in a cookie and thinks of no cache. What it does wrong, the test has
/// to notice.
pub(crate) async fn by_hand() -> Site {
    async fn everybody(State(pages): State<Arc<AtomicUsize>>) -> impl IntoResponse {
        ([(header::CACHE_CONTROL, PUBLIC)], page(&pages))
    }
    async fn me(headers: HeaderMap) -> impl IntoResponse {
        let cookie = headers.get(header::COOKIE).and_then(|cookie| cookie.to_str().ok());
        let user = cookie.and_then(|cookie| cookie.strip_prefix("id=")).unwrap_or(NOBODY).to_owned();
        ([(header::CACHE_CONTROL, PUBLIC)], user)
    }
    async fn sign_in(headers: HeaderMap) -> impl IntoResponse {
        let cookie = format!("id={}; Path=/", headers[USER].to_str().unwrap());
        let fields: [(HeaderName, HeaderValue); 2] = [
            (header::CACHE_CONTROL, HeaderValue::from_static(PUBLIC)),
            (header::SET_COOKIE, cookie.parse().unwrap()),
        ];
        (fields, "welcome")
    }

    let pages = Arc::new(AtomicUsize::new(0));
    let routes = Router::new()
        .route("/everybody", get(everybody))
        .route("/me", get(me))
        .route("/sign-in", get(sign_in))
        .with_state(pages.clone());
    let (listener, address) = listener().await;
    let task = tokio::spawn(async { axum::serve(listener, routes).await.unwrap() });
    Site { address, pages, task }
}

fn page(pages: &AtomicUsize) -> String {
    format!("made {} times", pages.fetch_add(1, Ordering::Relaxed) + 1)
}

async fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

//! What can be combined: adapters, stores, and ways for an id to travel. `conformance` tests every combination, `serve`
//! serves any of them. A new adapter or store is a file of `registry/` and a line here; a new strategy comes from the
//! kit by itself.

#[cfg(test)]
mod agreement;
mod axum;
#[cfg(test)]
mod curl;
mod places;
mod rocket;
mod warp;

use std::{fmt, future::Future, pin::Pin, sync::Arc};

use anyhow::{Context, Result, anyhow, bail};
use bytes::Bytes;
use http::{Response, StatusCode};
use session_conformance::{
    adapter::{Persist, Starter},
    store::Factory,
};
use session_core::{SessionManager, Store};
use session_test_servers::StartError;
use session_test_stores::{file, mariadb, memory, postgres, redis, sqlite};
use tokio::net::TcpListener;

/// Every adapter.
pub(crate) static ADAPTERS: &[Adapter] = &[
    Adapter {
        name: "axum",
        starter: Starter::of::<axum::Application>,
        serve: |serving| Box::pin(axum::serve(serving)),
    },
    Adapter {
        name: "warp",
        starter: Starter::of::<warp::Application>,
        serve: |serving| Box::pin(warp::serve(serving)),
    },
    Adapter {
        name: "rocket",
        starter: Starter::of::<rocket::Application>,
        serve: |serving| Box::pin(rocket::serve(serving)),
    },
];

/// Every store.
pub(crate) static STORES: &[StoreKind] = &[
    StoreKind {
        name: "memory",
        place: None,
        matrix: Matrix::AllStrategies,
        server: None,
        suite: || Factory::new(memory::default),
        plain: || Factory::new(memory::default),
        open: |_| Box::pin(async { places::memory() }),
    },
    StoreKind {
        name: "file",
        place: Some("DIR"),
        matrix: Matrix::AllStrategies,
        server: None,
        suite: || Factory::new(file::in_memory),
        plain: || Factory::new(file::in_memory),
        open: |folder| Box::pin(async move { places::file(&folder) }),
    },
    StoreKind {
        name: "redis",
        place: Some("//HOST:PORT"),
        matrix: Matrix::AllStrategies,
        server: Some(|| redis::server().as_ref().err()),
        suite: || Factory::new(redis::one_node),
        plain: || Factory::new(redis::plain),
        open: |place| Box::pin(async move { places::redis(format!("redis:{place}")) }),
    },
    StoreKind {
        name: "redis+cluster",
        place: Some("//HOST:PORT,HOST:PORT"),
        matrix: Matrix::FirstStrategy,
        server: Some(|| redis::nodes().as_ref().err()),
        suite: || Factory::new(redis::cluster),
        plain: || Factory::new(redis::plain_cluster),
        open: |place| Box::pin(async move { places::redis(format!("redis+cluster:{place}")) }),
    },
    StoreKind {
        name: "sqlite",
        place: Some("PATH"),
        matrix: Matrix::AllStrategies,
        server: None,
        suite: || Factory::new(sqlite::file),
        plain: || Factory::new(sqlite::plain),
        open: |path| Box::pin(places::sql(format!("sqlite:{path}"))),
    },
    StoreKind {
        name: "postgres",
        place: Some("//USER:PASSWORD@HOST:PORT/DATABASE"),
        matrix: Matrix::FirstStrategy,
        server: Some(|| postgres::server().as_ref().err()),
        suite: || Factory::new(postgres::own_connections),
        plain: || Factory::new(postgres::plain),
        open: |place| Box::pin(places::sql(format!("postgres:{place}"))),
    },
    StoreKind {
        name: "mysql",
        place: Some("//USER:PASSWORD@HOST:PORT/DATABASE"),
        matrix: Matrix::FirstStrategy,
        server: Some(|| mariadb::server().as_ref().err()),
        suite: || Factory::new(mariadb::own_connections),
        plain: || Factory::new(mariadb::plain),
        open: |place| Box::pin(places::sql(format!("mysql:{place}"))),
    },
];

/// An adapter under test.
#[derive(Debug)]
pub(crate) struct Adapter {
    pub(crate) name: &'static str,
    /// The fixture application for the suite, without a socket.
    pub(crate) starter: fn() -> Starter,
    /// The fixture application on a socket.
    pub(crate) serve: fn(Serving) -> Served,
}

/// What an adapter needs to serve.
pub(crate) struct Serving {
    pub(crate) manager: SessionManager,
    pub(crate) listener: TcpListener,
    /// To be called when requests are answered.
    pub(crate) ready: Ready,
    pub(crate) end: End,
}

pub(crate) type Ready = Box<dyn FnOnce() + Send + Sync>;

/// Resolves when the server has ended.
type Served = Pin<Box<dyn Future<Output = Result<()>>>>;

/// Resolves when the server is to finish what it has begun, and end.
pub(crate) type End = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A store under test.
#[derive(Debug)]
pub(crate) struct StoreKind {
    pub(crate) name: &'static str,
    /// What `serve` has to be told besides the name, as in `file:DIR`.
    pub(crate) place: Option<&'static str>,
    /// How much of the matrix it is in.
    pub(crate) matrix: Matrix,
    /// Starts the server that it needs, and answers why that cannot be.
    pub(crate) server: Option<fn() -> Option<&'static StartError>>,
    /// Fresh stores for the store suite.
    pub(crate) suite: fn() -> Factory,
    /// Fresh stores for the adapter suite.
    pub(crate) plain: fn() -> Factory,
    /// The store at a place, to be served.
    pub(crate) open: fn(String) -> Opening,
}

type Opening = Pin<Box<dyn Future<Output = Result<Arc<dyn Store>>>>>;

/// How often the adapter suite runs on a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Matrix {
    /// With every strategy.
    AllStrategies,
    /// With the first one; with the others when the store is asked for by its name. To a strategy a store is like any
    /// other, and these are slow.
    FirstStrategy,
}

pub(crate) fn adapter_names() -> Vec<&'static str> {
    ADAPTERS.iter().map(|adapter| adapter.name).collect()
}

pub(crate) fn store_names() -> Vec<&'static str> {
    STORES.iter().map(|store| store.name).collect()
}

pub(crate) fn persist_names() -> Vec<&'static str> {
    Persist::ALL.iter().map(|persist| persist.name()).collect()
}

pub(crate) fn adapter(name: &str) -> Result<&'static Adapter> {
    ADAPTERS
        .iter()
        .find(|adapter| adapter.name == name)
        .with_context(|| format!("there is no adapter `{name}`"))
}

pub(crate) fn persist(name: &str) -> Result<Persist> {
    name.parse().map_err(|error| anyhow!("{error}"))
}

/// Opens the store that `text` means: a name, or a name and a place.
pub(crate) async fn open_store(text: &str) -> Result<Arc<dyn Store>> {
    let (name, place) = text.split_once(':').unwrap_or((text, ""));
    match STORES.iter().find(|store| store.name == name) {
        Some(store) if place.is_empty() == store.place.is_none() => (store.open)(place.to_owned()).await,
        Some(store) => bail!("this store is written {store}"),
        None => {
            let all: Vec<String> = STORES.iter().map(StoreKind::to_string).collect();
            bail!("there is no store `{name}`, only {}", all.join(", "))
        }
    }
}

/// What a client sees that loses the connection while it reads.
fn cut_off() -> Response<Bytes> {
    let mut response = Response::new(Bytes::from_static(b"the body broke off"));
    *response.status_mut() = StatusCode::BAD_GATEWAY;
    response
}

/// As one writes it for `serve`.
impl fmt::Display for StoreKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)?;
        self.place.map_or(Ok(()), |place| write!(f, ":{place}"))
    }
}

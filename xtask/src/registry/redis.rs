//! session-store-redis for the suites, on a server that this program starts, and for serving.

use std::{
    future::ready,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, Result, anyhow};
use session_conformance::store::{Fresh, ManualClock};
use session_core::{Environment, Store};
use session_store_redis::RedisStore;
use session_test_servers::{RedisCluster, RedisServer, StartError};

/// No case measures time, and several run at once.
const PATIENCE: Duration = Duration::from_secs(60);

/// On one server.
pub(super) async fn fresh(_: Arc<ManualClock>) -> Fresh {
    static SERVER: OnceLock<Result<Vec<String>, StartError>> = OnceLock::new();
    on(SERVER.get_or_init(|| RedisServer::shared().map(|url| vec![url])), false).await
}

/// On a Cluster.
pub(super) async fn fresh_on_cluster(_: Arc<ManualClock>) -> Fresh {
    static CLUSTER: OnceLock<Result<Vec<String>, StartError>> = OnceLock::new();
    on(CLUSTER.get_or_init(RedisCluster::shared), true).await
}

#[expect(clippy::expect_used, clippy::panic, reason = "the suite makes a panic the failure of its case")]
async fn on(servers: &'static Result<Vec<String>, StartError>, cluster: bool) -> Fresh {
    static STORES: AtomicU64 = AtomicU64::new(0);
    let urls = match servers {
        Ok(urls) => urls,
        Err(error) if error.is_missing() => return Fresh::missing(error),
        Err(error) => panic!("{error}"),
    };
    // Nobody else uses these servers.
    let prefix = format!("xtask-{}-{}", std::process::id(), STORES.fetch_add(1, Ordering::Relaxed));
    let open = move || {
        let builder = if cluster { RedisStore::cluster(urls) } else { RedisStore::builder(&urls[0]) };
        builder.prefix(&prefix).deadline(PATIENCE).build().expect("a store")
    };
    let store = open();
    store.create().await.expect("a server that answers");
    let (again, more) = (open.clone(), open);
    Fresh::new(store).own_clock().reopen_with(move || ready(again())).peer_with(move || ready(more()))
}

pub(super) fn open(place: &str) -> Result<Arc<dyn Store>> {
    at(format!("redis:{place}"))
}

pub(super) fn open_cluster(place: &str) -> Result<Arc<dyn Store>> {
    at(format!("redis+cluster:{place}"))
}

/// The URL is not repeated in errors: it may hold a password.
fn at(url: String) -> Result<Arc<dyn Store>> {
    let store = RedisStore::new(url).map_err(|error| anyhow!(error)).context("cannot keep sessions there")?;
    Ok(Arc::new(store))
}

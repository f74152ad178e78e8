//! The store in Redis keeps the contract, on one node and on a Cluster of three.

#![allow(clippy::expect_used, clippy::panic, reason = "helpers of tests fail the test")]

use std::{
    future::ready,
    io::{self, Read, Write},
    net::TcpStream,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use session_conformance::store::{Foreign, Fresh, ManualClock, Medium};
use session_core::{
    Entry, Environment, Expect, PrincipalIndex, Removed, Store, StoreError, StoreKey, Stored, Version,
    Written,
};
use session_store_redis::RedisStore;
use session_test_servers::{CuttableProxy, RedisCluster, RedisRecipe, RedisServer, StartError};

/// A server of its own for all cases, and a proxy for each.
mod one_node {
    async fn fresh(_: super::Arc<super::ManualClock>) -> super::Fresh {
        super::started(super::RedisServer::shared(), super::on_one_node).await
    }

    session_conformance::store_tests!(fresh);
}

/// A Cluster of its own for all cases.
mod cluster {
    async fn fresh(_: super::Arc<super::ManualClock>) -> super::Fresh {
        super::started(super::RedisCluster::shared(), super::on_a_cluster).await
    }

    session_conformance::store_tests!(fresh);
}

async fn started<T, F: Future<Output = Fresh>>(
    server: Result<T, StartError>,
    fresh: impl FnOnce(T) -> F,
) -> Fresh {
    match server {
        Ok(server) => fresh(server).await,
        Err(error) if error.is_missing() => Fresh::missing(error),
        Err(error) => panic!("{error}"),
    }
}

async fn on_one_node(url: String) -> Fresh {
    let proxy = Arc::new(CuttableProxy::start(port(&url)).expect("a proxy"));
    let through = format!("redis://127.0.0.1:{}", proxy.port());
    let prefix = prefix();
    let open = {
        let prefix = prefix.clone();
        move || RedisStore::builder(&through).prefix(&prefix).deadline(PATIENCE).build().expect("a store")
    };
    let switch = Arc::clone(&proxy);
    declared(open, vec![url], prefix)
        .await
        .outage_with(move |medium| {
            switch.refuse(medium == Medium::Down);
            if medium == Medium::Down {
                switch.cut();
            }
            ready(())
        })
        .bounded_with(MOST_RECORDS, Bounded::start)
        .keep(proxy)
}

async fn on_a_cluster(urls: Vec<String>) -> Fresh {
    let prefix = prefix();
    let open = {
        let (urls, prefix) = (urls.clone(), prefix.clone());
        move || RedisStore::cluster(&urls).prefix(&prefix).deadline(PATIENCE).build().expect("a store")
    };
    declared(open, urls, prefix).await
}

async fn declared(
    open: impl Fn() -> RedisStore + Clone + Send + Sync + 'static,
    urls: Vec<String>,
    prefix: String,
) -> Fresh {
    let store = open();
    store.create().await.expect("a server that answers");
    let (again, more) = (open.clone(), open);
    let (damaged, planted) = ((urls.clone(), prefix.clone()), (urls, prefix));
    Fresh::new(store)
        .own_clock()
        .reopen_with(move || ready(again()))
        .peer_with(move || ready(more()))
        .damage_with(move |key| {
            damage(&damaged.0, &damaged.1, &key).expect("a record to damage");
            ready(())
        })
        .foreign_with(move |ask| ready(foreign(&planted.0, &planted.1, ask).expect("servers that answer")))
}

/// The store in a server with little memory.
#[derive(Debug)]
struct Bounded {
    store: RedisStore,
    /// One, so that no connection comes or goes while records are counted.
    operator: Mutex<TcpStream>,
    _server: RedisServer,
}

impl Bounded {
    async fn start() -> Self {
        // At the first use of a command Redis takes twenty kilobytes to measure how long it takes.
        let recipe = RedisRecipe::default().set("maxmemory", "2mb").set("latency-tracking", "no");
        let server = recipe.start().expect("a server");
        let store = RedisStore::builder(server.url()).deadline(PATIENCE).build().expect("a store");
        store.create().await.expect("a server that answers");
        let operator = TcpStream::connect(("127.0.0.1", server.port())).expect("a server that answers");
        Self { store, operator: Mutex::new(operator), _server: server }
    }

    /// Redis counts the garbage that scripts leave, which is more than a few records, until it collects it after every
    /// fiftieth. Without, the memory in use is that of the records.
    fn collect_garbage(&self) {
        let mut operator = self.operator.lock().expect("no panic");
        operator.write_all(b"SCRIPT FLUSH SYNC\r\n").expect("a server that answers");
        operator.read_exact(&mut [0; b"+OK\r\n".len()]).expect("a server that answers");
    }
}

#[async_trait]
impl Store for Bounded {
    async fn load(&self, key: &StoreKey) -> Result<Option<Stored>, StoreError> {
        self.store.load(key).await
    }

    async fn write(&self, key: &StoreKey, entry: Entry, expect: Expect) -> Result<Written, StoreError> {
        self.collect_garbage();
        self.store.write(key, entry, expect).await
    }

    async fn remove(&self, key: &StoreKey, expect: Option<Version>) -> Result<Removed, StoreError> {
        self.store.remove(key, expect).await
    }

    fn as_principal_index(&self) -> Option<&dyn PrincipalIndex> {
        self.store.as_principal_index()
    }
}

/// Cuts a record in the middle, on whichever node it is.
fn damage(urls: &[String], prefix: &str, key: &StoreKey) -> io::Result<()> {
    let script = "for _, name in ipairs(redis.call('KEYS', ARGV[1])) do local whole = redis.call('GET', name) \
                  redis.call('SET', name, string.sub(whole, 1, #whole / 2), 'KEEPTTL') end return 'done'";
    for url in urls {
        session_test_servers::ask(port(url), &format!("EVAL \"{script}\" 0 {prefix}:*:{}", key.to_hex()))?;
    }
    Ok(())
}

/// Keys of somebody else: with a longer prefix, a shorter one, and names that are nearly the store's.
fn foreign(urls: &[String], prefix: &str, ask: Foreign) -> io::Result<bool> {
    let hex = "00".repeat(32);
    let names = [
        format!("{prefix}2:{{3560}}:{hex}"),
        format!("{prefix}:more:{{3560}}:{hex}"),
        format!("{prefix}:{{3560}}:notes"),
        format!("{prefix}:{{1}}:{hex}"),
        format!("{prefix}:notes"),
        prefix.to_owned(),
    ];
    let mut intact = 0;
    for name in &names {
        for url in urls {
            if ask == Foreign::Plant {
                session_test_servers::ask(port(url), &format!("SET {name} foreign"))?;
            }
            // Of a Cluster, one node has it; the others say where it is.
            intact += usize::from(
                session_test_servers::ask(port(url), &format!("GET {name}"))?.ends_with("foreign\r\n"),
            );
        }
    }
    Ok(intact == names.len())
}

/// Shared with no other case, in no process.
fn prefix() -> String {
    static CASES: AtomicU64 = AtomicU64::new(0);
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let number = CASES.fetch_add(1, Ordering::Relaxed);
    format!("kit-{}-{number}-{}", std::process::id(), now.as_nanos())
}

fn port(url: &str) -> u16 {
    url.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port")
}

/// More than fit into the memory of the bounded variant.
const MOST_RECORDS: usize = 2_000;
/// What the kit tests is not how fast the machine is.
const PATIENCE: Duration = Duration::from_secs(20);

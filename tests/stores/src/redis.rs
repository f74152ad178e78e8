//! session-store-redis, on servers that this test run shares.

use std::{
    future::ready,
    io::{self, Read, Write},
    net::TcpStream,
    process,
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::SystemTime,
};

use async_trait::async_trait;
use session_conformance::store::{Foreign, Fresh, ManualClock};
use session_core::{
    Entry, Environment, Expect, PrincipalIndex, Removed, Store, StoreError, StoreKey, Stored, Version,
    Written,
};
use session_store_redis::RedisStore;
use session_test_servers::{RedisCluster, RedisRecipe, RedisServer, StartError};

use crate::{PATIENCE, missing, outage};

/// On one node, behind a network that can be cut; bounded by a server of its own with little memory.
pub async fn one_node(_: Arc<ManualClock>) -> Fresh {
    let url = match server() {
        Ok(urls) => &urls[0],
        Err(error) => return missing(error),
    };
    let proxy = outage::proxy(port(url));
    let through = format!("redis://127.0.0.1:{}", proxy.port());
    let prefix = prefix();
    let open = {
        let prefix = prefix.clone();
        move || RedisStore::builder(&through).prefix(&prefix).deadline(PATIENCE).build().expect("a store")
    };
    let fresh = declared(open, vec![url.clone()], prefix).await;
    outage::behind(proxy, fresh).bounded_with(MOST_RECORDS, Bounded::start)
}

/// On a Cluster of three nodes.
pub async fn cluster(_: Arc<ManualClock>) -> Fresh {
    let urls = match nodes() {
        Ok(urls) => urls,
        Err(error) => return missing(error),
    };
    let prefix = prefix();
    let open = {
        let prefix = prefix.clone();
        move || RedisStore::cluster(urls).prefix(&prefix).deadline(PATIENCE).build().expect("a store")
    };
    declared(open, urls.clone(), prefix).await
}

/// On one node, for the adapter suite.
pub async fn plain(_: Arc<ManualClock>) -> Fresh {
    match server() {
        Ok(urls) => {
            let store = RedisStore::builder(&urls[0]).prefix(prefix()).deadline(PATIENCE).build();
            ready_for_use(store.expect("a store")).await
        }
        Err(error) => missing(error),
    }
}

/// On a Cluster of three nodes, for the adapter suite.
pub async fn plain_cluster(_: Arc<ManualClock>) -> Fresh {
    match nodes() {
        Ok(urls) => {
            let store = RedisStore::cluster(urls).prefix(prefix()).deadline(PATIENCE).build();
            ready_for_use(store.expect("a store")).await
        }
        Err(error) => missing(error),
    }
}

/// Where the server is that this test run shares; started if it is not there.
pub fn server() -> &'static Result<Vec<String>, StartError> {
    static SERVER: OnceLock<Result<Vec<String>, StartError>> = OnceLock::new();
    SERVER.get_or_init(|| RedisServer::shared().map(|url| vec![url]))
}

/// Where the nodes of the Cluster are that this test run shares; started if they are not there.
pub fn nodes() -> &'static Result<Vec<String>, StartError> {
    static CLUSTER: OnceLock<Result<Vec<String>, StartError>> = OnceLock::new();
    CLUSTER.get_or_init(RedisCluster::shared)
}

async fn ready_for_use(store: RedisStore) -> Fresh {
    store.create().await.expect("a server that answers");
    Fresh::new(store).own_clock()
}

async fn declared(
    open: impl Fn() -> RedisStore + Clone + Send + Sync + 'static,
    urls: Vec<String>,
    prefix: String,
) -> Fresh {
    let store = open();
    let (again, more) = (open.clone(), open);
    let left = Left { urls: urls.clone(), prefix: prefix.clone() };
    let (damaged, planted) = ((urls.clone(), prefix.clone()), (urls, prefix));
    ready_for_use(store)
        .await
        .reopen_with(move || ready(again()))
        .peer_with(move || ready(more()))
        .damage_with(move |key| {
            damage(&damaged.0, &damaged.1, &key).expect("a record to damage");
            ready(())
        })
        .foreign_with(move |ask| ready(foreign(&planted.0, &planted.1, ask).expect("servers that answer")))
        .keep(left)
}

/// What a case leaves, to be deleted: a scan has to look at every key of the server, whosever it is.
struct Left {
    urls: Vec<String>,
    prefix: String,
}

impl Drop for Left {
    fn drop(&mut self) {
        let script = "for _, name in ipairs(redis.call('KEYS', ARGV[1])) do redis.call('UNLINK', name) end return 'done'";
        for url in &self.urls {
            // If it fails, scans of other cases take longer.
            let _ = session_test_servers::ask(port(url), &format!("EVAL \"{script}\" 0 {}*", self.prefix));
        }
    }
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
    format!("kit-{}-{number}-{}", process::id(), now.as_nanos())
}

fn port(url: &str) -> u16 {
    url.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port")
}

/// More than fit into the memory of the bounded variant.
const MOST_RECORDS: usize = 2_000;

//! Prints what sessions cost in this store: calls a second beside bare commands, and bytes of the server's memory.
//!
//! `cargo run --release -p session-store-redis --example measure`. Starts a Redis of its own on the loopback interface. A
//! debug build does a hundredth of it and shows only that it runs.

use std::{
    error::Error,
    fmt::Display,
    future::Future,
    time::{Duration, Instant, SystemTime},
};

use redis::aio::MultiplexedConnection;
use session_conformance::store::sample::{key, principal};
use session_core::{Entry, Expect, PrincipalKey, Store, Written};
use session_store_redis::RedisStore;
use session_test_servers::{CuttableProxy, RedisCluster, RedisServer};
use tokio::task::JoinSet;

type Outcome<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

#[tokio::main]
async fn main() -> Outcome {
    let server = RedisServer::start()?;
    let store = RedisStore::builder(server.url()).deadline(PATIENCE).in_flight_limit(4_096).build()?;
    let client = redis::Client::open(server.url())?;
    let config =
        redis::AsyncConnectionConfig::new().set_response_timeout(None).set_pipeline_buffer_size(4_096);
    let bare = client.get_multiplexed_async_connection_with_config(&config).await?;
    fill(&store, 0, SESSIONS, false).await?;

    row("calls a second, one server, by tasks at once", TASKS);
    row("bare GET", every(|tasks| rate(tasks, bare.clone(), get)).await?);
    row("load", every(|tasks| rate(tasks, store.clone(), load)).await?);
    row("bare SET PX", every(|tasks| rate(tasks, bare.clone(), set)).await?);
    row("load and replace", every(|tasks| rate(tasks, store.clone(), replace)).await?);
    row("create and remove", every(|tasks| rate(tasks, store.clone(), come_and_go)).await?);
    row("sign in and remove", every(|tasks| rate(tasks, store.clone(), sign_in_and_out)).await?);

    let cluster = RedisCluster::start()?;
    let spread = RedisStore::cluster(cluster.urls()).deadline(PATIENCE).in_flight_limit(4_096).build()?;
    fill(&spread, 0, SESSIONS, false).await?;
    row("calls a second, Cluster of 3, by tasks at once", TASKS);
    row("load", every(|tasks| rate(tasks, spread.clone(), load)).await?);
    row("load and replace", every(|tasks| rate(tasks, spread.clone(), replace)).await?);
    drop(cluster);

    println!();
    for (what, signed_in) in [("anonymous", false), ("each of another principal", true)] {
        server.restart_empty()?;
        let before = used_memory(&server)?;
        for size in SIZES {
            fill(&store, known_keys(&server)?, size, signed_in).await?;
            let each = (used_memory(&server)? - before) / size;
            println!("bytes a session of 100 bytes, {what}, {size} sessions: {each}");
        }
    }

    println!();
    for sessions in [1, 10, 1_000, 10_000] {
        server.restart_empty()?;
        let principal = PrincipalKey::from_bytes([7; 32]);
        for number in 0..sessions {
            let entry = entry().with_principal(principal);
            let _ = store.write(&key(number), entry, Expect::Absent).await?;
        }
        let proxy = CuttableProxy::start(server.port())?;
        let listing =
            RedisStore::builder(format!("redis://127.0.0.1:{}", proxy.port())).deadline(PATIENCE).build()?;
        let index = listing.as_principal_index().ok_or("no index")?;
        listing.load(&key(0)).await?;
        let (begun, mut after, mut pages) = (Instant::now(), None, 0);
        loop {
            let page = index.keys_of(&principal, after.as_ref(), 100).await?;
            let Some(last) = page.last() else { break };
            (after, pages) = (Some(*last), pages + 1);
        }
        println!("list of {sessions} sessions: {pages} pages of 100, {:.1?}", begun.elapsed());
    }
    Ok(())
}

const SCALE: u64 = if cfg!(debug_assertions) { 100 } else { 1 };
const SESSIONS: u64 = 100_000 / SCALE;
const SIZES: [u64; 3] = [10_000 / SCALE, 100_000 / SCALE, 1_000_000 / SCALE];
const CALLS: u64 = 200_000 / SCALE;
const TASKS: [u64; 4] = [1, 16, 64, 256];
const PATIENCE: Duration = Duration::from_secs(60);

fn row<T: Display>(name: &str, cells: [T; 4]) {
    let cells = cells.map(|cell| format!("{cell:>10}")).concat();
    println!("{name:<48}{cells}");
}

async fn every<F: Future<Output = Outcome<u64>>>(rate: impl Fn(u64) -> F) -> Outcome<[u64; 4]> {
    let mut rates = [0; 4];
    for (rate_of, tasks) in rates.iter_mut().zip(TASKS) {
        *rate_of = rate(tasks).await?;
    }
    Ok(rates)
}

/// How often a second `call` is done by so many tasks at once. Each task has numbers of its own.
async fn rate<S: Clone + Send + 'static, F: Future<Output = Outcome> + Send + 'static>(
    tasks: u64,
    subject: S,
    call: fn(S, u64) -> F,
) -> Outcome<u64> {
    // One task alone waits most of the time.
    let calls = if tasks == 1 { CALLS / 10 } else { CALLS };
    let begun = Instant::now();
    let mut running = JoinSet::new();
    for task in 0..tasks {
        let subject = subject.clone();
        running.spawn(async move {
            for number in 0..calls / tasks {
                call(subject.clone(), (number * tasks + task) % SESSIONS).await?;
            }
            Ok::<_, Box<dyn Error + Send + Sync>>(())
        });
    }
    while let Some(done) = running.join_next().await {
        done??;
    }
    Ok(((calls / tasks * tasks) as f64 / begun.elapsed().as_secs_f64()) as u64)
}

async fn get(mut bare: MultiplexedConnection, number: u64) -> Outcome {
    let _: Option<Vec<u8>> = redis::cmd("GET").arg(format!("bare:{number}")).query_async(&mut bare).await?;
    Ok(())
}

async fn set(mut bare: MultiplexedConnection, number: u64) -> Outcome {
    let mut set = redis::cmd("SET");
    set.arg(format!("bare:{number}")).arg([7_u8; 130].as_slice()).arg("PX").arg(1_800_000);
    Ok(set.query_async(&mut bare).await?)
}

async fn load(store: RedisStore, number: u64) -> Outcome {
    store.load(&key(number)).await?.map(drop).ok_or("a session is gone".into())
}

async fn replace(store: RedisStore, number: u64) -> Outcome {
    let found = store.load(&key(number)).await?.ok_or("a session is gone")?;
    let _ = store.write(&key(number), entry(), Expect::Version(found.version)).await?;
    Ok(())
}

async fn come_and_go(store: RedisStore, number: u64) -> Outcome {
    let key = key(number + (1 << 40));
    let _ = store.write(&key, entry(), Expect::Absent).await?;
    let _ = store.remove(&key, None).await?;
    Ok(())
}

async fn sign_in_and_out(store: RedisStore, number: u64) -> Outcome {
    let key = key(number + (2 << 40));
    let _ = store.write(&key, entry().with_principal(principal(number)), Expect::Absent).await?;
    let _ = store.remove(&key, None).await?;
    Ok(())
}

async fn fill(store: &RedisStore, from: u64, to: u64, signed_in: bool) -> Outcome {
    let mut tasks = JoinSet::new();
    for task in 0..64 {
        let store = store.clone();
        tasks.spawn(async move {
            for number in (from..to).skip(task).step_by(64) {
                let principal = signed_in.then(|| principal(number));
                let entry = entry().with_principal(principal);
                if store.write(&key(number), entry, Expect::Absent).await? == Written::Conflict {
                    return Err("a key is taken".into());
                }
            }
            Ok::<_, Box<dyn Error + Send + Sync>>(())
        });
    }
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    Ok(())
}

/// How many records there are; half of the keys are of indexes where all are signed in.
fn known_keys(server: &RedisServer) -> Outcome<u64> {
    let script = "local sum = 0 local cursor = '0' repeat local page = redis.call('SCAN', cursor, 'TYPE', 'string', 'COUNT', \
                  10000) cursor = page[1] sum = sum + #page[2] until cursor == '0' return sum";
    let answer = server.ask(&format!("EVAL \"{script}\" 0"))?;
    Ok(answer.trim().trim_start_matches(':').parse()?)
}

fn used_memory(server: &RedisServer) -> Outcome<u64> {
    let info = server.ask("INFO memory")?;
    let used = info.lines().find_map(|line| line.strip_prefix("used_memory:"));
    Ok(used.ok_or("no used_memory")?.trim().parse()?)
}

fn entry() -> Entry {
    Entry::new([7_u8; 100].as_slice(), SystemTime::now() + Duration::from_secs(1_800))
}

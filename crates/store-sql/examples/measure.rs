//! Prints what a session costs in this store: time, bytes, and what many callers at once add.
//!
//! `cargo run --release -p session-store-sql --all-features --example measure [DATABASE]`: `sqlite` (a file in the temporary
//! folder), `postgres` or `mariadb` (a server of its own that syncs each write, in memory, or where `TMPDIR` says), or the
//! URL of a database, in which a table `measured` is made and dropped again. A second argument says with how many sessions,
//! for disks that sync slowly [100000]. A debug build does a hundredth of it and shows only that it runs.

use std::{
    any::Any,
    env,
    error::Error,
    time::{Duration, Instant, SystemTime},
};

use session_conformance::store::sample::{key, mix, principal};
use session_core::{Entry, Environment, Expect, Store, Sweep, SweepRequest, Version, Written};
use session_store_sql::SqlStore;
use session_test_servers::{MariadbServer, PostgresRecipe};
use tokio::task::JoinSet;

type Result<T = ()> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

const SCALE: u64 = if cfg!(debug_assertions) { 100 } else { 1 };
/// Unless told otherwise.
const SESSIONS: u64 = 100_000;
const TASKS: u64 = 64;

#[tokio::main]
async fn main() -> Result {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("measured.db");
    let database = env::args().nth(1).unwrap_or_else(|| "sqlite".to_owned());
    let (url, _server): (String, Option<Box<dyn Any>>) = match &*database {
        "sqlite" => (format!("sqlite:{}", file.display()), None),
        "postgres" => {
            let server = PostgresRecipe::default().set("fsync", "on").start()?;
            (server.url(), Some(Box::new(server)))
        }
        "mariadb" => {
            // It syncs unless told otherwise.
            let server = MariadbServer::start()?;
            (server.url(), Some(Box::new(server)))
        }
        _ => (database, None),
    };
    let store = SqlStore::builder().table("measured").deadline(Duration::from_secs(60)).connect(&url).await?;
    println!("{store:?}");
    let most = env::args().nth(2).map_or(Ok(SESSIONS), |count| count.parse())? / SCALE;
    let (sizes, calls) = ([most / 100, most / 10, most], most / 20);
    println!("{:<34}{:>12}{:>12}{:>12}", "sessions of 100 bytes", sizes[0], sizes[1], sizes[2]);

    let mut rows = [
        ("us per load", Vec::new()),
        ("us per load and replace", Vec::new()),
        ("us per create and remove", Vec::new()),
        ("loads per s, 64 tasks", Vec::new()),
        ("replacements per s, 64 tasks", Vec::new()),
    ];
    let mut count = 0;
    for sessions in sizes {
        fill(&store, count, sessions).await?;
        count = sessions;
        rows[0].1.push(micros(load(store.clone(), count, calls, 0), calls).await?);
        rows[1].1.push(micros(replace(store.clone(), count, calls, 0), calls).await?);
        rows[2].1.push(micros(come_and_go(store.clone(), count, calls), calls).await?);
        rows[3].1.push(rate(&store, calls / 8, |store, task| load(store, count, calls / 8, task)).await?);
        rows[4].1.push(rate(&store, calls / 8, |store, task| replace(store, count, calls / 8, task)).await?);
    }
    for (name, cells) in rows {
        println!("{name:<34}{}", cells.iter().map(|cell| format!("{cell:>12.0}")).collect::<String>());
    }
    store.close().await;
    if let Ok(found) = std::fs::metadata(&file) {
        println!("bytes of the file for each session: {}", found.len() / count.max(1));
    }

    let store = SqlStore::builder().table("measured").deadline(Duration::from_secs(60)).connect(&url).await?;
    let request = SweepRequest::before(SystemTime::now() + Duration::from_secs(2_700));
    let start = Instant::now();
    let mut removed = 0;
    loop {
        let swept = store.sweep(request).await?;
        removed += swept.removed;
        if swept.finished {
            break;
        }
    }
    println!("sweep of {removed} of {count} sessions: {:.1} s", start.elapsed().as_secs_f64());
    store.drop().await.map_err(|mut errors| errors.remove(0))?;
    Ok(())
}

async fn micros(work: impl Future<Output = Result>, calls: u64) -> Result<f64> {
    let start = Instant::now();
    work.await?;
    Ok(start.elapsed().as_secs_f64() * 1e6 / calls as f64)
}

/// Calls in a second, of 64 tasks together that make so many each.
async fn rate<F>(store: &SqlStore, calls: u64, work: impl Fn(SqlStore, u64) -> F) -> Result<f64>
where
    F: Future<Output = Result> + Send + 'static,
{
    let start = Instant::now();
    let mut tasks = JoinSet::new();
    for task in 0..TASKS {
        tasks.spawn(work(store.clone(), task));
    }
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    Ok((calls * TASKS) as f64 / start.elapsed().as_secs_f64())
}

async fn fill(store: &SqlStore, from: u64, to: u64) -> Result {
    let mut tasks = JoinSet::new();
    for task in 0..TASKS {
        let store = store.clone();
        tasks.spawn(async move {
            for number in (from + task..to).step_by(TASKS as usize) {
                write(&store, number, Expect::Absent).await?;
            }
            Ok(()) as Result
        });
    }
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    Ok(())
}

async fn load(store: SqlStore, count: u64, calls: u64, task: u64) -> Result {
    for number in 0..calls {
        let key = key(mix(number ^ task << 32) % count);
        store.load(&key).await?.ok_or("a session is gone")?;
    }
    Ok(())
}

async fn replace(store: SqlStore, count: u64, calls: u64, task: u64) -> Result {
    for number in 0..calls {
        // Sessions of the task's own: what conflicts cost is not measured here.
        let number = (mix(number ^ task << 32) % count.div_ceil(TASKS) * TASKS + task) % count;
        let found = store.load(&key(number)).await?;
        let version = found.map_or(Version::new(0), |found| found.version);
        write(&store, number, Expect::Version(version)).await?;
    }
    Ok(())
}

async fn come_and_go(store: SqlStore, count: u64, calls: u64) -> Result {
    for number in count..count + calls {
        write(&store, number, Expect::Absent).await?;
        let _ = store.remove(&key(number), None).await?;
    }
    Ok(())
}

async fn write(store: &SqlStore, number: u64, expect: Expect) -> Result {
    let entry = entry(number).with_principal(principal(number));
    match store.write(&key(number), entry, expect).await {
        Ok(Written::Stored(_)) => Ok(()),
        // Small tables have fewer sessions than tasks.
        Ok(Written::Conflict) if matches!(expect, Expect::Version(_)) => Ok(()),
        Ok(Written::Conflict) => Err("a session is there already".into()),
        Err(error) => Err(error.into()),
    }
}

/// A hundred bytes that expire within half an hour to an hour.
fn entry(number: u64) -> Entry {
    let life = Duration::from_millis(1_800_000 + mix(number) % 1_800_000);
    Entry::new(vec![b'.'; 100], SystemTime::now() + life)
}

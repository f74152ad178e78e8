//! Prints what a session costs in this store: time, bytes, and what many callers at once add.
//!
//! `cargo run --release -p session-store-sql --all-features --example measure [URL]`. Without a URL a SQLite file in the
//! temporary folder is measured; with one, a table `measured` in that database, which is dropped afterwards. A debug build
//! does a hundredth of it and shows only that it runs.

use std::{
    env,
    error::Error,
    time::{Duration, Instant, SystemTime},
};

use session_core::{
    Entry, Environment, Expect, PrincipalKey, Store, StoreKey, Sweep, SweepRequest, Version, Written,
};
use session_store_sql::SqlStore;
use tokio::task::JoinSet;

type Result<T = ()> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

const SCALE: u64 = if cfg!(debug_assertions) { 100 } else { 1 };
const SESSIONS: [u64; 3] = [1_000 / SCALE, 10_000 / SCALE, 100_000 / SCALE];
const CALLS: u64 = 5_000 / SCALE;
const TASKS: u64 = 64;

#[tokio::main]
async fn main() -> Result {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("measured.db");
    let url = env::args().nth(1).unwrap_or_else(|| format!("sqlite:{}", file.display()));
    let store = SqlStore::builder().table("measured").deadline(Duration::from_secs(60)).connect(&url).await?;
    println!("{store:?}");
    println!("{:<34}{:>12}{:>12}{:>12}", "sessions of 100 bytes", SESSIONS[0], SESSIONS[1], SESSIONS[2]);

    let mut rows = [
        ("us per load", Vec::new()),
        ("us per load and replace", Vec::new()),
        ("us per create and remove", Vec::new()),
        ("loads per s, 64 tasks", Vec::new()),
        ("replacements per s, 64 tasks", Vec::new()),
    ];
    let mut count = 0;
    for sessions in SESSIONS {
        fill(&store, count, sessions).await?;
        count = sessions;
        rows[0].1.push(micros(load(store.clone(), count, CALLS, 0)).await?);
        rows[1].1.push(micros(replace(store.clone(), count, CALLS, 0)).await?);
        rows[2].1.push(micros(come_and_go(store.clone(), count, CALLS)).await?);
        rows[3].1.push(rate(&store, |store, task| load(store, count, CALLS / 8, task)).await?);
        rows[4].1.push(rate(&store, |store, task| replace(store, count, CALLS / 8, task)).await?);
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

async fn micros(work: impl Future<Output = Result>) -> Result<f64> {
    let start = Instant::now();
    work.await?;
    Ok(start.elapsed().as_secs_f64() * 1e6 / CALLS as f64)
}

/// Calls of 64 tasks together in a second.
async fn rate<F>(store: &SqlStore, work: impl Fn(SqlStore, u64) -> F) -> Result<f64>
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
    Ok((CALLS / 8 * TASKS) as f64 / start.elapsed().as_secs_f64())
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
    let principal = PrincipalKey::from_bytes(*key(!number).as_bytes());
    let entry = entry(number).with_principal(principal);
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

fn key(number: u64) -> StoreKey {
    let mut bytes = [0; 32];
    for (word, salt) in bytes.chunks_exact_mut(8).zip(1..) {
        word.copy_from_slice(&mix(number.wrapping_mul(4).wrapping_add(salt)).to_be_bytes());
    }
    StoreKey::from_bytes(bytes)
}

/// SplitMix64 (Steele, Lea, Flood 2014).
fn mix(seed: u64) -> u64 {
    let word = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let word = (word ^ word >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ word >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ word >> 31
}

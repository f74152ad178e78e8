//! P5: the stores that are servers, and SQLite, beside those of tower-sessions: round trips at the wire, and throughput
//! on the same private server in the same run.

mod databases;

use std::sync::Arc;

use anyhow::{Context, Result, anyhow};
use async_trait::async_trait;
use session_core::{Expect, Store, Version, Written};
use session_store_redis::RedisStore;
use session_test_servers::{CuttableProxy, RedisServer, StartError};
use tokio::{runtime::Runtime, sync::Mutex, task::JoinSet};
use tower_sessions_core_014::{
    SessionStore,
    session::{Id, Record},
};
use tower_sessions_redis_store::fred::prelude::{ClientLike as _, Config, Pool};

use super::{Options, Outcome};
use crate::{
    report::{Line, OURS, Table, Unit},
    rounds::interleaved,
    sample::{entry, key, mix},
};

const PEER: &str = "tower-sessions stores";
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(60);

pub(super) fn measure(options: Options) -> Result<Outcome> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let mut tables = Tables {
        options,
        runtime,
        trips: Table::new("P5", "round trips at the wire", Unit::Count, &[OURS, PEER])
            .note("Counted by a proxy between the store and its server, over 100 calls, after as many to warm up."),
        rates: Table::new("P5", "calls a second", Unit::PerSecond, &[OURS, PEER]).note(
            "Sessions of 100 bytes. tower-sessions-redis-store 0.16 (a pool of 6), tower-sessions-sqlx-store 0.15 \
             (pools as sqlx makes them). A write of the library checks the version that was read; the peer's writes \
             whatever it has.",
        ),
    };
    let mut missing = Vec::new();
    tables.redis().or_else(|error| note_missing(error, &mut missing))?;
    databases::measure(&mut tables, &mut missing)?;
    let Tables { trips, mut rates, .. } = tables;
    if !missing.is_empty() {
        let note = format!("{} Not measured: {}.", rates.note.unwrap_or_default(), missing.join("; "));
        rates.note = Some(note);
    }
    Ok(Outcome::Measured(vec![trips, rates]))
}

/// A server that is not installed is said and left out.
fn note_missing(error: anyhow::Error, missing: &mut Vec<String>) -> Result<()> {
    match error.downcast::<StartError>() {
        Ok(error) if error.is_missing() => {
            missing.push(error.to_string());
            Ok(())
        }
        Ok(error) => Err(error.into()),
        Err(error) => Err(error),
    }
}

struct Tables {
    options: Options,
    runtime: Runtime,
    trips: Table,
    rates: Table,
}

impl Tables {
    fn redis(&mut self) -> Result<()> {
        let server = RedisServer::start()?;
        let proxy = CuttableProxy::start(server.port())?;
        for (url, proxy) in
            [(format!("redis://127.0.0.1:{}", proxy.port()), Some(&proxy)), (server.url(), None)]
        {
            let ours = RedisStore::builder(&url).deadline(PATIENCE).build()?;
            let theirs = self.runtime.block_on(async {
                let pool = Pool::new(Config::from_url(&url)?, None, None, None, 6)?;
                drop(pool.connect());
                pool.wait_for_connect().await?;
                anyhow::Ok(tower_sessions_redis_store::RedisStore::new(pool))
            })?;
            self.compare("Redis", ours, theirs, proxy)?;
        }
        Ok(())
    }

    /// Counts through a proxy, measures without one.
    fn compare(
        &mut self,
        name: &str,
        ours: impl Store,
        theirs: impl SessionStore,
        proxy: Option<&CuttableProxy>,
    ) -> Result<()> {
        let sessions = self.options.pick(10_000, 1_000);
        let subjects = self.runtime.block_on(async {
            anyhow::Ok([
                Arc::new(Ours::new(ours, sessions).await?) as Arc<dyn Subject>,
                Arc::new(Theirs::new(theirs, sessions).await?),
            ])
        })?;
        for (call, what) in [(Call::Load, "load"), (Call::Save, "write")] {
            if let Some(proxy) = proxy {
                let count = |subject: &Arc<dyn Subject>| {
                    self.runtime.block_on(run(subject, call, 1, 100))?;
                    let before = proxy.round_trips();
                    self.runtime.block_on(run(subject, call, 1, 100))?;
                    anyhow::Ok((proxy.round_trips() - before) as f64 / 100.0)
                };
                let figures = [count(&subjects[0])?, count(&subjects[1])?];
                self.trips.push(Line::new(format!("{name}, {what}"), figures).at_most(1.0));
                continue;
            }
            for tasks in [1, 64] {
                let calls = self.options.pick(4_000, 400) * if tasks == 1 { 1 } else { 4 };
                let mut failures = [const { None }; 2];
                let mut figures = interleaved(2, self.options.pick(7, 3), |at| {
                    let seconds = crate::rounds::seconds(|| {
                        let done = self.runtime.block_on(run(&subjects[at], call, tasks, calls));
                        failures[at] = failures[at].take().or(done.err());
                    });
                    calls as f64 / seconds
                });
                let [ours, theirs] = failures;
                if let Some(failure) = ours {
                    return Err(failure.context(name.to_owned()));
                }
                if let Some(failure) = theirs {
                    figures[1] = f64::NAN;
                    println!("{name}, {what}, {tasks} tasks: the peer fails: {failure:#}");
                }
                let peer = figures[1];
                let words = if tasks == 1 { "one task" } else { "64 tasks" };
                let line = Line::new(format!("{name}, {what}, {words}"), figures).sessions(sessions);
                self.rates.push(if peer.is_nan() { line } else { line.at_least(peer).because("the peer") });
            }
        }
        Ok(())
    }
}

#[derive(Clone, Copy, Debug)]
enum Call {
    Load,
    Save,
}

/// So many calls, by so many tasks at once, each with sessions of its own.
async fn run(subject: &Arc<dyn Subject>, call: Call, tasks: u64, calls: u64) -> Result<()> {
    let mut running = JoinSet::new();
    for task in 0..tasks {
        let subject = subject.clone();
        running.spawn(async move {
            for number in 0..calls / tasks {
                match call {
                    Call::Load => subject.load(mix(number ^ task << 32)).await?,
                    Call::Save => subject.save(number * tasks + task).await?,
                }
            }
            anyhow::Ok(())
        });
    }
    while let Some(done) = running.join_next().await {
        done??;
    }
    Ok(())
}

/// A store with sessions in it.
#[async_trait]
trait Subject: Send + Sync {
    async fn load(&self, number: u64) -> Result<()>;
    async fn save(&self, number: u64) -> Result<()>;
}

struct Ours<S> {
    store: S,
    versions: Vec<Mutex<Version>>,
}

impl<S: Store> Ours<S> {
    async fn new(store: S, sessions: u64) -> Result<Self> {
        let mut versions = Vec::new();
        for number in 0..sessions {
            // The second run finds what the first has stored.
            let _ = store.remove(&key(number), None).await?;
            let written = store.write(&key(number), entry(number, 100), Expect::Absent).await?;
            versions.push(Mutex::new(version(written)?));
        }
        Ok(Self { store, versions })
    }
}

fn version(written: Written) -> Result<Version> {
    match written {
        Written::Stored(version) => Ok(version),
        Written::Conflict => Err(anyhow!("somebody else writes to this store")),
    }
}

#[async_trait]
impl<S: Store> Subject for Ours<S> {
    async fn load(&self, number: u64) -> Result<()> {
        let number = number % self.versions.len() as u64;
        self.store.load(&key(number)).await?.map(drop).context("a session is gone")
    }

    async fn save(&self, number: u64) -> Result<()> {
        let number = number % self.versions.len() as u64;
        let mut known = self.versions[number as usize].lock().await;
        let written = self.store.write(&key(number), entry(number, 100), Expect::Version(*known)).await?;
        *known = version(written)?;
        Ok(())
    }
}

struct Theirs<S> {
    store: S,
    records: Vec<Record>,
}

impl<S: SessionStore> Theirs<S> {
    async fn new(store: S, sessions: u64) -> Result<Self> {
        let mut records = Vec::new();
        for number in 0..sessions {
            let expiry_date = time::OffsetDateTime::now_utc() + time::Duration::minutes(45);
            let data = [("value".to_owned(), serde_json::Value::from(".".repeat(85)))].into();
            let mut record = Record { id: Id(i128::from(mix(number))), data, expiry_date };
            store.delete(&record.id).await?;
            store.create(&mut record).await?;
            records.push(record);
        }
        Ok(Self { store, records })
    }

    fn record(&self, number: u64) -> &Record {
        &self.records[(number % self.records.len() as u64) as usize]
    }
}

#[async_trait]
impl<S: SessionStore> Subject for Theirs<S> {
    async fn load(&self, number: u64) -> Result<()> {
        self.store.load(&self.record(number).id).await?.map(drop).context("a session is gone")
    }

    async fn save(&self, number: u64) -> Result<()> {
        // Databases write nothing for a row that stays as it is.
        let mut record = self.record(number).clone();
        record.expiry_date = time::OffsetDateTime::now_utc() + time::Duration::minutes(45);
        Ok(self.store.save(&record).await?)
    }
}

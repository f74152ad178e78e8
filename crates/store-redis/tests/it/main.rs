//! The store on servers of its own: what it costs on the wire, what it does when they fail, and who shares what.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail the test")]

mod clock;
mod cluster;
mod damage;
mod election;
mod environment;
mod expiry;
mod limits;
mod logins;
mod outage;
mod principals;
mod processes;
mod round_trips;
#[cfg(feature = "tls-rustls")]
mod tls;

use std::{
    env,
    sync::OnceLock,
    time::{Duration, SystemTime},
};

use session_conformance::store::sample::{key, principal};
use session_core::{
    Entry, Expect, PrincipalKey, Removed, Store, StoreError, StoreErrorKind, StoreKey, Stored, Version,
    Written,
};
use session_store_redis::{RedisStore, RedisStoreBuilder};
use session_test_servers::{RedisCluster, RedisServer, StartError};

/// A server of this test alone; `None`, said aloud, on a machine without Redis.
fn server() -> Option<RedisServer> {
    or_skip(RedisServer::start())
}

fn durable_server() -> Option<RedisServer> {
    or_skip(RedisServer::durable())
}

fn cluster() -> Option<RedisCluster> {
    or_skip(RedisCluster::start())
}

fn or_skip<T>(started: Result<T, StartError>) -> Option<T> {
    match started {
        Ok(started) => Some(started),
        Err(error) if error.is_missing() => {
            session_conformance::skip(error);
            None
        }
        Err(error) => panic!("{error}"),
    }
}

/// A store that waits for a busy machine.
fn patient(port: u16) -> RedisStore {
    builder(port).deadline(Duration::from_secs(30)).build().unwrap()
}

/// A store that gives up soon.
fn hasty(port: u16) -> RedisStore {
    builder(port).deadline(HASTE).build().unwrap()
}

fn builder(port: u16) -> RedisStoreBuilder {
    RedisStore::builder(format!("redis://127.0.0.1:{port}"))
}

/// An entry that outlives every test.
fn entry(bytes: impl Into<Vec<u8>>) -> Entry {
    Entry::new(bytes.into(), in_millis(3_600_000))
}

fn in_millis(millis: u64) -> SystemTime {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    SystemTime::UNIX_EPOCH
        + Duration::from_millis(u64::try_from(now.as_millis()).unwrap_or_default() + millis)
}

async fn create(store: &RedisStore, key: &StoreKey, entry: Entry) -> Version {
    stored(store.write(key, entry, Expect::Absent).await)
}

async fn replace(store: &RedisStore, key: &StoreKey, entry: Entry, version: Version) -> Version {
    stored(store.write(key, entry, Expect::Version(version)).await)
}

fn stored(written: Result<Written, StoreError>) -> Version {
    match written {
        Ok(Written::Stored(version)) => version,
        other => panic!("{other:?}"),
    }
}

fn kind<T: std::fmt::Debug>(answer: Result<T, StoreError>) -> StoreErrorKind {
    answer.unwrap_err().kind()
}

/// An error with all of its causes.
fn spelt_out(error: &StoreError) -> String {
    let mut text = format!("{error:?}");
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = cause {
        text += &format!(" / {error} {error:?}");
        cause = error.source();
    }
    text
}

/// Adds one to the number in a record, as often as it takes.
async fn increment(store: &RedisStore, key: &StoreKey) {
    loop {
        let Stored { bytes, version, .. } = store.load(key).await.unwrap().unwrap();
        let next = u64::from_be_bytes(bytes[..].try_into().unwrap()) + 1;
        let written = store.write(key, entry(next.to_be_bytes()), Expect::Version(version)).await.unwrap();
        if written != Written::Conflict {
            return;
        }
    }
}

async fn number(store: &RedisStore, key: &StoreKey) -> u64 {
    u64::from_be_bytes(store.load(key).await.unwrap().unwrap().bytes[..].try_into().unwrap())
}

/// How much longer a test runs than in its short form.
fn scale() -> u64 {
    static SCALE: OnceLock<u64> = OnceLock::new();
    *SCALE.get_or_init(|| {
        env::var("SESSION_CONFORMANCE_SCALE").ok().and_then(|scale| scale.parse().ok()).unwrap_or(1)
    })
}

const HASTE: Duration = Duration::from_secs(1);

//! The store as the core sees it.

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use redis::Value;
use session_core::{
    Entry, Environment, Expect, PrincipalIndex, Removed, Scan, Store, StoreError, StoreErrorKind, StoreKey,
    Stored, Version, Written,
};
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::Instant,
};

use crate::{
    build_error::BuildError,
    builder::RedisStoreBuilder,
    failure::{Failure, STORE, corrupt},
    layout::{Bucket, Layout},
    link::Answer,
    nodes::Nodes,
    record::{self, MAX_PAYLOAD, RecordError},
    script::{Call, REMOVE, WRITE},
    stats::{Counters, RedisStats},
};

/// Keeps sessions in Redis or Valkey. See the [crate](crate) for what it promises.
///
/// A clone is another handle on the same connections. Any number of processes, on any number of machines, may use the
/// same prefix. Calls need a tokio runtime with I/O and time enabled.
#[derive(Clone)]
pub struct RedisStore(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) nodes: Nodes,
    pub(crate) layout: Layout,
    pub(crate) evicting: bool,
    deadline: Duration,
    in_flight: Semaphore,
    counters: Arc<Counters>,
}

impl RedisStore {
    /// The store at `url` with the default settings.
    ///
    /// `redis://[user][:password@]host[:port][/database]`, `rediss://…` for TLS, `redis+unix:///socket`, and
    /// `redis+cluster://host:port,host:port` (`rediss+cluster://…`) for a Cluster of which some nodes are named. Special
    /// characters in names and passwords are percent-encoded.
    ///
    /// # Errors
    /// [`BuildError`] for a URL that cannot be used. Nothing is connected yet.
    pub fn new(url: impl Into<String>) -> Result<Self, BuildError> {
        Self::builder(url).build()
    }

    /// The settings of a store at `url`, as for [`new`](Self::new).
    pub fn builder(url: impl Into<String>) -> RedisStoreBuilder {
        RedisStoreBuilder::new(vec![url.into()], false)
    }

    /// The settings of a store in a Cluster, of which some nodes are named by their URLs. The login of the first one is
    /// used for all.
    pub fn cluster<U: Into<String>>(urls: impl IntoIterator<Item = U>) -> RedisStoreBuilder {
        RedisStoreBuilder::new(urls.into_iter().map(Into::into).collect(), true)
    }

    /// What this handle, and its clones, have done since the store was built.
    #[must_use]
    pub fn stats(&self) -> RedisStats {
        self.0.counters.stats()
    }

    pub(crate) fn with(inner: Inner) -> Self {
        Self(Arc::new(inner))
    }
}

impl Inner {
    pub(crate) fn new(
        nodes: Nodes,
        layout: Layout,
        evicting: bool,
        (deadline, in_flight): (Duration, usize),
        counters: Arc<Counters>,
    ) -> Self {
        Self { nodes, layout, evicting, deadline, in_flight: Semaphore::new(in_flight), counters }
    }

    /// Begins a call: when it must end, and its place among those that wait.
    pub(crate) fn begin(&self) -> Result<(Instant, SemaphorePermit<'_>), StoreError> {
        let permit = self.in_flight.try_acquire().map_err(|_| {
            self.counters.overloaded.add();
            StoreError::new(StoreErrorKind::Overloaded, STORE)
        })?;
        Ok((Instant::now() + self.deadline, permit))
    }

    /// Asks a script, which answers 1 for done, 0 for another version and -1 for what is no record.
    async fn change(&self, key: &StoreKey, call: Call) -> Result<bool, StoreError> {
        let (until, _permit) = self.begin()?;
        let answer = self.nodes.request(Bucket::of(key), &call, until).await.map_err(Failure::of_change)?;
        match answer {
            Answer { value: Value::Int(1), .. } => Ok(true),
            Answer { value: Value::Int(0), again: true } => Err(Failure::unsure().of_change()),
            Answer { value: Value::Int(0), again: false } => Ok(false),
            Answer { value: Value::Int(-1), .. } => Err(corrupt(RecordError::Damaged)),
            _ => Err(Failure::strange().of_change()),
        }
    }
}

/// Every future may be dropped at any await: what was sent by then is carried out as a whole, what was not never is.
#[async_trait]
impl Store for RedisStore {
    async fn load(&self, key: &StoreKey) -> Result<Option<Stored>, StoreError> {
        let mut get = redis::cmd("GET");
        get.arg(self.0.layout.record(key));
        let (until, _permit) = self.0.begin()?;
        let answer =
            self.0.nodes.request(Bucket::of(key), &get.into(), until).await.map_err(Failure::of_reading)?;
        match answer.value {
            Value::Nil => Ok(None),
            Value::BulkString(value) => record::decode(key, value).map(Some).map_err(corrupt),
            _ => Err(Failure::strange().of_reading()),
        }
    }

    async fn write(&self, key: &StoreKey, entry: Entry, expect: Expect) -> Result<Written, StoreError> {
        if entry.bytes.len() > MAX_PAYLOAD {
            return Err(StoreError::new(StoreErrorKind::Full, STORE));
        }
        let version = draw_version()?;
        let value = record::encode(key, version, &entry);
        let millis = record::millis(entry.expires_at);
        let expected = match expect {
            Expect::Absent => Vec::new(),
            Expect::Version(version) => version.number().to_be_bytes().to_vec(),
        };
        let name = self.0.layout.record(key);
        let (decimal, bytes) = (millis.to_string(), millis.to_be_bytes());
        let arguments: [&[u8]; 5] = [&expected, &value, decimal.as_bytes(), key.as_bytes(), &bytes];
        let call = match &entry.principal {
            Some(principal) => {
                let index = self.0.layout.index(Bucket::of(key), principal);
                WRITE.call(&[&name, &index], &arguments)
            }
            None => WRITE.call(&[&name], &arguments[..3]),
        };
        let stored = self.0.change(key, call).await?;
        Ok(if stored { Written::Stored(version) } else { Written::Conflict })
    }

    async fn remove(&self, key: &StoreKey, expect: Option<Version>) -> Result<Removed, StoreError> {
        let name = self.0.layout.record(key);
        if let Some(version) = expect {
            let call = REMOVE.call(&[&name], &[&version.number().to_be_bytes()]);
            let removed = self.0.change(key, call).await?;
            return Ok(if removed { Removed::Gone } else { Removed::Conflict });
        }
        let mut delete = redis::cmd("DEL");
        delete.arg(name);
        let (until, _permit) = self.0.begin()?;
        let answer =
            self.0.nodes.request(Bucket::of(key), &delete.into(), until).await.map_err(Failure::of_change)?;
        match answer.value {
            Value::Int(_) => Ok(Removed::Gone),
            _ => Err(Failure::strange().of_change()),
        }
    }

    fn as_principal_index(&self) -> Option<&dyn PrincipalIndex> {
        Some(self)
    }

    fn as_environment(&self) -> Option<&dyn Environment> {
        Some(self)
    }

    fn as_scan(&self) -> Option<&dyn Scan> {
        Some(self)
    }
}

/// A version that no record had before, here or on another machine, before a removal, a failover or a restart without
/// data: nothing that is stored could be relied on to count. Of 64 random bits.
fn draw_version() -> Result<Version, StoreError> {
    getrandom::u64().map(Version::new).map_err(StoreError::unavailable(STORE))
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore")
            .field("nodes", &self.0.nodes.named())
            .field("prefix", &self.0.layout.prefix())
            .field("deadline", &self.0.deadline)
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}

//! The settings of a store.

use std::{sync::Arc, time::Duration};

use redis::ConnectionInfo;

use crate::{
    build_error::BuildError,
    cluster::Cluster,
    layout::Layout,
    link::Link,
    nodes::Nodes,
    stats::Counters,
    store::{Inner, RedisStore},
    url,
};

/// The settings of a [`RedisStore`], begun with [`RedisStore::builder`] or [`RedisStore::cluster`] and ended with
/// [`build`](Self::build).
///
/// ```
/// # use std::time::Duration;
/// # use session_store_redis::RedisStore;
/// let store = RedisStore::builder("redis://127.0.0.1:6379")
///     .prefix("shop:session")
///     .deadline(Duration::from_millis(500))
///     .build()?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub struct RedisStoreBuilder {
    urls: Vec<String>,
    cluster: bool,
    prefix: String,
    deadline: Duration,
    in_flight: usize,
    evicting: bool,
}

impl RedisStoreBuilder {
    pub(crate) fn new(urls: Vec<String>, cluster: bool) -> Self {
        let (deadline, in_flight) = (Duration::from_secs(1), 1_024);
        Self { urls, cluster, prefix: "session".to_owned(), deadline, in_flight, evicting: false }
    }

    /// What the names of all keys begin with: 1 to 64 ASCII letters, digits, or `_-.:`. Default: `session`. Stores with
    /// different prefixes in one Redis share nothing.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// How long a call may take, connecting included, at most a day. Default: one second. Afterwards it is
    /// [`Unavailable`](session_core::StoreErrorKind::Unavailable), or
    /// [`Indeterminate`](session_core::StoreErrorKind::Indeterminate) if the server may have changed the record.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline.min(Duration::from_secs(86_400));
        self
    }

    /// How many calls may wait for the server at a time, at least 1. Default: 1,024. Further ones are
    /// [`Overloaded`](session_core::StoreErrorKind::Overloaded) at once.
    pub fn in_flight_limit(mut self, calls: usize) -> Self {
        self.in_flight = calls.clamp(1, MOST_IN_FLIGHT);
        self
    }

    /// Lets [`check`](session_core::Environment::check) pass although the server has a `maxmemory-policy` other than
    /// `noeviction`.
    ///
    /// Danger: such a server, when its memory is full, ends sessions of people who are signed in, and forgets which
    /// sessions a person has, so that "sign out everywhere" misses some.
    pub fn dangerous_evicting_server(mut self) -> Self {
        self.evicting = true;
        self
    }

    /// Builds the store. Connects to nothing: the first call does.
    ///
    /// # Errors
    /// [`BuildError`] for a prefix or URL that cannot be used.
    pub fn build(self) -> Result<RedisStore, BuildError> {
        let layout = Layout::new(self.prefix)?;
        let mut infos: Vec<ConnectionInfo> = Vec::new();
        let mut cluster = self.cluster;
        for url in &self.urls {
            let named = url::read(url)?;
            cluster |= named.cluster;
            infos.extend(named.nodes);
        }
        #[cfg(feature = "tls-rustls")]
        if infos.iter().any(|info| matches!(info.addr(), redis::ConnectionAddr::TcpTls { .. })) {
            url::have_cryptography();
        }
        let counters = Arc::new(Counters::default());
        let unusable = |_| BuildError::Url("the address cannot be used");
        let nodes = if cluster {
            if infos.iter().any(|info| info.redis_settings().db() != 0) {
                return Err(BuildError::Url("a Cluster has one database"));
            }
            if infos.is_empty() {
                return Err(BuildError::NoNodes);
            }
            let cluster = Cluster::new(infos, self.deadline, self.in_flight, &counters).map_err(unusable)?;
            Nodes::Cluster(Arc::new(cluster))
        } else {
            let info = infos.pop().ok_or(BuildError::NoNodes)?;
            Nodes::One(Link::new(info, self.deadline, self.in_flight, &counters).map_err(unusable)?)
        };
        let bounds = (self.deadline, self.in_flight);
        Ok(RedisStore::with(Inner::new(nodes, layout, self.evicting, bounds, counters)))
    }
}

impl std::fmt::Debug for RedisStoreBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Without the URLs: they may hold passwords.
        f.debug_struct("RedisStoreBuilder")
            .field("prefix", &self.prefix)
            .field("deadline", &self.deadline)
            .field("in_flight", &self.in_flight)
            .finish_non_exhaustive()
    }
}

const MOST_IN_FLIGHT: usize = 1 << 20;

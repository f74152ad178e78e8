//! Setting up, checking and tearing down: what a Redis must be like to hold sessions.

use std::{error::Error, fmt};

use async_trait::async_trait;
use redis::Value;
use session_core::{Environment, StoreError, StoreErrorKind};
use tokio::time::Instant;

use crate::{
    failure::{Failure, STORE},
    layout::{Bucket, LAYOUT},
    link::Link,
    nodes::{Nodes, ask},
    store::{Inner, RedisStore},
};

/// What is wrong with the environment of a store: the source of the errors of its check.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EnvironmentError {
    /// It was not created, was dropped, or the server lost its data.
    Missing,
    /// It was created by a later version of this crate, with other names for its keys.
    OtherLayout,
    /// The server forgets sessions when its memory is full: its `maxmemory-policy`.
    Evicts(String),
    /// The server is one of several masters of a Cluster and was named as if it were alone, so that it would show only its
    /// own part of the sessions.
    PartOfACluster,
}

impl fmt::Display for EnvironmentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("there is no environment under the prefix"),
            Self::OtherLayout => f.write_str("the environment under the prefix has another layout"),
            Self::Evicts(policy) => {
                write!(
                    f,
                    "the server ends sessions when its memory is full: maxmemory-policy {policy}, not noeviction"
                )
            }
            Self::PartOfACluster => f.write_str(
                "the server is a node of a Cluster and has a part of the sessions only: name the Cluster, \
                 redis+cluster://HOST:PORT",
            ),
        }
    }
}

impl Error for EnvironmentError {}

/// Each step has a deadline of its own: a large environment takes several seconds to drop.
#[async_trait]
impl Environment for RedisStore {
    /// Notes under the prefix which layout it has. Records need nothing else, and are written also without it.
    async fn create(&self) -> Result<(), Vec<StoreError>> {
        self.0.create().await.map_err(|error| vec![error])
    }

    /// Checks that every node answers, that the environment is there, and that no node evicts.
    async fn check(&self) -> Result<(), Vec<StoreError>> {
        // Where not all can be asked there is nothing else to tell.
        let links = self.0.all().await.map_err(|error| vec![error])?;
        let mut errors = Vec::new();
        errors.extend(self.0.layout_is_ours().await.err());
        for link in links {
            errors.extend(self.0.check_node(&link).await.err());
        }
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }

    /// Deletes every key under the prefix that is the store's, a thousand at a time, and no other.
    async fn drop(&self) -> Result<(), Vec<StoreError>> {
        let links = self.0.all().await.map_err(|error| vec![error])?;
        let mut errors = Vec::new();
        for link in links {
            errors.extend(self.0.drop_from(&link).await.err());
        }
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }
}

impl Inner {
    async fn all(&self) -> Result<Vec<Link>, StoreError> {
        let (until, _permit) = self.begin()?;
        let links = self.nodes.all(until).await.map_err(Failure::of_reading)?;
        self.have_everything(&links, until).await?;
        Ok(links)
    }

    /// A node of a Cluster answers `SCAN` for what it has itself. What is not a Cluster, or does not let its user ask,
    /// refuses the question.
    pub(crate) async fn have_everything(&self, links: &[Link], until: Instant) -> Result<(), StoreError> {
        let (Nodes::One(_), [link]) = (&self.nodes, links) else { return Ok(()) };
        let mut question = redis::cmd("CLUSTER");
        question.arg("INFO");
        match link.request(&question.into(), false, until).await.map_err(Failure::of_reading)?.value {
            Value::BulkString(text) if masters(&String::from_utf8_lossy(&text)) > 1 => {
                Err(StoreError::unavailable(STORE)(EnvironmentError::PartOfACluster))
            }
            _ => Ok(()),
        }
    }

    async fn create(&self) -> Result<(), StoreError> {
        let mut set = redis::cmd("SET");
        set.arg(self.layout.environment()).arg(LAYOUT).arg("NX");
        let (until, permit) = self.begin()?;
        self.nodes.request(Bucket::FIRST, &set.into(), until).await.map_err(Failure::of_change)?;
        drop(permit);
        self.layout_is_ours().await
    }

    async fn layout_is_ours(&self) -> Result<(), StoreError> {
        let mut get = redis::cmd("GET");
        get.arg(self.layout.environment());
        let (until, _permit) = self.begin()?;
        let answer =
            self.nodes.request(Bucket::FIRST, &get.into(), until).await.map_err(Failure::of_reading)?;
        match answer.value {
            Value::BulkString(layout) if layout == LAYOUT.as_bytes() => Ok(()),
            Value::Nil => Err(StoreError::unavailable(STORE)(EnvironmentError::Missing)),
            _ => Err(StoreError::corrupt(STORE)(EnvironmentError::OtherLayout)),
        }
    }

    async fn check_node(&self, link: &Link) -> Result<(), StoreError> {
        let mut info = redis::cmd("INFO");
        info.arg("memory");
        let (until, _permit) = self.begin()?;
        let policy = match ask(link, &info.into(), until).await.map_err(Failure::of_reading)? {
            Value::BulkString(text) => policy(&String::from_utf8_lossy(&text)),
            _ => None,
        };
        match policy {
            Some(policy) if policy != "noeviction" && !self.evicting => {
                Err(StoreError::new(StoreErrorKind::Unavailable, STORE)
                    .with_source(EnvironmentError::Evicts(policy)))
            }
            // What is compatible with Redis and has no such policy does not say.
            _ => Ok(()),
        }
    }

    async fn drop_from(&self, link: &Link) -> Result<(), StoreError> {
        let mut cursor = "0".to_owned();
        loop {
            let mut scan = redis::cmd("SCAN");
            scan.arg(&cursor).arg("MATCH").arg(self.layout.pattern()).arg("COUNT").arg(BATCH);
            let (until, _permit) = self.begin()?;
            let answer = ask(link, &scan.into(), until).await.map_err(Failure::of_reading)?;
            let Some((next, names)) = page(answer) else { return Err(Failure::strange().of_reading()) };
            self.delete(link, names, until).await?;
            if next == "0" {
                return Ok(());
            }
            cursor = next;
        }
    }

    /// A Cluster takes one key at a time, as they are in several slots; all are sent before the first answer comes.
    async fn delete(&self, link: &Link, names: Vec<Vec<u8>>, until: Instant) -> Result<(), StoreError> {
        let ours = names.into_iter().filter(|name| self.layout.is_ours(name));
        let deletions = ours.map(|name| async move {
            let mut unlink = redis::cmd("UNLINK");
            unlink.arg(name);
            ask(link, &unlink.into(), until).await
        });
        futures_util::future::try_join_all(deletions).await.map(drop).map_err(Failure::of_change)
    }
}

fn policy(info: &str) -> Option<String> {
    info.lines()
        .find_map(|line| line.strip_prefix("maxmemory_policy:"))
        .map(|policy| policy.trim().to_owned())
}

/// How many masters have slots.
fn masters(info: &str) -> usize {
    let size = info.lines().find_map(|line| line.strip_prefix("cluster_size:"));
    size.and_then(|size| size.trim().parse().ok()).unwrap_or(0)
}

pub(crate) fn page(answer: Value) -> Option<(String, Vec<Vec<u8>>)> {
    let Value::Array(parts) = answer else { return None };
    let Ok([Value::BulkString(cursor), Value::Array(names)]) = <[Value; 2]>::try_from(parts) else {
        return None;
    };
    let name = |name| if let Value::BulkString(name) = name { Some(name) } else { None };
    Some((String::from_utf8(cursor).ok()?, names.into_iter().map(name).collect::<Option<_>>()?))
}

const BATCH: usize = 1_000;

#[cfg(test)]
mod tests {
    use super::{masters, policy};

    #[test]
    fn masters_are_counted() {
        assert_eq!(masters("cluster_state:ok\r\ncluster_known_nodes:6\r\ncluster_size:3\r\n"), 3);
        assert_eq!(masters(""), 0);
    }

    #[test]
    fn the_policy_is_found() {
        assert_eq!(
            policy("# Memory\r\nused_memory:1\r\nmaxmemory_policy:allkeys-lru\r\n").as_deref(),
            Some("allkeys-lru")
        );
        assert_eq!(policy("# Memory\r\n"), None);
    }
}

//! Where requests go: to the one node, or to that of the Cluster which has the bucket.

use std::sync::Arc;

use redis::Value;
use tokio::time::Instant;

use crate::{
    cluster::Cluster,
    failure::Failure,
    layout::Bucket,
    link::{Answer, Link},
    script::Call,
};

/// The servers of a store.
#[derive(Debug)]
pub(crate) enum Nodes {
    One(Link),
    Cluster(Arc<Cluster>),
}

impl Nodes {
    /// Sends a request about keys of one bucket. An error of the server is a failure.
    pub(crate) async fn request(
        &self,
        bucket: Bucket,
        call: &Call,
        until: Instant,
    ) -> Result<Answer, Failure> {
        match self {
            Self::One(link) => checked(link.request(call, false, until).await?),
            Self::Cluster(cluster) => cluster.request(bucket, call, until).await,
        }
    }

    /// Every node that holds records.
    pub(crate) async fn all(&self, until: Instant) -> Result<Vec<Link>, Failure> {
        match self {
            Self::One(link) => Ok(vec![link.clone()]),
            Self::Cluster(cluster) => cluster.masters(until).await,
        }
    }

    /// A number for which node holds which records at the moment.
    pub(crate) fn fingerprint(&self) -> u64 {
        match self {
            Self::One(_) => 0,
            Self::Cluster(cluster) => cluster.fingerprint(),
        }
    }

    /// What was named in the settings.
    pub(crate) fn named(&self) -> &[Link] {
        match self {
            Self::One(link) => std::slice::from_ref(link),
            Self::Cluster(cluster) => cluster.seeds(),
        }
    }
}

/// Sends a request to that node, whatever it is about. An error of the server is a failure.
pub(crate) async fn ask(link: &Link, call: &Call, until: Instant) -> Result<Value, Failure> {
    checked(link.request(call, false, until).await?).map(|answer| answer.value)
}

fn checked(answer: Answer) -> Result<Answer, Failure> {
    match &answer.value {
        Value::ServerError(error) => Err(Failure::refused(error).after(answer.again)),
        _ => Ok(answer),
    }
}

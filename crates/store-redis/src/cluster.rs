//! Which node of a Cluster has which bucket, and what to do when that changes.

use std::{
    collections::HashMap,
    hash::{Hash, Hasher},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::{StreamExt, stream::FuturesUnordered};
use redis::{ConnectionAddr, ConnectionInfo, RedisError, ServerError, ServerErrorKind, Value};
use tokio::{
    runtime::Handle,
    sync,
    time::{Instant, sleep_until, timeout_at},
};
use twox_hash::XxHash3_64;

use crate::{
    failure::Failure,
    layout::Bucket,
    link::{Answer, Link},
    script::Call,
    stats::Counters,
};

/// Host and port, as the nodes name each other.
pub(crate) type Address = (String, u16);

/// The nodes of a Cluster.
#[derive(Debug)]
pub(crate) struct Cluster {
    /// Where to ask when nobody else answers.
    seeds: Vec<Link>,
    patience: Duration,
    in_flight: usize,
    counters: Arc<Counters>,
    map: Mutex<Map>,
    /// When the map was last asked for. Locked while somebody asks.
    asked: sync::Mutex<Option<Instant>>,
    /// How many nodes were asked, so that others are asked the next time.
    questions: AtomicUsize,
}

#[derive(Debug, Default)]
struct Map {
    owners: HashMap<u8, Address>,
    links: HashMap<Address, Link>,
}

impl Cluster {
    pub(crate) fn new(
        seeds: Vec<ConnectionInfo>,
        patience: Duration,
        in_flight: usize,
        counters: &Arc<Counters>,
    ) -> Result<Self, RedisError> {
        let link = |info| Link::new(info, patience, in_flight, counters);
        Ok(Self {
            seeds: seeds.into_iter().map(link).collect::<Result<_, _>>()?,
            patience,
            in_flight,
            counters: Arc::clone(counters),
            map: Mutex::new(Map::default()),
            asked: sync::Mutex::new(None),
            questions: AtomicUsize::new(0),
        })
    }

    pub(crate) fn seeds(&self) -> &[Link] {
        &self.seeds
    }

    /// Sends a request to the node that has the bucket, wherever that is by now.
    pub(crate) async fn request(
        self: &Arc<Self>,
        bucket: Bucket,
        call: &Call,
        until: Instant,
    ) -> Result<Answer, Failure> {
        let mut again = false;
        // A node that migrates the slot to another sends requests for what is there already to that one, once.
        let mut asked: Option<Link> = None;
        for _ in 0..MOST_STEPS {
            let (link, asking) = match asked.take() {
                Some(link) => (link, true),
                None => (self.owner(bucket, until).await.map_err(|failure| failure.after(again))?, false),
            };
            let answer = match link.request(call, asking, until).await {
                Ok(answer) => answer,
                Err(failure) => {
                    again |= failure.may_be_done;
                    if self.has_another_owner(bucket, &link, until).await {
                        continue;
                    }
                    return Err(failure.after(again));
                }
            };
            again |= answer.again;
            let Value::ServerError(error) = &answer.value else {
                return Ok(Answer { again, ..answer });
            };
            match (error.kind(), address(error)) {
                (Some(ServerErrorKind::Moved), Some(to)) => {
                    self.counters.redirected.add();
                    self.set_owner(bucket, self.named(to, &link));
                    self.refresh_later();
                }
                (Some(ServerErrorKind::Ask), Some(to)) => {
                    self.counters.redirected.add();
                    asked = Some(
                        self.link(&self.named(to, &link)).map_err(|error| Failure::broken(error, again))?,
                    );
                }
                // One of two keys has been migrated, the other not yet.
                (Some(ServerErrorKind::TryAgain), _) => {
                    sleep_until((Instant::now() + PAUSE).min(until)).await
                }
                (Some(ServerErrorKind::ReadOnly | ServerErrorKind::ClusterDown), _)
                    if self.has_another_owner(bucket, &link, until).await => {}
                _ => return Err(Failure::refused(error).after(again)),
            }
            if Instant::now() >= until {
                break;
            }
        }
        Err(Failure::late(again))
    }

    /// A number for who has what at the moment: another one once a bucket has moved.
    pub(crate) fn fingerprint(&self) -> u64 {
        let map = self.map();
        let mut owners: Vec<_> = map.owners.iter().collect();
        owners.sort_unstable();
        let mut hasher = XxHash3_64::new();
        owners.hash(&mut hasher);
        hasher.finish()
    }

    /// Every node that has a bucket.
    pub(crate) async fn masters(&self, until: Instant) -> Result<Vec<Link>, Failure> {
        self.refresh(until).await?;
        let mut addresses: Vec<Address> = self.map().owners.values().cloned().collect();
        addresses.sort_unstable();
        addresses.dedup();
        addresses
            .iter()
            .map(|address| self.link(address).map_err(|error| Failure::broken(error, false)))
            .collect()
    }

    async fn owner(&self, bucket: Bucket, until: Instant) -> Result<Link, Failure> {
        if let Some(link) = self.known_owner(bucket) {
            return Ok(link);
        }
        self.refresh(until).await?;
        self.known_owner(bucket).ok_or(Failure::no_owner())
    }

    fn known_owner(&self, bucket: Bucket) -> Option<Link> {
        let address = self.map().owners.get(&bucket.0).cloned()?;
        self.link(&address).ok()
    }

    /// Whether, after asking around, another node than `link` has the bucket.
    async fn has_another_owner(self: &Arc<Self>, bucket: Bucket, link: &Link, until: Instant) -> bool {
        if Instant::now() >= until {
            self.refresh_later();
            return false;
        }
        // Who cannot be asked leaves the map as it is.
        let _ = self.refresh(until).await;
        self.known_owner(bucket).is_some_and(|owner| !owner.is(link))
    }

    fn set_owner(&self, bucket: Bucket, address: Address) {
        self.map().owners.insert(bucket.0, address);
    }

    fn refresh_later(self: &Arc<Self>) {
        if let Ok(runtime) = Handle::try_current() {
            let cluster = Arc::clone(self);
            runtime.spawn(async move {
                let until = Instant::now() + cluster.patience;
                cluster.refresh(until).await
            });
        }
    }

    /// Asks several nodes at once which of them has what, and believes the first that answers. A wrong belief is
    /// corrected by the node that is asked next.
    async fn refresh(&self, until: Instant) -> Result<(), Failure> {
        let mut asked = timeout_at(until, self.asked.lock()).await.map_err(|_| Failure::late(false))?;
        if asked.is_some_and(|last| last.elapsed() < PAUSE) {
            return Ok(());
        }
        let mut slots = redis::cmd("CLUSTER");
        slots.arg("SLOTS");
        let call = &Call::from(slots);
        let known: Vec<Link> = self.map().links.values().cloned().collect();
        let first = self.questions.fetch_add(MOST_ASKED, Ordering::Relaxed) % known.len().max(1);
        let some = known.iter().cycle().skip(first).take(MOST_ASKED.min(known.len()));
        let mut answers: FuturesUnordered<_> = some
            .chain(self.seeds.iter().take(MOST_ASKED))
            .cloned()
            .map(|link| async move { (link.request(call, false, until).await, link) })
            .collect();
        let mut failure = Failure::no_owner();
        while let Some((answer, link)) = answers.next().await {
            match answer.map(|answer| answer.value) {
                Ok(Value::ServerError(error)) => failure = Failure::refused(&error),
                Ok(value) => {
                    if let Some(owners) = self.read(&value, &link) {
                        let mut map = self.map();
                        map.links.retain(|address, _| owners.values().any(|owner| owner == address));
                        map.owners = owners;
                        drop(map);
                        *asked = Some(Instant::now());
                        return Ok(());
                    }
                    failure = Failure::strange();
                }
                Err(error) => failure = error,
            }
        }
        *asked = Some(Instant::now());
        failure.may_be_done = false;
        Err(failure)
    }

    /// The owners of the buckets, as `CLUSTER SLOTS` gives them; `None` if it has another form, or nobody owns anything.
    fn read(&self, value: &Value, from: &Link) -> Option<HashMap<u8, Address>> {
        let Value::Array(ranges) = value else { return None };
        let mut owners = HashMap::new();
        for range in ranges {
            let Value::Array(range) = range else { return None };
            let [Value::Int(first), Value::Int(last), Value::Array(master), ..] = range.as_slice() else {
                return None;
            };
            let [host, Value::Int(port), ..] = master.as_slice() else { return None };
            let host = match host {
                Value::BulkString(host) => String::from_utf8(host.clone()).ok()?,
                // A node that does not know its own name.
                _ => String::new(),
            };
            let address = self.named((host, u16::try_from(*port).ok()?), from);
            let buckets =
                (0..=u8::MAX).map(Bucket).filter(|bucket| (*first..=*last).contains(&bucket.slot().into()));
            owners.extend(buckets.map(|bucket| (bucket.0, address.clone())));
        }
        (!owners.is_empty()).then_some(owners)
    }

    /// Without a host, that of the node which said so is meant.
    fn named(&self, (host, port): Address, from: &Link) -> Address {
        match from.info().addr() {
            ConnectionAddr::Tcp(own, _) | ConnectionAddr::TcpTls { host: own, .. } if host.is_empty() => {
                (own.clone(), port)
            }
            _ => (host, port),
        }
    }

    /// The link to a node; the login, and whether it is encrypted, are those of the first seed.
    fn link(&self, address: &Address) -> Result<Link, RedisError> {
        let mut map = self.map();
        if let Some(link) = map.links.get(address) {
            return Ok(link.clone());
        }
        let (host, port) = address.clone();
        let seed =
            self.seeds.first().ok_or(RedisError::from((redis::ErrorKind::Client, "no node is named")))?;
        let addr = match seed.info().addr() {
            ConnectionAddr::TcpTls { insecure, tls_params, .. } => {
                ConnectionAddr::TcpTls { host, port, insecure: *insecure, tls_params: tls_params.clone() }
            }
            _ => ConnectionAddr::Tcp(host, port),
        };
        let info = seed.info().clone().set_addr(addr);
        let link = Link::new(info, self.patience, self.in_flight, &self.counters)?;
        map.links.insert(address.clone(), link.clone());
        Ok(link)
    }

    fn map(&self) -> MutexGuard<'_, Map> {
        self.map.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where an error sends the request: `MOVED 3999 127.0.0.1:6381`.
fn address(error: &ServerError) -> Option<Address> {
    let (host, port) = error.details()?.split_ascii_whitespace().nth(1)?.rsplit_once(':')?;
    Some((host.to_owned(), port.parse().ok()?))
}

/// Between two questions for the map, and before a request that is to be tried again.
const PAUSE: Duration = Duration::from_millis(50);
/// Nodes that are asked for the map at a time, and as many of those in the settings.
const MOST_ASKED: usize = 4;
/// Redirections of one request.
const MOST_STEPS: usize = 64;

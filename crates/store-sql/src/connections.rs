//! Where connections come from, how many there are, and which of them are of use.
//!
//! The store keeps its own: the pool of sqlx sends a ping each time a connection comes back, which is a second round
//! trip for each call. A connection is used again only after it has given its answer completely; a call that broke off
//! takes its connection with it.

use std::{
    fmt,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use session_core::{StoreError, StoreErrorKind};
use sqlx::{ConnectOptions, Connection, Pool, pool::PoolConnection};
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::{Instant, sleep, timeout_at},
};

use crate::{
    driver::{Driver, Trouble, say_goodbye},
    failure::{Problem, error},
};

/// What a connection is wanted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    Read,
    Write,
}

/// Where connections come from.
pub(crate) enum Connections<D: Driver> {
    Own(Box<Own<D>>),
    /// The application's. Each call takes one and gives it back.
    Shared(Pool<D>),
}

/// Connections of the store's own.
pub(crate) struct Own<D: Driver> {
    settings: D::Settings,
    deadline: Duration,
    /// If a database lets only one write at a time, the others wait here and not in it.
    writers: Option<Lane<D>>,
    lane: Lane<D>,
    limits: Limits,
}

/// How many connections there may be, and how long they may live.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) connections: usize,
    pub(crate) one_writer: bool,
    /// Calls that may wait for a connection.
    pub(crate) waiting: usize,
    /// Whether the database goes with its connection, so that none may ever be given up.
    pub(crate) keep: bool,
}

struct Lane<D: Driver> {
    permits: Semaphore,
    waiting: AtomicUsize,
    idle: Mutex<Vec<Open<D>>>,
    /// Raised when a connection was lost: others opened before are suspect.
    era: AtomicU64,
}

struct Open<D: Driver> {
    connection: D::Connection,
    opened: Instant,
    idle_since: Instant,
    era: u64,
    /// Whether the version of the schema was looked at.
    checked: bool,
}

/// Unused for longer than this, a connection may have been forgotten by what lies between.
const LONGEST_IDLE: Duration = Duration::from_secs(60);
/// So that a server behind a name or a balancer is found again.
const LONGEST_LIFE: Duration = Duration::from_secs(30 * 60);

/// Between two attempts to connect.
const PAUSE: Duration = Duration::from_millis(10);

impl<D: Driver> Connections<D> {
    pub(crate) fn own(settings: D::Settings, deadline: Duration, limits: Limits) -> Self {
        let writers = limits.one_writer.then(|| Lane::new(1));
        Self::Own(Box::new(Own { settings, deadline, writers, lane: Lane::new(limits.connections), limits }))
    }

    /// A connection, before the deadline. Nothing has been sent when this fails.
    pub(crate) async fn acquire(
        &self,
        purpose: Purpose,
        deadline: Instant,
    ) -> Result<Lease<'_, D>, StoreError> {
        match self {
            Self::Own(own) => own.acquire(purpose, deadline).await,
            Self::Shared(pool) => match timeout_at(deadline, pool.acquire()).await {
                Ok(Ok(connection)) => {
                    let shared = OfPool { connection, answered: false };
                    Ok(Lease { held: Held::Shared(shared), checked: false })
                }
                Ok(Err(sqlx::Error::PoolTimedOut)) | Err(_) => Err(pool_timed_out(pool)),
                Ok(Err(refused)) => Err(not_connected::<D>(refused)),
            },
        }
    }

    /// A connection that has not been greeted, for statements that may take long.
    pub(crate) async fn acquire_plain(&self, deadline: Instant) -> Result<Lease<'_, D>, StoreError> {
        match self {
            Self::Own(own) if !own.limits.keep => loop {
                match own.connect(deadline).await {
                    Err(error) if is_worth_a_pause(&error, deadline) => sleep(PAUSE).await,
                    connected => break Ok(Lease { held: Held::Alone(connected?), checked: false }),
                }
            },
            _ => self.acquire(Purpose::Write, deadline).await,
        }
    }

    /// Whether they are the application's.
    pub(crate) const fn are_shared(&self) -> bool {
        matches!(self, Self::Shared(_))
    }

    /// Closes what is not in use. Later calls fail.
    pub(crate) async fn close(&self) {
        match self {
            Self::Own(own) => {
                for lane in own.lanes() {
                    lane.permits.close();
                    let idle: Vec<_> = lane.idle().drain(..).collect();
                    for open in idle {
                        // There is nothing left to do with one that cannot be closed.
                        let _ = tokio::time::timeout(own.deadline, open.connection.close()).await;
                    }
                }
            }
            // The application closes its pool.
            Self::Shared(_) => {}
        }
    }
}

impl<D: Driver> Own<D> {
    fn lanes(&self) -> impl Iterator<Item = &Lane<D>> {
        self.writers.iter().chain([&self.lane])
    }

    async fn acquire(&self, purpose: Purpose, deadline: Instant) -> Result<Lease<'_, D>, StoreError> {
        let lane = match (&self.writers, purpose) {
            (Some(writers), Purpose::Write) => writers,
            _ => &self.lane,
        };
        let permit = lane.permit(deadline, self.limits.waiting).await?;
        let open = loop {
            if let Some(open) = lane.take_idle(self.limits.keep) {
                break open;
            }
            match self.open(lane, deadline).await {
                Ok(open) => break open,
                // One of this store's may be free before there is place for one more.
                Err(error) if is_worth_a_pause(&error, deadline) => sleep(PAUSE).await,
                Err(error) => return Err(error),
            }
        };
        let checked = open.checked;
        Ok(Lease { held: Held::Own { open, lane, permit, keep: self.limits.keep }, checked })
    }

    async fn open(&self, lane: &Lane<D>, deadline: Instant) -> Result<Open<D>, StoreError> {
        let era = lane.era.load(Ordering::Acquire);
        let mut connection = self.connect(deadline).await?;
        if let Some(greeting) = D::greeting(self.deadline) {
            let greeted = timeout_at(deadline, D::raw(&mut connection, greeting)).await;
            greeted.map_err(|_| timed_out::<D>())?.map_err(not_connected::<D>)?;
        }
        let now = Instant::now();
        Ok(Open { connection, opened: now, idle_since: now, era, checked: false })
    }

    async fn connect(&self, deadline: Instant) -> Result<D::Connection, StoreError> {
        let connected = timeout_at(deadline, self.settings.connect()).await.map_err(|_| timed_out::<D>())?;
        connected.map_err(|refused| match D::what_is_missing(&self.settings) {
            Some(missing) => error::<D>(StoreErrorKind::Unavailable, Problem::Missing(missing)),
            None => not_connected::<D>(refused),
        })
    }
}

impl<D: Driver> Lane<D> {
    fn new(connections: usize) -> Self {
        Self {
            permits: Semaphore::new(connections),
            waiting: AtomicUsize::new(0),
            idle: Mutex::new(Vec::new()),
            era: AtomicU64::new(0),
        }
    }

    async fn permit(&self, deadline: Instant, most: usize) -> Result<SemaphorePermit<'_>, StoreError> {
        let overloaded = || error::<D>(StoreErrorKind::Overloaded, Problem::Waiting);
        if let Ok(permit) = self.permits.try_acquire() {
            return Ok(permit);
        }
        let _place = Place::take(&self.waiting, most).ok_or_else(overloaded)?;
        match timeout_at(deadline, self.permits.acquire()).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) => Err(error::<D>(StoreErrorKind::Unavailable, Problem::Closed)),
            Err(_) => Err(overloaded()),
        }
    }

    /// The connection that was used last, so that those which are too many grow old.
    fn take_idle(&self, keep: bool) -> Option<Open<D>> {
        let mut idle = self.idle();
        if keep {
            return idle.pop();
        }
        let (now, era) = (Instant::now(), self.era.load(Ordering::Acquire));
        while let Some(open) = idle.pop() {
            if open.era != era {
                continue;
            }
            let young = now.duration_since(open.opened) < LONGEST_LIFE;
            if young && now.duration_since(open.idle_since) < LONGEST_IDLE {
                return Some(open);
            }
            say_goodbye::<D>(open.connection);
        }
        None
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Open<D>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place among those that wait, given back when it is dropped.
struct Place<'a>(&'a AtomicUsize);

impl<'a> Place<'a> {
    fn take(waiting: &'a AtomicUsize, most: usize) -> Option<Self> {
        let place = Self(waiting);
        // Dropped if there are too many.
        (waiting.fetch_add(1, Ordering::AcqRel) < most).then_some(place)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// A connection in use. [`keep`](Self::keep) gives it back; dropped, it is given up.
pub(crate) struct Lease<'a, D: Driver> {
    held: Held<'a, D>,
    /// Whether the version of the schema was looked at.
    pub(crate) checked: bool,
}

enum Held<'a, D: Driver> {
    Own { open: Open<D>, lane: &'a Lane<D>, permit: SemaphorePermit<'a>, keep: bool },
    Shared(OfPool<D>),
    Alone(D::Connection),
}

/// A connection of a pool, which takes back what is dropped, so that it must be told not to.
struct OfPool<D: Driver> {
    connection: PoolConnection<D>,
    answered: bool,
}

impl<D: Driver> Drop for OfPool<D> {
    fn drop(&mut self) {
        if !self.answered {
            self.connection.close_on_drop();
        }
    }
}

impl<D: Driver> Lease<'_, D> {
    pub(crate) fn connection(&mut self) -> &mut D::Connection {
        match &mut self.held {
            Held::Own { open, .. } => &mut open.connection,
            Held::Shared(shared) => &mut shared.connection,
            Held::Alone(connection) => connection,
        }
    }

    /// Gives the connection back for others to use: it has answered completely.
    pub(crate) fn keep(self) {
        match self.held {
            Held::Own { mut open, lane, permit, keep } => {
                open.checked = self.checked;
                open.idle_since = Instant::now();
                if keep || open.era == lane.era.load(Ordering::Acquire) {
                    lane.idle().push(open);
                }
                drop(permit);
            }
            Held::Shared(mut shared) => shared.answered = true,
            Held::Alone(connection) => say_goodbye::<D>(connection),
        }
    }

    /// Gives the connection up, which has not answered.
    pub(crate) fn give_up(self) {
        if let Held::Own { keep: true, .. } = self.held {
            // The database would go with it; and what runs it does one statement after the other.
            self.keep();
        }
    }

    /// Gives the connection up, and all that were opened before it broke: what ended it will have ended them too.
    pub(crate) fn lost(self) {
        if let Held::Own { open, lane, keep: false, .. } = &self.held {
            // Once for each loss, however many connections notice it.
            let _ = lane.era.compare_exchange(open.era, open.era + 1, Ordering::AcqRel, Ordering::Acquire);
        }
        self.give_up();
    }
}

impl<D: Driver> fmt::Debug for Connections<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Own(own) => f.debug_struct("Own").field("limits", &own.limits).finish_non_exhaustive(),
            Self::Shared(_) => f.debug_struct("Shared").finish_non_exhaustive(),
        }
    }
}

/// Too many connections, or a file that is just being opened for the first time.
fn is_worth_a_pause(error: &StoreError, deadline: Instant) -> bool {
    error.kind() == StoreErrorKind::Overloaded && Instant::now() + PAUSE < deadline
}

fn timed_out<D: Driver>() -> StoreError {
    error::<D>(StoreErrorKind::Unavailable, Problem::TimedOut)
}

/// The pool does not tell whether it waited for a connection or for the server; what it has tells.
fn pool_timed_out<D: Driver>(pool: &Pool<D>) -> StoreError {
    let all_in_use = pool.size() >= pool.options().get_max_connections() && pool.num_idle() == 0;
    let (kind, problem) = if all_in_use {
        (StoreErrorKind::Overloaded, Problem::Waiting)
    } else {
        (StoreErrorKind::Unavailable, Problem::TimedOut)
    };
    error::<D>(kind, problem)
}

/// Nothing has been changed when there is no connection.
fn not_connected<D: Driver>(refused: sqlx::Error) -> StoreError {
    let kind = match Trouble::of::<D>(&refused) {
        Trouble::Refused(kind) => kind,
        _ => StoreErrorKind::Unavailable,
    };
    error::<D>(kind, refused)
}

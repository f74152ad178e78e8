//! Runs statements: within the deadline, again where that is safe, and with an honest answer where it is not.

use std::{
    future::Future,
    marker::PhantomData,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use session_core::{Clock, StoreError, StoreErrorKind};
use tokio::{
    runtime::Handle,
    sync::watch,
    task::yield_now,
    time::{Instant, timeout_at},
};

use crate::{
    connections::{Connections, Lease, Purpose},
    driver::{Columns, Driver, Sql, Statement, Trouble},
    failure::{Problem, error},
    parts::{Part, SCHEMA},
    statements::Statements,
    table::Table,
};

/// A store in one database.
#[derive(Debug)]
pub(crate) struct Engine<D: Driver> {
    pub(crate) connections: Connections<D>,
    pub(crate) table: Table,
    pub(crate) statements: Statements,
    pub(crate) parts: Vec<Part>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) deadline: Duration,
    /// Whether the version of the schema was looked at, for connections that are not the store's own.
    checked: AtomicBool,
}

/// A call of the store, as those who work for it see it.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) deadline: Instant,
    caller: watch::Receiver<()>,
}

impl Call {
    /// Resolves when nobody waits for the answer any more.
    async fn abandoned(&self) {
        let mut caller = self.caller.clone();
        while caller.changed().await.is_ok() {}
    }
}

/// An answer, and how it came.
pub(crate) struct Answered<T> {
    pub(crate) answer: T,
    /// An attempt before this one broke off: it may have been carried out as well.
    pub(crate) again: bool,
}

/// Why there is no answer.
pub(crate) enum Failed {
    /// There is a record under this key.
    Duplicate {
        again: bool,
    },
    Error(StoreError),
}

/// How often a statement is repeated that the database refuses because of others at the same time.
const REPEATS: usize = 50;

impl<D: Driver> Engine<D> {
    pub(crate) fn new(
        connections: Connections<D>,
        table: Table,
        clock: Arc<dyn Clock>,
        deadline: Duration,
    ) -> Self {
        let (statements, parts) = (D::statements(&table), D::parts(&table));
        Self { connections, table, statements, parts, clock, deadline, checked: AtomicBool::new(false) }
    }

    /// Runs `work` by itself. If its caller has gone, what waits for a connection is given up, and what was sent is
    /// answered to the end, so that no connection is left in the middle of an answer because a client broke off.
    pub(crate) async fn detached<T, F>(
        self: &Arc<Self>,
        purpose: Purpose,
        work: impl FnOnce(Arc<Self>, Call) -> F,
    ) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>> + Send + 'static,
        T: Send + 'static,
    {
        let Ok(runtime) = Handle::try_current() else {
            return Err(error::<D>(StoreErrorKind::Unavailable, Problem::NoRuntime));
        };
        // Dropped with this future.
        let (_waiting, caller) = watch::channel(());
        let call = Call { deadline: Instant::now() + self.deadline, caller };
        match runtime.spawn(work(Arc::clone(self), call)).await {
            Ok(answer) => answer,
            Err(ended) => Err(error::<D>(in_doubt(purpose), ended)),
        }
    }

    /// Runs a statement that changes something. Answers how many rows it met.
    pub(crate) async fn change(
        &self,
        statement: Statement<'_>,
        call: &Call,
    ) -> Result<Answered<u64>, Failed> {
        self.ask(Purpose::Write, call, Count(statement)).await
    }

    /// Reads at most one row.
    pub(crate) async fn first<R: Columns>(
        &self,
        statement: Statement<'_>,
        call: &Call,
    ) -> Result<Option<R>, StoreError> {
        let answered = self.ask(Purpose::Read, call, First(statement, PhantomData)).await;
        answered.map(|answered| answered.answer).map_err(Failed::into_error::<D>)
    }

    /// Reads rows.
    pub(crate) async fn all<R: Columns>(
        &self,
        statement: Statement<'_>,
        call: &Call,
    ) -> Result<Vec<R>, StoreError> {
        let answered = self.ask(Purpose::Read, call, All(statement, PhantomData)).await;
        answered.map(|answered| answered.answer).map_err(Failed::into_error::<D>)
    }

    /// A statement may be repeated after a connection broke: a record's version is drawn before the first attempt, so a
    /// second one cannot change what the first has changed.
    async fn ask<Q: Question<D>>(
        &self,
        purpose: Purpose,
        call: &Call,
        question: Q,
    ) -> Result<Answered<Q::Answer>, Failed> {
        let (mut again, mut losses, mut repeats) = (false, 0, 0);
        let mut relief = D::relief().filter(|_| purpose == Purpose::Write);
        loop {
            let mut lease = match self.lease(purpose, call).await {
                Ok(lease) => lease,
                Err(error) if again => return Err(self.doubtful(purpose, error)),
                Err(error) => return Err(Failed::Error(error)),
            };
            let answer = match timeout_at(call.deadline, question.ask(lease.connection())).await {
                Ok(answer) => answer,
                Err(_) => {
                    lease.give_up();
                    return Err(Failed::Error(error::<D>(in_doubt(purpose), Problem::TimedOut)));
                }
            };
            let failure = match answer {
                Ok(answer) => {
                    lease.keep();
                    return Ok(Answered { answer, again });
                }
                Err(failure) => failure,
            };
            let (kind, may_repeat) = match Trouble::of::<D>(&failure) {
                Trouble::Duplicate => {
                    lease.keep();
                    return Err(Failed::Duplicate { again });
                }
                Trouble::Refused(kind @ StoreErrorKind::Full) if relief.is_some() => {
                    let relieved = self.relieve(lease, relief.take(), call).await;
                    (kind, relieved)
                }
                Trouble::Refused(kind) => {
                    lease.keep();
                    (kind, false)
                }
                Trouble::Again => {
                    lease.keep();
                    repeats += 1;
                    yield_now().await;
                    (StoreErrorKind::Overloaded, repeats < REPEATS)
                }
                trouble @ (Trouble::Unusable | Trouble::Lost) => {
                    lease.lost();
                    losses += 1;
                    again |= trouble == Trouble::Lost;
                    (StoreErrorKind::Unavailable, losses < 2)
                }
            };
            if !may_repeat {
                let error = error::<D>(kind, failure);
                return Err(if again { self.doubtful(purpose, error) } else { Failed::Error(error) });
            }
        }
    }

    /// Tries to make room. Answers whether it is worth another attempt.
    async fn relieve(&self, mut lease: Lease<'_, D>, relief: Option<Sql>, call: &Call) -> bool {
        let Some(relief) = relief else { return false };
        match timeout_at(call.deadline, D::raw(lease.connection(), relief)).await {
            Ok(relieved) => {
                lease.keep();
                relieved.is_ok()
            }
            Err(_) => {
                lease.give_up();
                false
            }
        }
    }

    /// What to say when an attempt broke off and the next one failed too.
    fn doubtful(&self, purpose: Purpose, cause: StoreError) -> Failed {
        Failed::Error(match purpose {
            Purpose::Read => cause,
            Purpose::Write => error::<D>(StoreErrorKind::Indeterminate, cause),
        })
    }

    /// A connection, as long as somebody waits.
    pub(crate) async fn acquire(&self, purpose: Purpose, call: &Call) -> Result<Lease<'_, D>, StoreError> {
        tokio::select! {
            biased;
            lease = self.connections.acquire(purpose, call.deadline) => lease,
            () = call.abandoned() => Err(error::<D>(StoreErrorKind::Unavailable, Problem::Abandoned)),
        }
    }

    /// A connection to tables that this crate knows.
    async fn lease(&self, purpose: Purpose, call: &Call) -> Result<Lease<'_, D>, StoreError> {
        let mut lease = self.acquire(purpose, call).await?;
        let known = lease.checked || self.connections.are_shared() && self.checked.load(Ordering::Acquire);
        if !known {
            let statement = Statement { sql: &self.statements.schema, values: &[] };
            let version =
                match timeout_at(call.deadline, D::first::<i64>(lease.connection(), statement)).await {
                    Ok(Ok(version)) => version,
                    Ok(Err(sqlx::Error::Database(failure))) if D::lacks_a_table(&*failure) => {
                        lease.keep();
                        let missing = Problem::Missing(self.table.schema());
                        return Err(error::<D>(StoreErrorKind::Unavailable, missing));
                    }
                    Ok(Err(failure)) => return Err(self.refused(lease, failure)),
                    Err(_) => {
                        lease.give_up();
                        return Err(error::<D>(StoreErrorKind::Unavailable, Problem::TimedOut));
                    }
                };
            let problem = match version {
                None => Some(Problem::Missing("the version of the schema".to_owned())),
                Some(version) if version > SCHEMA => Some(Problem::Newer(version)),
                Some(_) => None,
            };
            if let Some(problem) = problem {
                lease.keep();
                return Err(error::<D>(StoreErrorKind::Unavailable, problem));
            }
            lease.checked = true;
            self.checked.store(true, Ordering::Release);
        }
        Ok(lease)
    }

    /// The error of a statement that changes nothing. Keeps the connection if it is of use.
    pub(crate) fn refused(&self, lease: Lease<'_, D>, failure: sqlx::Error) -> StoreError {
        let kind = match Trouble::of::<D>(&failure) {
            Trouble::Unusable | Trouble::Lost => {
                lease.lost();
                StoreErrorKind::Unavailable
            }
            Trouble::Refused(kind) => {
                lease.keep();
                kind
            }
            Trouble::Again | Trouble::Duplicate => {
                lease.keep();
                StoreErrorKind::Overloaded
            }
        };
        error::<D>(kind, failure)
    }
}

impl Failed {
    pub(crate) fn into_error<D: Driver>(self) -> StoreError {
        match self {
            Self::Error(error) => error,
            // Of a statement that inserts nothing.
            Self::Duplicate { .. } => StoreError::new(StoreErrorKind::Unavailable, D::STORE),
        }
    }
}

/// What an answer is called that did not come.
fn in_doubt(purpose: Purpose) -> StoreErrorKind {
    match purpose {
        Purpose::Read => StoreErrorKind::Unavailable,
        Purpose::Write => StoreErrorKind::Indeterminate,
    }
}

/// A statement with the shape of its answer.
trait Question<D: Driver>: Send + Sync {
    type Answer: Send;

    fn ask(&self, connection: &mut D::Connection) -> impl Future<Output = sqlx::Result<Self::Answer>> + Send;
}

struct Count<'a>(Statement<'a>);

impl<D: Driver> Question<D> for Count<'_> {
    type Answer = u64;

    async fn ask(&self, connection: &mut D::Connection) -> sqlx::Result<u64> {
        D::count(connection, self.0).await
    }
}

struct First<'a, R>(Statement<'a>, PhantomData<fn() -> R>);

impl<D: Driver, R: Columns> Question<D> for First<'_, R> {
    type Answer = Option<R>;

    async fn ask(&self, connection: &mut D::Connection) -> sqlx::Result<Option<R>> {
        D::first(connection, self.0).await
    }
}

struct All<'a, R>(Statement<'a>, PhantomData<fn() -> R>);

impl<D: Driver, R: Columns> Question<D> for All<'_, R> {
    type Answer = Vec<R>;

    async fn ask(&self, connection: &mut D::Connection) -> sqlx::Result<Vec<R>> {
        D::all(connection, self.0).await
    }
}

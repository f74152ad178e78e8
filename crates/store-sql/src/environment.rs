//! Making, checking and dropping the tables.

use std::{sync::Arc, time::Duration};

use session_core::{StoreError, StoreErrorKind};
use tokio::time::{Instant, timeout_at};

use crate::{
    connections::{Lease, Purpose},
    driver::{Columns, Driver, Sql, Statement},
    engine::Engine,
    failure::{Problem, error},
    parts::{Part, SCHEMA},
};

/// Making an index on a large table, or dropping it, takes its time. Nobody's request waits for it.
const LONGEST_SETUP: Duration = Duration::from_secs(60);

impl<D: Driver> Engine<D> {
    /// Makes what is missing, one part after the other.
    pub(crate) async fn create(self: &Arc<Self>) -> Result<(), Vec<StoreError>> {
        self.only_known_schema().await?;
        let mut problems = Vec::new();
        for part in &self.parts {
            problems.extend(self.create_part(part).await.err());
        }
        none(problems)
    }

    async fn create_part(self: &Arc<Self>, part: &Part) -> Result<(), StoreError> {
        // A part that cannot be looked for is in a table that is not there, which the part before was to make.
        if self.is_there(part).await? {
            return Ok(());
        }
        match self.run_long(&part.make).await {
            // Somebody else was faster, if it is there now.
            Err(_) if self.is_there(part).await? => Ok(()),
            made => made,
        }
    }

    /// Looks for each part, then tries each kind of statement in a way that changes nothing.
    pub(crate) async fn check(self: &Arc<Self>) -> Result<(), Vec<StoreError>> {
        self.only_known_schema().await?;
        let mut problems = Vec::new();
        let mut lacks_table = false;
        for part in &self.parts {
            // What goes with a table is missing with it.
            let is_table = part.unmake.is_some();
            if lacks_table && !is_table {
                continue;
            }
            let found = self.is_there(part).await;
            if is_table {
                lacks_table = matches!(found, Ok(false));
            }
            match found {
                Ok(true) => {}
                Ok(false) => problems.push(unusable::<D>(Problem::Missing(part.name.clone()))),
                Err(error) => problems.push(error),
            }
        }
        if problems.is_empty() {
            for probe in &self.statements.probes {
                problems.extend(self.probe(probe).await.err());
            }
        }
        none(problems)
    }

    /// Drops the tables, with their indexes, if they are the store's.
    pub(crate) async fn drop(self: &Arc<Self>) -> Result<(), Vec<StoreError>> {
        // The note of the version goes last, so that what is left half dropped is still known for what it is.
        for part in self.parts.iter().rev() {
            if let Some(unmake) = &part.unmake {
                self.drop_part(part, unmake).await.map_err(|error| vec![error])?;
            }
        }
        Ok(())
    }

    async fn drop_part(self: &Arc<Self>, part: &Part, unmake: &Sql) -> Result<(), StoreError> {
        if !self.is_there(part).await? {
            return Ok(());
        }
        if part.name == self.table.records() {
            // Whatever else has this name has other columns.
            for probe in self.statements.probes.iter().take(1) {
                let foreign = Problem::Foreign(part.name.clone());
                self.probe(probe).await.map_err(|_| unusable::<D>(foreign))?;
            }
        }
        self.run_long(unmake).await
    }

    /// Nothing is to be done with tables that a later version of this crate has made.
    async fn only_known_schema(self: &Arc<Self>) -> Result<(), Vec<StoreError>> {
        match self.schema().await {
            Ok(Some(version)) if version > SCHEMA => Err(vec![unusable::<D>(Problem::Newer(version))]),
            Ok(_) => Ok(()),
            Err(error) => Err(vec![error]),
        }
    }

    /// The version of the schema, if there is a note of it.
    async fn schema(self: &Arc<Self>) -> Result<Option<i64>, StoreError> {
        let Some(note) = self.parts.first() else { return Ok(None) };
        match self.is_there(note).await? {
            true => self.look(&self.statements.schema).await,
            false => Ok(None),
        }
    }

    async fn is_there(self: &Arc<Self>, part: &Part) -> Result<bool, StoreError> {
        Ok(self.look::<()>(&part.find).await?.is_some())
    }

    async fn look<R: Columns + 'static>(self: &Arc<Self>, sql: &Sql) -> Result<Option<R>, StoreError> {
        let sql = sql.clone();
        self.detached(Purpose::Read, |engine, call| async move {
            let mut lease = engine.acquire(Purpose::Read, &call).await?;
            let statement = Statement { sql: &sql, values: &[] };
            let found = timeout_at(call.deadline, D::first(lease.connection(), statement)).await;
            engine.settle(lease, found.ok())
        })
        .await
    }

    async fn probe(self: &Arc<Self>, sql: &Sql) -> Result<(), StoreError> {
        let sql = sql.clone();
        self.detached(Purpose::Write, |engine, call| async move {
            let mut lease = engine.acquire(Purpose::Write, &call).await?;
            let statement = Statement { sql: &sql, values: &[] };
            let counted = timeout_at(call.deadline, D::count(lease.connection(), statement)).await;
            engine.settle(lease, counted.ok()).map(drop)
        })
        .await
    }

    async fn run_long(self: &Arc<Self>, sql: &Sql) -> Result<(), StoreError> {
        let sql = sql.clone();
        self.detached(Purpose::Write, |engine, call| async move {
            let mut lease = engine.connections.acquire_plain(call.deadline).await?;
            let until = Instant::now() + engine.deadline.max(LONGEST_SETUP);
            let run = timeout_at(until, D::raw(lease.connection(), sql)).await;
            engine.settle(lease, run.ok())
        })
        .await
    }

    /// What came of a statement that changes no record; nothing if it came too late.
    fn settle<T>(&self, lease: Lease<'_, D>, answer: Option<sqlx::Result<T>>) -> Result<T, StoreError> {
        match answer {
            Some(Ok(answer)) => {
                lease.keep();
                Ok(answer)
            }
            Some(Err(failure)) => Err(self.refused(lease, failure)),
            None => {
                lease.give_up();
                Err(error::<D>(StoreErrorKind::Unavailable, Problem::TimedOut))
            }
        }
    }
}

fn unusable<D: Driver>(problem: Problem) -> StoreError {
    error::<D>(StoreErrorKind::Unavailable, problem)
}

fn none(problems: Vec<StoreError>) -> Result<(), Vec<StoreError>> {
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

//! Runs the cases, several at once, and shows how far it is.

use std::{future::Future, pin::Pin, thread, time::Instant};

use anyhow::{Context, Result};
use indicatif::{ProgressBar, ProgressStyle};
use session_conformance::{adapter, store};
use tokio::{runtime::Builder, task::JoinSet};

use super::{
    plan::{Combination, Plan},
    report::{Line, Report, Row},
};

type Running = Pin<Box<dyn Future<Output = Row> + Send>>;

impl Plan {
    /// Runs everything.
    pub(crate) fn run(&self) -> Result<Report> {
        // Races need threads to race on, however few processors there are.
        let processors = thread::available_parallelism().map_or(2, usize::from);
        let runtime = Builder::new_multi_thread().worker_threads(processors.max(4)).enable_all().build()?;
        let progress = ProgressBar::new(self.cases() as u64).with_style(
            ProgressStyle::with_template("{elapsed_precise} {bar:40} {pos}/{len} {msg}")
                .context("the progress bar")?,
        );
        let mut lines = Vec::new();
        for combination in &self.combinations {
            progress.set_message(combination.to_string());
            let started = Instant::now();
            let rows = runtime.block_on(rows(combination, processors, &progress))?;
            lines.push(Line { combination: *combination, rows, time: started.elapsed() });
        }
        progress.finish_and_clear();
        Ok(Report { lines })
    }
}

/// Runs the cases of a combination, a few at a time; the results come in the order of the suite.
async fn rows(combination: &Combination, at_once: usize, progress: &ProgressBar) -> Result<Vec<Row>> {
    let mut waiting = runs(combination).into_iter().enumerate();
    let mut running = JoinSet::new();
    let mut done = Vec::new();
    loop {
        while running.len() < at_once.max(2) {
            let Some((number, run)) = waiting.next() else { break };
            running.spawn(async move { (number, run.await) });
        }
        let Some(result) = running.join_next().await else { break };
        let row = result.context("the kit panicked")?;
        progress.inc(1);
        done.push(row);
    }
    done.sort_unstable_by_key(|(number, _)| *number);
    Ok(done.into_iter().map(|(_, row)| row).collect())
}

fn runs(combination: &Combination) -> Vec<Running> {
    match combination {
        Combination::Store(kind) => {
            let factory = (kind.factory)();
            let run = |case: &'static store::Case| {
                let factory = factory.clone();
                Box::pin(async move { Row::new(case.name, &case.spec, store::run(case, &factory).await) })
                    as Running
            };
            store::CASES.iter().map(run).collect()
        }
        Combination::Adapter(adapter, kind, persist) => {
            let setup = adapter::Setup::of((adapter.starter)(), *persist);
            let setup = if combination.is_brief() { setup.brief() } else { setup };
            let setup = match kind {
                Some(kind) => setup.store((kind.factory)()),
                None => setup,
            };
            let run = |case: &'static adapter::Case| {
                let setup = setup.clone();
                Box::pin(async move { Row::new(case.name, &case.spec, adapter::run(case, &setup).await) })
                    as Running
            };
            adapter::CASES.iter().map(run).collect()
        }
    }
}

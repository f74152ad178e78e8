//! Runs the cases, several at once, and shows how far it is.

use std::{
    future::Future,
    pin::Pin,
    thread,
    time::{Duration, Instant},
};

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
        self.start_servers();
        let started = Instant::now();
        let lines = runtime.block_on(self.lines(processors * 2, &progress))?;
        progress.finish_and_clear();
        Ok(Report { lines, time: started.elapsed() })
    }

    /// Servers take seconds to start, and cases that need none can run meanwhile. Who needs one waits for it.
    fn start_servers(&self) {
        let mut started: Vec<&str> = Vec::new();
        for combination in &self.combinations {
            if let Some(server) = combination.server()
                && !started.contains(&combination.store())
            {
                started.push(combination.store());
                thread::spawn(server);
            }
        }
    }

    /// Runs the cases of all combinations, a few at a time, those that need no server first. What they say comes in the
    /// order of the plan and of the suites.
    async fn lines(&self, at_once: usize, progress: &ProgressBar) -> Result<Vec<Line>> {
        let empty = |combination: &Combination| Line {
            combination: *combination,
            rows: Vec::new(),
            time: Duration::ZERO,
        };
        let mut lines: Vec<Line> = self.combinations.iter().map(empty).collect();
        let mut order: Vec<usize> = (0..lines.len()).collect();
        order.sort_by_key(|line| self.combinations[*line].server().is_some());
        let mut waiting = order.into_iter().flat_map(|line| {
            runs(&self.combinations[line]).into_iter().enumerate().map(move |(case, run)| (line, case, run))
        });
        let mut running = JoinSet::new();
        let mut done = Vec::new();
        loop {
            while running.len() < at_once.max(2) {
                let Some((line, case, run)) = waiting.next() else { break };
                progress.set_message(self.combinations[line].to_string());
                running.spawn(async move {
                    let started = Instant::now();
                    (line, case, run.await, started.elapsed())
                });
            }
            let Some(result) = running.join_next().await else { break };
            done.push(result.context("the kit panicked")?);
            progress.inc(1);
        }
        done.sort_unstable_by_key(|(line, case, ..)| (*line, *case));
        for (line, _, row, time) in done {
            lines[line].rows.push(row);
            lines[line].time += time;
        }
        Ok(lines)
    }
}

fn runs(combination: &Combination) -> Vec<Running> {
    match combination {
        Combination::Store(kind) => {
            let factory = (kind.suite)();
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
                Some(kind) => setup.store((kind.plain)()),
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

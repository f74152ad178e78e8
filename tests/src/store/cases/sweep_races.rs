//! Sweeps beside requests: no acknowledged write is lost to one.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use tokio::task::{JoinHandle, JoinSet, yield_now};

use super::{prelude::*, races::all};
use crate::store::handle::Handle;

/// A record renewed while a sweep runs is kept if the renewal was acknowledged (sweeps that decide first and delete
/// later lose it).
pub async fn a_sweep_keeps_what_is_renewed_meanwhile(subject: Subject) -> Result {
    // Shows: A46
    renewals_survive(&subject, &subject.store, &subject.store).await
}

/// Records created and rewritten while sweeps run are all there afterwards.
pub async fn a_sweep_beside_writers_loses_nothing(subject: Subject) -> Result {
    // Shows: A46
    for number in 0..50 {
        subject.store.create(&key(1_000 + number), Entry::new("short", subject.within(1))).await?;
    }
    subject.advance(60);
    let sweeper = Sweeper::start(&subject.store, SweepRequest::before(subject.now()).budget(9));
    let rounds = subject.rounds(10);
    let mut tasks: JoinSet<Result> = JoinSet::new();
    for task in 0..16 {
        let (store, entry) = (subject.store.clone(), subject.entry(pattern(30, task)));
        tasks.spawn(async move {
            let mut version = store.create(&key(task), entry.clone()).await?;
            for _ in 0..rounds {
                version = store.replace(&key(task), entry.clone(), version).await?;
            }
            Ok(())
        });
    }
    let written = all(tasks).await;
    sweeper.stop().await?;
    written?;
    for task in 0..16 {
        subject.store.holds(&key(task), &pattern(30, task)).await?;
    }
    Ok(())
}

/// Sweeps that run side by side delete every expired record, no live one, and do not fail each other.
pub async fn sweeps_side_by_side_do_no_harm(subject: Subject) -> Result {
    // Shows: A46
    for number in 0..60 {
        let seconds = if number % 2 == 0 { 60 } else { 7_200 };
        subject.store.create(&key(number), Entry::new("swept or not", subject.within(seconds))).await?;
    }
    subject.advance(600);
    let request = SweepRequest::before(subject.now()).budget(11);
    let mut sweeps: JoinSet<Result> = JoinSet::new();
    for _ in 0..4 {
        let store = subject.store.clone();
        sweeps.spawn(async move { store.sweep_to_end(request).await.map(drop) });
    }
    all(sweeps).await?;
    // Together they may have gone on from each other's places; one more from start to end reaches what is left.
    subject.store.sweep_to_end(request).await?;
    subject.store.sweep_to_end(request).await?;
    subject.clock().rewind(std::time::Duration::from_secs(600));
    for number in 0..60 {
        match number % 2 {
            0 => subject.store.lacks(&key(number)).await?,
            _ => drop(subject.store.holds(&key(number), b"swept or not").await?),
        }
    }
    Ok(())
}

/// Records that expired a minute ago are renewed through one store while another sweeps them.
pub(super) async fn renewals_survive(subject: &Subject, renewing: &Handle, sweeping: &Handle) -> Result {
    for round in 0..subject.rounds(15) {
        let ours: Vec<_> = (0..16).map(|number| key(round * 16 + number)).collect();
        let mut versions = Vec::new();
        for key in &ours {
            versions.push(renewing.create(key, Entry::new("expiring", subject.within(1))).await?);
        }
        subject.advance(60);
        let sweeper = Sweeper::start(sweeping, SweepRequest::before(subject.now()).budget(5));
        let mut renewals = JoinSet::new();
        for (key, version) in ours.into_iter().zip(versions) {
            let (store, renewal) = (renewing.clone(), subject.entry("renewed"));
            renewals.spawn(async move { (key, store.write(&key, renewal, Expect::Version(version)).await) });
        }
        let mut renewed = Vec::new();
        while let Some(renewal) = renewals.join_next().await {
            let (key, written) = renewal?;
            if let Written::Stored(_) = written? {
                renewed.push(key);
            }
        }
        sweeper.stop().await?;
        sweeping.sweep_to_end(SweepRequest::before(subject.now())).await?;
        for key in &renewed {
            renewing.holds(key, b"renewed").await?;
        }
    }
    Ok(())
}

/// Sweeps again and again until it is stopped.
struct Sweeper {
    stop: Arc<AtomicBool>,
    task: JoinHandle<Result>,
}

impl Sweeper {
    fn start(store: &Handle, request: SweepRequest) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (store, stopped) = (store.clone(), Arc::clone(&stop));
        let task = tokio::spawn(async move {
            while !stopped.load(Ordering::Relaxed) {
                store.sweeper()?.sweep(request).await?;
                yield_now().await;
            }
            Ok(())
        });
        Self { stop, task }
    }

    async fn stop(self) -> Result {
        self.stop.store(true, Ordering::Relaxed);
        self.task.await?
    }
}

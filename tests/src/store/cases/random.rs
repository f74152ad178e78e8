//! Random calls: alone against a model, and together against the definition of linearizability.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use proptest::{
    collection::vec,
    option,
    prelude::{Just, Strategy, prop_oneof},
    test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner},
};
use session_core::{StoreKey, Version};
use tokio::{runtime::Handle, task::JoinSet};

use super::prelude::*;
use crate::store::{
    history::{Call, What, is_linearizable},
    model::Model,
    sample::{Random, figure, seed},
};

/// A random sequence of calls gets the answers that a model of the contract gives. A failure names the seed and the
/// shortest sequence found; `SESSION_CONFORMANCE_SEED` repeats it.
pub async fn random_calls_answer_as_the_model_does(subject: Subject) -> Result {
    let (seed, rounds) = (seed(), subject.rounds(40));
    let runtime = Handle::current();
    // The runner is synchronous: it gets a thread where it may wait.
    let played = tokio::task::spawn_blocking(move || {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        let cases = u32::try_from(rounds).unwrap_or(u32::MAX);
        let config = Config { cases, max_shrink_iters: 200, failure_persistence: None, ..Config::default() };
        let random = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
        // Every sequence gets keys of its own, so the store need not be made anew.
        let base = AtomicU64::new(0);
        TestRunner::new_with_rng(config, random).run(&vec(step(), 1..40), |steps| {
            let base = base.fetch_add(100, Ordering::Relaxed);
            let played = runtime.block_on(play(&subject, base, &steps));
            played.map_err(|failure| TestCaseError::fail(failure.to_string()))
        })
    });
    match played.await? {
        Ok(()) => Ok(()),
        Err(TestError::Fail(reason, steps)) => fail!("seed {seed}, steps {steps:?}: {reason}"),
        Err(error) => fail!("seed {seed}: {error}"),
    }
}

/// What several clients see of one record, creating, loading, writing and removing at once, can be put into one order
/// that agrees with every answer.
pub async fn what_clients_see_is_linearizable(subject: Subject) -> Result {
    let (seed, mut operations) = (seed(), 0);
    for round in 0..subject.rounds(40) {
        let calls = observe(&subject, key(round), seed ^ round).await?;
        operations += calls.len() as u64;
        ensure!(is_linearizable(&calls), "seed {seed}, round {round}: no order explains {}", told(calls));
        // So that the long form does not fill the store.
        subject.store.delete(&key(round)).await?;
    }
    figure("operations in histories", operations);
    Ok(())
}

/// One step of a sequence. Which record and version is meant follows from what went before.
#[derive(Clone, Debug)]
enum Step {
    Load(u64),
    Create(u64, Sample),
    Write(u64, Aim, Sample),
    Remove(u64, Option<Aim>),
    Advance(u64),
    Sweep { budget: usize },
    List { whose: u64, limit: usize },
}

/// What to write: bytes of that length, living for some seconds, for a principal or nobody.
#[derive(Clone, Debug)]
struct Sample {
    length: usize,
    seconds: u64,
    whose: Option<u64>,
}

/// Which version to expect.
#[derive(Clone, Copy, Debug)]
enum Aim {
    Current,
    Past(usize),
    OfAnotherKey,
}

fn step() -> impl Strategy<Value = Step> {
    let key = || 0..3_u64;
    let sample = || {
        let whose = option::of(0..2_u64);
        (0..200_usize, 1..100_u64, whose).prop_map(|(length, seconds, whose)| Sample {
            length,
            seconds,
            whose,
        })
    };
    let aim = || prop_oneof![4 => Just(Aim::Current), 2 => (0..8_usize).prop_map(Aim::Past), 1 => Just(Aim::OfAnotherKey)];
    prop_oneof![
        4 => key().prop_map(Step::Load),
        5 => (key(), sample()).prop_map(|(key, sample)| Step::Create(key, sample)),
        6 => (key(), aim(), sample()).prop_map(|(key, aim, sample)| Step::Write(key, aim, sample)),
        3 => (key(), option::of(aim())).prop_map(|(key, aim)| Step::Remove(key, aim)),
        2 => (1..60_u64).prop_map(Step::Advance),
        1 => (1..20_usize).prop_map(|budget| Step::Sweep { budget }),
        2 => (0..2_u64, 1..4_usize).prop_map(|(whose, limit)| Step::List { whose, limit }),
    ]
}

/// Plays a sequence on keys and principals that nobody used before, `base` tells which.
async fn play(subject: &Subject, base: u64, steps: &[Step]) -> Result {
    let mut game = Game { base, models: Default::default(), versions: Vec::new(), ever: Default::default() };
    for (number, step) in steps.iter().enumerate() {
        game.play(subject, number, step).await?;
    }
    for key in 0..3 {
        game.play(subject, steps.len(), &Step::Load(key)).await?;
    }
    Ok(())
}

struct Game {
    base: u64,
    models: [Model; 3],
    versions: Vec<(u64, Version)>,
    /// Which keys were ever written with which principal: only those may be listed.
    ever: [Vec<u64>; 2],
}

impl Game {
    async fn play(&mut self, subject: &Subject, number: usize, step: &Step) -> Result {
        // What counts is whether a record had expired when its answer came: a clock of the store's own does not wait.
        match step {
            Step::Load(name) => {
                let loaded = subject.store.load(&self.key(*name)).await?;
                self.models[*name as usize].loaded(loaded, subject.now())
            }
            Step::Create(name, sample) => self.write(subject, number, *name, Expect::Absent, sample).await,
            Step::Write(name, aim, sample) => {
                let expect = Expect::Version(self.version(*name, *aim));
                self.write(subject, number, *name, expect, sample).await
            }
            Step::Remove(name, aim) => {
                let expect = aim.map(|aim| self.version(*name, aim));
                let removed = subject.store.remove(&self.key(*name), expect).await?;
                self.models[*name as usize].removed(expect, removed, subject.now())
            }
            Step::Advance(seconds) => {
                subject.advance(*seconds);
                Ok(())
            }
            Step::Sweep { budget } => self.sweep(subject, *budget).await,
            Step::List { whose, limit } => self.list(subject, *whose, *limit).await,
        }
    }

    async fn write(
        &mut self,
        subject: &Subject,
        number: usize,
        name: u64,
        expect: Expect,
        sample: &Sample,
    ) -> Result {
        let bytes = pattern(sample.length, self.base + number as u64);
        let entry = Entry::new(bytes, subject.within(sample.seconds))
            .with_principal(sample.whose.map(|whose| principal(self.base + whose)));
        // A store may put a key on the list before it writes; that the write then conflicts makes the key a stale one.
        if let Some(whose) = sample.whose {
            self.ever[whose as usize].push(name);
        }
        let written = subject.store.write(&self.key(name), entry.clone(), expect).await?;
        self.models[name as usize].written(entry, expect, written, subject.now())?;
        if let Written::Stored(version) = written {
            self.versions.push((name, version));
        }
        Ok(())
    }

    async fn sweep(&mut self, subject: &Subject, budget: usize) -> Result {
        if subject.store.as_sweep().is_none() {
            return Ok(());
        }
        let now = subject.now();
        // The first round may have begun in the middle, where an earlier sequence stopped.
        for _ in 0..2 {
            subject.store.sweep_to_end(SweepRequest::before(now).budget(budget)).await?;
        }
        self.models.iter_mut().for_each(|model| model.swept(now));
        Ok(())
    }

    async fn list(&self, subject: &Subject, whose: u64, limit: usize) -> Result {
        if subject.store.as_principal_index().is_none() {
            return Ok(());
        }
        let digest = principal(self.base + whose);
        let listed = subject.store.listed(&digest, limit).await?;
        let now = subject.now();
        for name in 0..3 {
            let live =
                self.models[name as usize].live(now).is_some_and(|entry| entry.principal == Some(digest));
            ensure!(
                !live || listed.contains(&self.key(name)),
                "a live record of the principal is not listed"
            );
        }
        let strange = listed
            .iter()
            .filter(|key| !self.ever[whose as usize].iter().any(|name| self.key(*name) == **key));
        ensure!(strange.count() == 0, "a key that the principal never had is listed");
        Ok(())
    }

    fn key(&self, name: u64) -> StoreKey {
        key(self.base + name)
    }

    fn version(&self, name: u64, aim: Aim) -> Version {
        let mine: Vec<Version> =
            self.versions.iter().filter(|(of, _)| *of == name).map(|(_, version)| *version).collect();
        let current = self.models[name as usize].version();
        match aim {
            Aim::Current => current.or(mine.last().copied()),
            Aim::Past(back) => mine.iter().rev().nth(back).or(mine.first()).copied(),
            Aim::OfAnotherKey => {
                self.versions.iter().rev().find(|(of, _)| *of != name).map(|(_, version)| *version)
            }
        }
        .unwrap_or(Version::new(self.base + 1))
    }
}

/// Four clients, six random calls each, on one record.
async fn observe(subject: &Subject, key: StoreKey, seed: u64) -> Result<Vec<Call>> {
    let time = Arc::new(AtomicU64::new(0));
    let start = Gate::of(4);
    let mut clients = JoinSet::new();
    for client in 0..4 {
        let (store, time, start) = (subject.store.clone(), Arc::clone(&time), start.clone());
        let (mut random, entry) = (Random::new(seed.wrapping_mul(31) + client), subject.entry(""));
        clients.spawn(async move {
            let (mut calls, mut written, mut known) = (Vec::new(), HashMap::new(), None);
            start.pass().await;
            for number in 0..6 {
                let bytes = pattern(50, seed.wrapping_add(client * 100 + number));
                let asked = time.fetch_add(1, Ordering::SeqCst);
                let what = match random.below(8) {
                    0..3 => {
                        let found = store.load(&key).await?;
                        known = found.as_ref().map(|stored| stored.version).or(known);
                        found
                            .iter()
                            .for_each(|stored| drop(written.insert(stored.version, stored.bytes.to_vec())));
                        What::Load(found.map(|stored| stored.version))
                    }
                    number @ 3..6 => {
                        let expect = known.filter(|_| number > 3).map_or(Expect::Absent, Expect::Version);
                        let answer =
                            store.write(&key, Entry::new(bytes.clone(), entry.expires_at), expect).await?;
                        if let Written::Stored(version) = answer {
                            known = Some(version);
                            written.insert(version, bytes);
                        }
                        What::Write(expect, answer)
                    }
                    number => {
                        let expect = known.filter(|_| number > 6);
                        What::Remove(expect, store.remove(&key, expect).await?)
                    }
                };
                calls.push(Call { asked, answered: time.fetch_add(1, Ordering::SeqCst), what });
            }
            Result::<_>::Ok((calls, written))
        });
    }
    let (mut calls, mut bytes_of) = (Vec::new(), HashMap::new());
    while let Some(client) = clients.join_next().await {
        let (seen, written) = client??;
        calls.extend(seen);
        for (version, bytes) in written {
            let known = bytes_of.entry(version).or_insert_with(|| bytes.clone());
            ensure!(*known == bytes, "two clients know different bytes of one version");
        }
    }
    Ok(calls)
}

/// A history as text: when each call was asked and answered, and what.
fn told(mut calls: Vec<Call>) -> String {
    calls.sort_by_key(|call| call.asked);
    let calls: Vec<String> =
        calls.iter().map(|call| format!("{}-{} {:?}", call.asked, call.answered, call.what)).collect();
    calls.join(", ")
}

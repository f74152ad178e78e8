//! Whatever a store or a factory does, the runner makes a verdict of it.

#![allow(clippy::unwrap_used, reason = "a test may")]

use std::{
    future::pending,
    sync::{Arc, Mutex, mpsc},
    time::Duration,
};

use async_trait::async_trait;
use session_conformance::{
    Verdict,
    adapter::{self, Direct, Persist, Setup},
    store::{CASES, Case, Factory, Fresh, Limits, Reference, run, run_within},
};
use session_core::{Entry, Expect, Removed, Store, StoreError, StoreKey, Stored, Version, Written};
use tokio::runtime::{Builder, Runtime};

#[test]
fn a_case_that_does_not_apply_says_why() {
    let factory = Factory::new(|_| async { Fresh::new(Fails::Never).own_clock() });
    let runtime = runtime();
    for case in CASES.iter() {
        match (runtime.block_on(run(case, &factory)), case.needs) {
            (Verdict::Skip(reason), [_, ..]) => {
                assert!(reason.contains("Fresh::") || reason.contains("has no"))
            }
            (Verdict::Fail(_), []) => {}
            (verdict, needs) => panic!("{}, which needs {needs:?}: {verdict}", case.name),
        }
    }
}

#[test]
fn a_store_that_is_not_installed_is_missing() {
    let what = "redis-server is not installed: Debian package redis-server";
    let factory = Factory::new(move |_| async move { Fresh::missing(what) });
    let runtime = runtime();
    for case in CASES.iter() {
        assert_eq!(runtime.block_on(run(case, &factory)), Verdict::Missing(what.to_owned()), "{}", case.name);
    }
    let setup = Setup::new::<Direct>(Persist::Cookie).store(factory);
    for case in adapter::CASES.iter() {
        match runtime.block_on(adapter::run(case, &setup)) {
            // A case about another strategy would not run with the store either.
            Verdict::Missing(_) | Verdict::Skip(_) => {}
            verdict => panic!("{}: {verdict}", case.name),
        }
    }
}

#[test]
fn a_factory_that_panics_fails_the_case() {
    let factory = Factory::new(|_| async { panic!("no server at port 6379") });
    assert_eq!(verdict(&factory), Verdict::Fail("panicked: no server at port 6379".to_owned()));
}

#[test]
fn a_store_that_panics_fails_the_case() {
    let factory = Factory::new(|_| async { Fresh::new(Fails::Panics) });
    assert_eq!(verdict(&factory), Verdict::Fail("panicked: index out of bounds".to_owned()));
}

#[test]
fn a_call_that_never_answers_fails_the_case() {
    let factory = Factory::new(|_| async { Fresh::new(Fails::Hangs) });
    let limits = Limits::default().call(Duration::from_millis(20));
    let verdict = runtime().block_on(run_within(case(), &factory, limits));
    assert_eq!(verdict, Verdict::Fail("`load` hangs: no answer within 20ms".to_owned()));
}

#[test]
fn a_call_that_blocks_its_thread_fails_the_case() {
    let (release, blocked) = mpsc::channel();
    let blocked = Arc::new(Mutex::new(blocked));
    let factory = Factory::new(move |_| {
        let store = Fails::Blocks(Arc::clone(&blocked));
        async { Fresh::new(store) }
    });
    let runtime = runtime();
    let limits = Limits::default().case(Duration::from_millis(50));
    let verdict = runtime.block_on(run_within(case(), &factory, limits));
    release.send(()).unwrap();
    assert!(matches!(&verdict, Verdict::Fail(reason) if reason.starts_with("still running")), "{verdict}");
}

#[test]
fn guards_outlive_the_store() {
    let (told, order) = mpsc::channel();
    let factory = Factory::new(move |_| {
        let (guard, store) = (Tells(told.clone(), "guard"), Tells(told.clone(), "store"));
        async { Fresh::new(Holds(Reference::new(), store)).keep(guard) }
    });
    assert_eq!(verdict(&factory), Verdict::Pass);
    drop(factory);
    assert_eq!(order.into_iter().collect::<Vec<_>>(), ["store", "guard"]);
}

fn verdict(factory: &Factory) -> Verdict {
    runtime().block_on(run(case(), factory))
}

fn case() -> &'static Case {
    Case::named("an_absent_record_is_none").unwrap()
}

fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_time().build().unwrap()
}

#[derive(Debug)]
enum Fails {
    Blocks(Arc<Mutex<mpsc::Receiver<()>>>),
    Hangs,
    Never,
    Panics,
}

#[async_trait]
impl Store for Fails {
    async fn load(&self, _: &StoreKey) -> Result<Option<Stored>, StoreError> {
        match self {
            Self::Blocks(release) => release.lock().unwrap().recv().unwrap(),
            Self::Hangs => pending().await,
            Self::Never => {}
            Self::Panics => std::panic::resume_unwind(Box::new("index out of bounds")),
        }
        Err(StoreError::new(session_core::StoreErrorKind::Unavailable, "fails"))
    }

    async fn write(&self, _: &StoreKey, _: Entry, _: Expect) -> Result<Written, StoreError> {
        Ok(Written::Conflict)
    }

    async fn remove(&self, _: &StoreKey, _: Option<Version>) -> Result<Removed, StoreError> {
        Ok(Removed::Conflict)
    }
}

#[derive(Debug)]
struct Tells(mpsc::Sender<&'static str>, &'static str);

impl Drop for Tells {
    fn drop(&mut self) {
        self.0.send(self.1).unwrap_or_default();
    }
}

#[derive(Debug)]
struct Holds(Reference, #[expect(dead_code, reason = "tells when it is dropped")] Tells);

#[async_trait]
impl Store for Holds {
    async fn load(&self, key: &StoreKey) -> Result<Option<Stored>, StoreError> {
        self.0.load(key).await
    }

    async fn write(&self, key: &StoreKey, entry: Entry, expect: Expect) -> Result<Written, StoreError> {
        self.0.write(key, entry, expect).await
    }

    async fn remove(&self, key: &StoreKey, expect: Option<Version>) -> Result<Removed, StoreError> {
        self.0.remove(key, expect).await
    }
}

//! What the expansion of the kit's macros calls, so that no author needs a runtime of their own. Not for use by hand.

use std::{future::Future, time::Duration};

use session_core::Store;
use tokio::runtime::Builder;

use crate::{
    Verdict,
    adapter::{self, Adapter, Persist, Setup},
    processes::{self, Place},
    store::{Case, Factory, Fresh, ManualClock, run},
};

/// The body of a test that `store_tests!` makes.
///
/// # Panics
/// When the store breaks the rule.
pub fn store_test<F>(name: &str, fresh: impl Fn(std::sync::Arc<ManualClock>) -> F + Send + Sync + 'static)
where
    F: Future<Output = Fresh> + Send + 'static,
{
    let Some(case) = Case::named(name) else { panic!("the suite has no case `{name}`") };
    judge(name, &case.spec, on_a_runtime(run(case, &Factory::new(fresh))));
}

/// The body of a test that `adapter_tests!` makes.
///
/// # Panics
/// When the rule is broken.
pub fn adapter_test<A, F>(
    name: &str,
    persist: Persist,
    fresh: impl Fn(std::sync::Arc<ManualClock>) -> F + Send + Sync + 'static,
) where
    A: Adapter,
    F: Future<Output = Fresh> + Send + 'static,
{
    let Some(case) = adapter::Case::named(name) else { panic!("the suite has no case `{name}`") };
    let setup = Setup::new::<A>(persist).store(Factory::new(fresh));
    judge(name, &case.spec, on_a_runtime(adapter::run(case, &setup)));
}

/// The body of a test that `process_tests!` makes.
///
/// # Panics
/// When the rule is broken.
pub fn process_test<F, S>(
    name: &str,
    test: &str,
    place: impl FnOnce() -> Place,
    open: impl Fn(String, u64) -> F,
) where
    F: Future<Output = S>,
    S: Store,
{
    let Some(case) = processes::Case::named(name) else { panic!("there is no case `{name}`") };
    if let Some(verdict) = on_a_runtime(processes::judge(case, test, place, open)) {
        judge(name, &case.spec, verdict);
    }
}

fn judge(name: &str, spec: &str, verdict: Verdict) {
    match verdict {
        Verdict::Pass => {}
        Verdict::Skip(reason) => println!("does not apply: {reason}"),
        Verdict::Missing(what) => crate::skip(what),
        Verdict::Fail(reason) => panic!("{name}\n  rule: {spec}\n  seen: {reason}\n"),
    }
}

/// Runs a future on a runtime of four threads: enough for races, few enough for a process per test.
fn on_a_runtime<T>(future: impl Future<Output = T>) -> T {
    let runtime = match Builder::new_multi_thread().worker_threads(4).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => panic!("no runtime to test on: {error}"),
    };
    let output = runtime.block_on(future);
    // A call that blocks for ever has already failed its case; waiting for its thread would hide that.
    runtime.shutdown_timeout(Duration::from_secs(5));
    output
}

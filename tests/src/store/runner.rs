//! Runs one case: makes the store, asks whether the case applies, and turns whatever happens into a verdict.

use std::{any::Any, env, sync::Arc, time::Duration};

use session_core::ManualClock;

use super::{
    case::Case,
    fresh::{Factory, Fresh},
    handle::Handle,
    subject::Subject,
};
use crate::Verdict;

/// Where the clock of every case stands at first: 2001-09-09. The past, so that a store which reads the system's clock
/// instead of the one it was given finds everything expired.
pub(super) const START: u64 = 1_000_000_000;

/// Runs `case` against a store made by `factory`, within the default [`Limits`]. Needs a tokio runtime with time.
pub async fn run(case: &'static Case, factory: &Factory) -> Verdict {
    run_within(case, factory, Limits::default()).await
}

/// Runs `case` against a store made by `factory`. Panics of the store or the factory are failures.
pub async fn run_within(case: &'static Case, factory: &Factory, limits: Limits) -> Verdict {
    let mut attempt = tokio::spawn(attempt(case, factory.clone(), limits));
    match tokio::time::timeout(limits.case, &mut attempt).await {
        Ok(Ok(verdict)) => verdict,
        Ok(Err(error)) => Verdict::Fail(match error.try_into_panic() {
            Ok(payload) => text_of(payload),
            Err(error) => error.to_string(),
        }),
        Err(_) => {
            attempt.abort();
            Verdict::Fail(format!("still running after {:?}: a call blocks, or is very slow", limits.case))
        }
    }
}

async fn attempt(case: &'static Case, factory: Factory, limits: Limits) -> Verdict {
    let clock = Arc::new(ManualClock::at_unix(START));
    // The guards are dropped last: the store may need its server or folder to close.
    let Fresh { guards: _guards, store, facts } = factory.fresh(Arc::clone(&clock)).await;
    if let Some(what) = facts.missing {
        return Verdict::Missing(what);
    }
    if let Some(reason) = case.needs.iter().find_map(|need| need.unmet(&*store, &facts)) {
        return Verdict::Skip(reason.to_owned());
    }
    let subject = Subject::new(Handle::new(store, limits.call), clock, facts, factory, limits);
    match (case.check)(subject).await {
        Ok(()) => Verdict::Pass,
        Err(failure) => Verdict::Fail(failure.to_string()),
    }
}

/// How long the suite waits before it calls a store hung, and how often it repeats what depends on chance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    pub(super) call: Duration,
    pub(super) case: Duration,
    pub(super) scale: u64,
}

impl Limits {
    /// A call that has not answered by then has hung. Default: 30 seconds.
    #[must_use]
    pub fn call(mut self, longest: Duration) -> Self {
        self.call = longest;
        self
    }

    /// A case that has not ended by then is stuck in a call that blocks its thread. Default: 10 minutes for a scale
    /// of 1. Noticed on a runtime of several threads only.
    #[must_use]
    pub fn case(mut self, longest: Duration) -> Self {
        self.case = longest;
        self
    }

    /// Multiplies the rounds of races and random calls. Default: the environment variable
    /// `SESSION_CONFORMANCE_SCALE`, or 1.
    #[must_use]
    pub fn scale(mut self, times: u64) -> Self {
        self.scale = times.max(1);
        self.case = CASE.saturating_mul(u32::try_from(self.scale).unwrap_or(u32::MAX));
        self
    }
}

impl Default for Limits {
    fn default() -> Self {
        let scale = env::var("SESSION_CONFORMANCE_SCALE").ok().and_then(|scale| scale.parse().ok());
        Self { call: CALL, case: CASE, scale: 1 }.scale(scale.unwrap_or(1))
    }
}

const CALL: Duration = Duration::from_secs(30);
const CASE: Duration = Duration::from_secs(600);

pub(crate) fn text_of(payload: Box<dyn Any + Send>) -> String {
    match payload.downcast::<String>() {
        Ok(text) => *text,
        Err(payload) => match payload.downcast_ref::<&str>() {
            Some(text) => format!("panicked: {text}"),
            None => "panicked".to_owned(),
        },
    }
}

//! Runs one case: makes the store and the site, and turns whatever happens into a verdict.

use std::{env, sync::Arc, time::Duration};

use session_core::{Clock, ManualClock};

use super::{
    application::{Adapter, Starter},
    case::{Case, Need},
    dice::Dice,
    late::Late,
    persist::Persist,
    probe::Probe,
    site::Site,
};
use crate::{
    Verdict,
    store::{Factory, Fresh, Reference, text_of},
};

/// What a case is run with: an adapter, a strategy, a store.
#[derive(Clone, Debug)]
pub struct Setup {
    starter: Starter,
    persist: Persist,
    cookie: Option<&'static str>,
    factory: Factory,
    limit: Duration,
    scale: u64,
    brief: bool,
    despite: Option<Need>,
}

impl Setup {
    /// `A` with this strategy, and with the reference store behind it.
    #[must_use]
    pub fn new<A: Adapter>(persist: Persist) -> Self {
        Self::of(Starter::of::<A>(), persist)
    }

    /// An adapter with this strategy, and with the reference store behind it.
    #[must_use]
    pub fn of(starter: Starter, persist: Persist) -> Self {
        let scale = env::var("SESSION_CONFORMANCE_SCALE").ok().and_then(|scale| scale.parse().ok());
        let scale = scale.unwrap_or(1).max(1);
        let limit = CASE.saturating_mul(u32::try_from(scale).unwrap_or(u32::MAX));
        let factory = Factory::new(reference);
        Self { starter, persist, cookie: None, factory, limit, scale, brief: false, despite: None }
    }

    /// The same with another store, from the same factory that the store suite takes.
    #[must_use]
    pub fn store(mut self, factory: Factory) -> Self {
        self.factory = factory;
        self
    }

    /// The same, with clients that look for a cookie of this name: for a [`Stranger`](super::Stranger) with a name of its own.
    #[must_use]
    pub fn cookie(mut self, name: &'static str) -> Self {
        self.cookie = Some(name);
        self
    }

    /// The same with a tenth of the rounds in cases that repeat themselves with other random numbers or interleavings: for
    /// a matrix, in which other combinations go all the way.
    #[must_use]
    pub fn brief(mut self) -> Self {
        self.brief = true;
        self
    }

    /// The same, and cases that need this run as if it were there: what a strategy declares impossible has to be.
    #[must_use]
    pub fn despite(mut self, need: Need) -> Self {
        self.despite = Some(need);
        self
    }

    fn needs(&self, case: &'static Case) -> impl Iterator<Item = &'static Need> {
        let despite = self.despite;
        case.needs.iter().filter(move |need| despite != Some(**need))
    }

    /// The same with another limit: a case that has not ended by then hangs. Two minutes unless set; with less, a case that
    /// tries everything tries a part.
    #[must_use]
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }
}

/// The store of a [`Setup`] that names no other.
pub async fn reference(_: Arc<ManualClock>) -> Fresh {
    Reference::fresh()
}

/// Runs `case`. Panics of the adapter, its framework or the store are failures. Needs a tokio runtime with time; races
/// are races only on one with several threads.
pub async fn run(case: &'static Case, setup: &Setup) -> Verdict {
    if let Some(reason) = setup.needs(case).find_map(|need| setup.persist.unmet(*need)) {
        return Verdict::Skip(reason);
    }
    let mut attempt = tokio::spawn(attempt(case, setup.clone()));
    match tokio::time::timeout(setup.limit, &mut attempt).await {
        Ok(Ok(verdict)) => verdict,
        Ok(Err(error)) => Verdict::Fail(match error.try_into_panic() {
            Ok(payload) => text_of(payload),
            Err(error) => error.to_string(),
        }),
        Err(_) => {
            attempt.abort();
            Verdict::Fail(format!("still running after {:?}: a request is never answered", setup.limit))
        }
    }
}

async fn attempt(case: &'static Case, setup: Setup) -> Verdict {
    let clock = Arc::new(ManualClock::at_unix(START));
    // The guards are dropped last: the store may need its server or folder to close.
    let Fresh { guards: _guards, store, facts } = setup.factory.fresh(Arc::clone(&clock)).await;
    if let Some(what) = facts.missing {
        return Verdict::Missing(what);
    }
    let unmet = |need: &Need| need.unmet(setup.persist, setup.starter, &*store, facts.own_clock);
    if let Some(reason) = setup.needs(case).find_map(unmet) {
        return Verdict::Skip(reason);
    }
    let store = if facts.own_clock { Arc::new(Late::new(store, clock.now())) } else { store };
    let site = Site {
        starter: setup.starter,
        persist: setup.persist,
        cookie: setup.cookie,
        store: Probe::new(store),
        clock,
        dice: Dice::default(),
        scale: setup.scale,
        brief: setup.brief,
        hurried: setup.limit < CASE,
    };
    match (case.check)(site).await {
        Ok(()) => Verdict::Pass,
        Err(failure) => Verdict::Fail(failure.to_string()),
    }
}

/// Where the clock of every case stands at first: 2001-09-09, so that whoever reads the system's clock finds everything
/// expired.
pub(super) const START: u64 = 1_000_000_000;
const CASE: Duration = Duration::from_secs(120);

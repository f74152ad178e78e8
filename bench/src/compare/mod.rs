//! The conformance kit, run against other libraries: which of its rules each of them keeps.
//!
//! A peer's middleware serves the kit's protocol ([`adapters`]), a peer's store is a store of the kit ([`stores`]); the shims
//! between add nothing that the peer does not offer. A case is *not offered* where it asks for something that the peer
//! has no notion of, and never a failure then.

mod adapters;
mod fixture;
mod scope;
mod stores;
mod toll;

pub mod matrix;

use std::time::Duration;

use session_conformance::{
    Verdict,
    adapter::{self, Persist, Setup},
    store::{self, Factory, Limits},
};

use matrix::{Column, Found, Matrix, Outcome};

/// The name of this library's column.
pub const OURS: &str = "session-core";

/// The name of the cookie where a case is about how cookies are read: with the prefix that RFC 6265bis has for them.
const PREFIXED: &str = "__Host-id";

/// Which of the two suites.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suite {
    /// The adapter suite.
    Middleware,
    /// The store suite.
    Stores,
}

/// Runs a suite; only for columns whose names contain `only`, if it is given. `tell` hears of each case.
pub async fn run(suite: Suite, only: Option<&str>, tell: &mut dyn FnMut(&str, &str, &Outcome)) -> Matrix {
    match suite {
        Suite::Middleware => run_middleware(only, tell).await,
        Suite::Stores => run_stores(only, tell).await,
    }
}

async fn run_middleware(only: Option<&str>, tell: &mut dyn FnMut(&str, &str, &Outcome)) -> Matrix {
    let mut middleware = Matrix::new("Middleware", "adapter suite, ids in cookies");
    for (name, starter, cookie) in adapters::all() {
        if only.is_some_and(|only| !name.contains(only)) {
            continue;
        }
        let factory = if name == OURS { Factory::new(adapter::reference) } else { Factory::new(toll::fresh) };
        let setup = Setup::of(starter, Persist::Cookie).store(factory).limit(PATIENCE);
        let mut column = Column::new(name);
        for case in adapter::CASES.iter().filter(|case| case.fits(Persist::Cookie)) {
            let setup = match name {
                OURS => setup.clone(),
                _ => setup.clone().cookie(if case.part == "cookies" { PREFIXED } else { cookie }),
            };
            let outcome = middleware_case(name, case, &setup).await;
            tell(name, case.name, &outcome);
            column.found.push(Found { part: case.part, case: case.name, outcome });
        }
        middleware.columns.push(column);
    }
    middleware
}

async fn run_stores(only: Option<&str>, tell: &mut dyn FnMut(&str, &str, &Outcome)) -> Matrix {
    let mut kept = Matrix::new("Stores", "store suite");
    for (name, factory) in stores::all() {
        if only.is_some_and(|only| !name.contains(only)) {
            continue;
        }
        let mut column = Column::new(name);
        for case in store::CASES.iter() {
            let limits = Limits::default().call(PATIENCE).case(3 * PATIENCE);
            let outcome = outcome(store::run_within(case, &factory, limits).await);
            tell(name, case.name, &outcome);
            column.found.push(Found { part: case.part, case: case.name, outcome });
        }
        kept.columns.push(column);
    }
    kept
}

async fn middleware_case(name: &str, case: &'static adapter::Case, setup: &Setup) -> Outcome {
    if name == OURS {
        return outcome(adapter::run(case, setup).await);
    }
    if let Some(what) = scope::beyond(case) {
        return Outcome::NotOffered(what.to_owned());
    }
    fixture::take_not_offered();
    let outcome = outcome(adapter::run(case, setup).await);
    let asked = fixture::take_not_offered();
    match outcome {
        Outcome::Failed(failure) if !asked.is_empty() && !scope::is_conclusive(&failure) => {
            Outcome::NotOffered(asked.join(", "))
        }
        Outcome::Failed(failure) => match scope::excuse(name, case, &failure) {
            Some(what) => Outcome::NotOffered(what.to_owned()),
            None => Outcome::Failed(failure),
        },
        outcome => outcome,
    }
}

fn outcome(verdict: Verdict) -> Outcome {
    match verdict {
        Verdict::Pass => Outcome::Passed,
        Verdict::Fail(failure) => Outcome::Failed(failure),
        Verdict::Skip(reason) => Outcome::NotOffered(reason),
        Verdict::Missing(what) => Outcome::NotTried(what),
    }
}

const PATIENCE: Duration = Duration::from_secs(20);

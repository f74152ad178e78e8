//! Which cases run with what.

use anyhow::Result;
use session_conformance::{
    adapter::{self, Persist},
    store,
};
use session_test_servers::StartError;

use super::Options;
use crate::registry::{self, ADAPTERS, Adapter, Matrix, STORES, StoreKind};

/// The combinations to run, in the order of the table.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(super) combinations: Vec<Combination>,
}

/// One line of the table.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Combination {
    /// The store suite on a store.
    Store(&'static StoreKind),
    /// The adapter suite on an adapter, a store behind it, and a strategy; without a store where the strategy has none.
    Adapter(&'static Adapter, Option<&'static StoreKind>, Persist),
}

impl Plan {
    pub(super) fn new(options: &Options) -> Result<Self> {
        let persist: Option<Persist> = options.persist.as_deref().map(registry::persist).transpose()?;
        let named = |name: &str, wanted: &Option<String>| wanted.as_ref().is_none_or(|wanted| wanted == name);
        let stores: Vec<_> = STORES.iter().filter(|store| named(store.name, &options.store)).collect();
        let mut combinations = Vec::new();
        if options.adapter.is_none() && persist.is_none() {
            combinations.extend(stores.iter().map(|store| Combination::Store(store)));
        }
        for adapter in ADAPTERS.iter().filter(|adapter| named(adapter.name, &options.adapter)) {
            for strategy in
                Persist::ALL.iter().filter(|strategy| persist.is_none_or(|wanted| wanted == **strategy))
            {
                if strategy.has_store() {
                    let over =
                        |store: &&'static StoreKind| Combination::Adapter(adapter, Some(store), *strategy);
                    let wanted = |store: &&&StoreKind| {
                        options.store.is_some()
                            || *strategy == Persist::Cookie
                            || store.matrix == Matrix::AllStrategies
                    };
                    combinations.extend(stores.iter().filter(wanted).map(over));
                } else {
                    combinations.push(Combination::Adapter(adapter, None, *strategy));
                }
            }
        }
        Ok(Self { combinations })
    }

    /// How many cases there are to run.
    pub(super) fn cases(&self) -> usize {
        self.combinations.iter().map(Combination::cases).sum()
    }
}

impl Combination {
    fn cases(&self) -> usize {
        match self {
            Self::Store(_) => store::CASES.len(),
            Self::Adapter(..) => adapter::CASES.len(),
        }
    }

    /// What has to be started for it.
    pub(super) fn server(&self) -> Option<fn() -> Option<&'static StartError>> {
        match self {
            Self::Store(store) | Self::Adapter(_, Some(store), _) => store.server,
            Self::Adapter(_, None, _) => None,
        }
    }

    /// Whether repetition is cut down to a tenth. The strategy decides nothing about races and random input that the core
    /// does not decide, so they run at full length with the first one, on every adapter and store.
    pub(super) fn is_brief(&self) -> bool {
        matches!(self, Self::Adapter(_, _, persist) if *persist != Persist::Cookie)
    }

    pub(super) fn adapter(&self) -> Option<&'static str> {
        match self {
            Self::Store(_) => None,
            Self::Adapter(adapter, ..) => Some(adapter.name),
        }
    }

    /// The name of the store, or `none`.
    pub(super) fn store(&self) -> &'static str {
        match self {
            Self::Store(store) | Self::Adapter(_, Some(store), _) => store.name,
            Self::Adapter(_, None, _) => "none",
        }
    }

    pub(super) fn persist(&self) -> Option<&'static str> {
        match self {
            Self::Store(_) => None,
            Self::Adapter(_, _, persist) => Some(persist.name()),
        }
    }
}

impl std::fmt::Display for Combination {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Store(store) => f.write_str(store.name),
            Self::Adapter(adapter, _, persist) => {
                write!(f, "{} × {} × {persist}", adapter.name, self.store())
            }
        }
    }
}

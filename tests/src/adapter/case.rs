//! The table of cases.

use std::{fmt, future::Future, pin::Pin, sync::LazyLock};

use session_core::Store;

use super::{application::Starter, cases, persist::Persist, site::Site};
use crate::{Result, docs};

/// What [`__adapter_cases`](crate::__adapter_cases) expands to here.
macro_rules! table {
    ([] $($module:ident { $($case:ident [$($need:ident)*],)* })*) => {{
        let mut table = Vec::new();
        $(
            let source = include_str!(concat!("cases/", stringify!($module), ".rs"));
            $(table.push(Case {
                part: stringify!($module),
                name: stringify!($case),
                spec: docs::above(source, concat!("pub async fn ", stringify!($case), "(")),
                needs: &[$(Need::$need),*],
                check: |site| Box::pin(cases::$module::$case(site)),
            });)*
        )*
        table
    }};
}

/// Every case of the adapter suite, in reading order.
pub static CASES: LazyLock<Vec<Case>> = LazyLock::new(|| crate::__adapter_cases!([table]));

/// One rule for the whole of adapter and core, and the code that checks it.
#[non_exhaustive]
pub struct Case {
    /// What the case is about: the name of its module in [`cases`].
    pub part: &'static str,
    /// The name of the case, which is the name of its function in [`cases`] and of its test.
    pub name: &'static str,
    /// The rule, in one sentence: the doc comment of the function.
    pub spec: String,
    /// What must be there for the case to apply.
    pub needs: &'static [Need],
    pub(super) check: fn(Site) -> Checking,
}

pub(super) type Checking = Pin<Box<dyn Future<Output = Result> + Send>>;

impl Case {
    /// The case of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        CASES.iter().find(|case| case.name == name)
    }

    /// Whether the case says anything about this strategy. Those that do not are no part of a run with it.
    #[must_use]
    pub fn is_about(&self, persist: Persist) -> bool {
        !self.needs.iter().any(|need| match need {
            Need::Cookie => persist != Persist::Cookie,
            Need::Header => persist != Persist::Header,
            _ => false,
        })
    }
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Case")
            .field("part", &self.part)
            .field("name", &self.name)
            .field("spec", &self.spec)
            .field("needs", &self.needs)
            .finish_non_exhaustive()
    }
}

/// What a case may need besides an adapter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Need {
    /// A store whose clock the suite can move: not [`Fresh::own_clock`](crate::store::Fresh::own_clock).
    Clock,
    /// Ids that travel in a cookie.
    Cookie,
    /// Ids that travel in a header field.
    Header,
    /// A store with the ability [`PrincipalIndex`](session_core::PrincipalIndex).
    PrincipalIndex,
    /// An adapter that sees header fields byte for byte: [`Adapter::RAW_FIELDS`](super::Adapter::RAW_FIELDS).
    RawFields,
    /// A store with the ability [`Sweep`](session_core::Sweep).
    Sweep,
}

impl Need {
    /// Why adapter and store do not meet the need, if they do not.
    pub(super) fn unmet(self, starter: Starter, store: &dyn Store, own_clock: bool) -> Option<&'static str> {
        let (met, reason) = match self {
            Self::Clock => (!own_clock, "the store has a clock of its own (`Fresh::own_clock`)"),
            Self::PrincipalIndex => {
                (store.as_principal_index().is_some(), "the store has no `PrincipalIndex`")
            }
            Self::RawFields => {
                (starter.raw_fields, "the framework drops fields that are not UTF-8 (`Adapter::RAW_FIELDS`)")
            }
            Self::Sweep => (store.as_sweep().is_some(), "the store has no `Sweep`"),
            Self::Cookie | Self::Header => (true, ""),
        };
        (!met).then_some(reason)
    }
}

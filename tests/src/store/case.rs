//! The table of cases.

use std::{fmt, future::Future, pin::Pin, sync::LazyLock};

use session_core::Store;

use super::{cases, fresh::Facts, sample::key, subject::Subject};
use crate::{Result, docs};

/// What [`__store_cases`](crate::__store_cases) expands to here.
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
                check: |subject| Box::pin(cases::$module::$case(subject)),
            });)*
        )*
        table
    }};
}

/// Every case of the store suite, in reading order.
pub static CASES: LazyLock<Vec<Case>> = LazyLock::new(|| crate::__store_cases!([table]));

/// One rule of the contract, and the code that checks it.
#[non_exhaustive]
pub struct Case {
    /// The part of the contract that the case belongs to: the name of its module in [`cases`].
    pub part: &'static str,
    /// The name of the case, which is the name of its function in [`cases`] and of its test.
    pub name: &'static str,
    /// The rule, in one sentence: the doc comment of the function.
    pub spec: String,
    /// What the store, or its author, must provide for the case to apply.
    pub needs: &'static [Need],
    pub(super) check: fn(Subject) -> Checking,
}

pub(super) type Checking = Pin<Box<dyn Future<Output = Result> + Send>>;

impl Case {
    /// The case of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        CASES.iter().find(|case| case.name == name)
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

/// What a case may need besides a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Need {
    /// Answers without waiting: [`Fresh::answers_at_once`](super::Fresh::answers_at_once).
    AtOnce,
    /// A bound that can be reached: [`Fresh::bounded_with`](super::Fresh::bounded_with).
    Bounded,
    /// A clock that the suite can move by minutes and years: not [`Fresh::own_clock`](super::Fresh::own_clock).
    Clock,
    /// A way to damage a record: [`Fresh::damage_with`](super::Fresh::damage_with).
    Damage,
    /// The ability [`Environment`](session_core::Environment).
    Environment,
    /// Something foreign beside the records: [`Fresh::foreign_with`](super::Fresh::foreign_with).
    Foreign,
    /// A medium that can fail: [`Fresh::outage_with`](super::Fresh::outage_with).
    Outage,
    /// A second store on the same records: [`Fresh::peer_with`](super::Fresh::peer_with).
    Peer,
    /// The ability [`PrincipalIndex`](session_core::PrincipalIndex).
    PrincipalIndex,
    /// Records that outlive the store: [`Fresh::reopen_with`](super::Fresh::reopen_with).
    Reopen,
    /// The ability [`Scan`](session_core::Scan).
    Scan,
    /// The ability [`Sweep`](session_core::Sweep).
    Sweep,
}

impl Need {
    /// Why the need is not met, if it is not.
    pub(super) fn unmet(self, store: &dyn Store, facts: &Facts) -> Option<&'static str> {
        let (met, reason) = match self {
            Self::AtOnce => (
                facts.at_once || store.load_now(&key(0)).is_some(),
                "no answers without waiting are declared (`Fresh::answers_at_once`)",
            ),
            Self::Bounded => {
                (facts.bounded.is_some(), "no bounded variant is declared (`Fresh::bounded_with`)")
            }
            Self::Clock => (
                !facts.own_clock,
                "the store has a clock of its own, which nobody can move (`Fresh::own_clock`)",
            ),
            Self::Damage => {
                (facts.damage.is_some(), "no way to damage a record is declared (`Fresh::damage_with`)")
            }
            Self::Environment => (store.as_environment().is_some(), "the store has no `Environment`"),
            Self::Foreign => (
                facts.foreign.is_some(),
                "nothing foreign can be put beside the records (`Fresh::foreign_with`)",
            ),
            Self::Outage => {
                (facts.outage.is_some(), "no way to stop the medium is declared (`Fresh::outage_with`)")
            }
            Self::Peer => (facts.peer.is_some(), "no second store on the same records (`Fresh::peer_with`)"),
            Self::PrincipalIndex => {
                (store.as_principal_index().is_some(), "the store has no `PrincipalIndex`")
            }
            Self::Reopen => {
                (facts.reopen.is_some(), "records do not outlive the store (`Fresh::reopen_with`)")
            }
            Self::Scan => (store.as_scan().is_some(), "the store has no `Scan`"),
            Self::Sweep => (store.as_sweep().is_some(), "the store has no `Sweep`"),
        };
        (!met).then_some(reason)
    }
}

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

    /// Whether this strategy can do what the case needs.
    #[must_use]
    pub fn fits(&self, persist: Persist) -> bool {
        self.needs.iter().all(|need| persist.can(*need))
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

/// What a case may need. What a strategy lacks it declares itself: [`Persist::impossible`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Need {
    /// A request that can present several ids.
    Ambiguity,
    /// A library that tells clients their ids, and only when all is stored.
    Announcing,
    /// The strategy [`Chain`](session_core::persist::Chain).
    Chain,
    /// Clients that keep what they are given as a cookie.
    Cookie,
    /// The strategy [`External`](session_core::persist::External).
    External,
    /// The strategy [`Header`](session_core::persist::Header).
    Header,
    /// Values that are signed or sealed with secret keys.
    Keys,
    /// Requests that cost nothing unless a handler asks for the session.
    Laziness,
    /// Changes of parallel requests that are put together (compare-and-swap).
    Merging,
    /// A list of the sessions of a principal: a store with the ability
    /// [`PrincipalIndex`](session_core::PrincipalIndex).
    PrincipalIndex,
    /// The strategy [`Query`](session_core::persist::Query).
    Query,
    /// An adapter that sees header fields byte for byte: [`Adapter::RAW_FIELDS`](super::Adapter::RAW_FIELDS).
    RawFields,
    /// A logout or a login after which what clients held before is worth nothing.
    Revocation,
    /// Ids that are replaced while they are in use.
    Rotation,
    /// The strategy [`SealedCookie`](session_core::persist::SealedCookie).
    Sealed,
    /// A store that is asked for sessions.
    Store,
    /// A store that expires records by the clock of the suite, which can go back: not
    /// [`Fresh::own_clock`](crate::store::Fresh::own_clock).
    StoreClock,
    /// A store with the ability [`Sweep`](session_core::Sweep).
    Sweep,
    /// Answers that caches tell apart by a field of the request.
    Vary,
}

impl Need {
    /// Why strategy, adapter and store do not meet the need, if they do not.
    pub(super) fn unmet(
        self,
        persist: Persist,
        starter: Starter,
        store: &dyn Store,
        own_clock: bool,
    ) -> Option<String> {
        if let Some(reason) = persist.unmet(self) {
            return Some(reason);
        }
        let (met, reason) = match self {
            Self::PrincipalIndex => {
                (store.as_principal_index().is_some(), "the store has no `PrincipalIndex`")
            }
            Self::RawFields => {
                (starter.raw_fields, "the framework drops fields that are not UTF-8 (`Adapter::RAW_FIELDS`)")
            }
            Self::StoreClock => {
                (!own_clock, "the store has a clock of its own, which does not go back (`Fresh::own_clock`)")
            }
            Self::Sweep => (store.as_sweep().is_some(), "the store has no `Sweep`"),
            _ => return None,
        };
        (!met).then(|| reason.to_owned())
    }
}

/// As reports say it.
impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ambiguity => "several ids in one request",
            Self::Announcing => "ids told by the library, when all is stored",
            Self::Chain => "several strategies",
            Self::Cookie => "cookies",
            Self::External => "ids that the application reads",
            Self::Header => "ids in a header field",
            Self::Keys => "values made with secret keys",
            Self::Laziness => "requests that cost nothing",
            Self::Merging => "merging of parallel changes (compare-and-swap)",
            Self::PrincipalIndex => "lists of sessions",
            Self::Query => "ids in the query",
            Self::RawFields => "header fields byte for byte",
            Self::Revocation => "revocation",
            Self::Rotation => "routine rotation",
            Self::Sealed => "sessions that travel with their clients",
            Self::Store => "a store",
            Self::StoreClock => "a store's clock that goes back",
            Self::Sweep => "sweeping",
            Self::Vary => "answers that vary on a field",
        })
    }
}

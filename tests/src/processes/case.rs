//! The table of cases with several processes, and what runs one.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, LazyLock},
};

use session_core::Store;

use super::{
    cases,
    child::task,
    place::Place,
    role::{ADDRESS, ChildRole, PROCESS, ParentRole, READY, Role},
};
use crate::{Result, Verdict, docs};

/// What [`__process_cases`](crate::__process_cases) expands to here.
macro_rules! table {
    ([] $($module:ident { $($case:ident,)* })*) => {{
        let mut table = Vec::new();
        $(
            let source = include_str!(concat!("cases/", stringify!($module), ".rs"));
            $(table.push(Case {
                name: stringify!($case),
                spec: docs::above(source, concat!("pub async fn ", stringify!($case), "(")),
                check: |role| Box::pin(cases::$module::$case(role)),
            });)*
        )*
        table
    }};
}

/// Every case with several processes, in reading order.
pub static CASES: LazyLock<Vec<Case>> = LazyLock::new(|| crate::__process_cases!([table]));

/// One rule, and the code that checks it: for the test and for its children.
#[non_exhaustive]
pub struct Case {
    /// The name of its function in [`cases`](super::cases) and of its test.
    pub name: &'static str,
    /// The rule, in one sentence.
    pub spec: String,
    check: fn(Role) -> Pin<Box<dyn Future<Output = Result> + Send>>,
}

impl Case {
    /// The case of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        CASES.iter().find(|case| case.name == name)
    }
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Case").field("name", &self.name).field("spec", &self.spec).finish_non_exhaustive()
    }
}

/// Runs `case` in the test called `test`, with the name of the test program in front as `module_path!()` has it.
///
/// Called in a child of that test, it does the child's part and answers `None`. Needs a tokio runtime of several threads.
///
/// # Panics
/// In a child whose part fails.
pub async fn judge<F, S>(
    case: &'static Case,
    test: &str,
    place: impl FnOnce() -> Place,
    open: impl Fn(String, u64) -> F,
) -> Option<Verdict>
where
    F: Future<Output = S>,
    S: Store,
{
    if let Some(task) = task() {
        let store = open(task.text(ADDRESS), task.number(PROCESS)).await;
        let child = ChildRole { store: Arc::new(store), task };
        child.task.tell(READY);
        if let Err(failure) = (case.check)(Role::Child(child)).await {
            panic!("{failure}");
        }
        return None;
    }
    let place = place();
    let address = match &place.address {
        Ok(address) => address.clone(),
        Err(what) => return Some(Verdict::Missing(what.clone())),
    };
    let store = open(address.clone(), 0).await;
    let (_, test) = test.split_once("::").unwrap_or(("", test));
    let parent = ParentRole { store: Arc::new(store), address, test: test.to_owned() };
    Some(match (case.check)(Role::Parent(parent)).await {
        Ok(()) => Verdict::Pass,
        Err(failure) => Verdict::Fail(failure.to_string()),
    })
}

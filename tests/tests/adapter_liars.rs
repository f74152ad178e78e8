//! Every lying adapter is seen through by exactly the cases meant for it.

use std::{collections::BTreeSet, time::Duration};

use session_conformance::{
    Verdict,
    adapter::{CASES, Setup, run},
    liars::adapter::AdapterLiar,
};

macro_rules! one_test_each {
    ([] $($module:ident { $($name:ident $lie:ident,)* })*) => {
        $($(
            #[test]
            fn $name() {
                is_seen_through(stringify!($name));
            }
        )*)*
    };
}

session_conformance::__adapter_liars!([one_test_each]);

/// On one thread, so that the order in which requests meet is the same in every run.
fn is_seen_through(name: &str) {
    let liar = AdapterLiar::named(name).unwrap_or_else(|| panic!("there is no liar `{name}`"));
    let setup = Setup::of(liar.starter, liar.persist).limit(Duration::from_secs(5));
    let mut caught_by = BTreeSet::new();
    let mut reasons = String::new();
    for case in CASES.iter().filter(|case| case.fits(liar.persist)) {
        // A runtime each: what one case leaves behind would change the order in which tasks of the next one run.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        let runtime = runtime.unwrap_or_else(|error| panic!("no runtime to test on: {error}"));
        match runtime.block_on(run(case, &setup)) {
            Verdict::Pass => {}
            Verdict::Skip(reason) | Verdict::Missing(reason) => {
                panic!("{} does not apply: {reason}", case.name)
            }
            Verdict::Fail(reason) => {
                caught_by.insert(case.name);
                reasons += &format!("  {}: {reason}\n", case.name);
            }
        }
    }
    let expected: BTreeSet<&str> = liar.caught_by.iter().copied().collect();
    assert!(!caught_by.is_empty(), "no case sees through it: {}", liar.lie);
    assert!(
        caught_by == expected,
        "{}\n missed by: {:#?}\n caught by besides: {:#?}\n in all:\n{reasons}",
        liar.lie,
        expected.difference(&caught_by).collect::<Vec<_>>(),
        caught_by.difference(&expected).collect::<Vec<_>>(),
    );
}

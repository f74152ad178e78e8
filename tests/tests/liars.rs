//! Every liar is seen through by exactly the cases meant for it, and every case sees through a liar.

use std::{collections::BTreeSet, time::Duration};

use session_conformance::{
    Verdict,
    liars::store::{LIARS, StoreLiar},
    store::{CASES, Case, Limits, Need, run_within},
};

macro_rules! one_test_each {
    ([] $($module:ident { $($name:ident $lie:ident,)* })*) => {
        $($(
            #[test]
            fn $name() {
                is_seen_through(stringify!($module), stringify!($name));
            }
        )*)*
    };
}

session_conformance::__store_liars!([one_test_each]);

#[test]
fn every_case_sees_through_a_liar() {
    let caught_by: BTreeSet<&str> = LIARS.iter().flat_map(|liar| &liar.caught_by).copied().collect();
    let idle: Vec<&str> =
        CASES.iter().map(|case| case.name).filter(|name| !caught_by.contains(name)).collect();
    assert!(idle.is_empty(), "no liar is caught by {idle:#?}");
}

/// On one thread, so that the order in which requests meet is the same in every run.
fn is_seen_through(module: &str, name: &str) {
    let liar = StoreLiar::named(name).unwrap_or_else(|| panic!("there is no liar `{name}`"));
    let patience = if liar.hangs { Duration::from_millis(300) } else { Duration::from_secs(30) };
    let mut caught_by = BTreeSet::new();
    let mut reasons = String::new();
    let is_worth_it = |case: &&Case| {
        case.name != LONGEST || module.starts_with("index") || liar.caught_by.contains(&case.name)
    };
    for case in CASES.iter().filter(is_worth_it) {
        // A runtime each: what one case leaves behind would change the order in which tasks of the next one run.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        let runtime = runtime.unwrap_or_else(|error| panic!("no runtime to test on: {error}"));
        match runtime.block_on(run_within(case, &liar.factory(), Limits::default().call(patience))) {
            Verdict::Pass => {}
            // What has to be waited for cannot lie about what it knows at once.
            Verdict::Skip(_) if case.needs.contains(&Need::AtOnce) => {}
            Verdict::Skip(reason) | Verdict::Missing(reason) => panic!("{} is skipped: {reason}", case.name),
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

/// Differs from `a_long_list_comes_in_pages` in its length only, and liars that look at every record take up to half a minute
/// for it: asked of those that lie about lists.
const LONGEST: &str = "ten_thousand_records_come_in_pages";

//! What a strategy declares impossible is: some case that needs it fails where it is tried all the same. A declaration that
//! is not needed any more would hide cases that could run.

use std::time::Duration;

use session_conformance::{
    Verdict,
    adapter::{CASES, Direct, Need, Persist, Setup, run},
};

#[test]
fn what_is_declared_impossible_is() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build();
    let runtime = runtime.unwrap_or_else(|error| panic!("no runtime to test on: {error}"));
    for persist in Persist::ALL {
        for (need, reason) in persist.impossible() {
            let setup = Setup::new::<Direct>(*persist).despite(*need).brief().limit(Duration::from_secs(5));
            let tried = || CASES.iter().filter(|case| case.needs.contains(need));
            let fails = |verdict| matches!(verdict, Verdict::Fail(_));
            let failed = tried().find(|case| fails(runtime.block_on(run(case, &setup))));
            let Some(case) = failed else {
                let cases = tried().count();
                panic!(
                    "{persist} declares impossible: {need} — {reason}; and yet none of {cases} cases fails"
                );
            };
            println!("{persist}: {need}: {}", case.name);
        }
    }
}

#[test]
fn every_need_that_is_declared_is_one_of_a_case() {
    for persist in Persist::ALL {
        for (need, _) in persist.impossible() {
            assert!(CASES.iter().any(|case| case.needs.contains(need)), "{persist} declares {need} in vain");
        }
        assert!(persist.can(Need::StoreClock), "the clock is the store's matter");
    }
}

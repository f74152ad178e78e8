//! Behind a store that expires records by the system's clock, as a server does, the adapter suite moves its own clock all
//! the same.

use async_trait::async_trait;
use session_conformance::{
    Verdict,
    adapter::{self, CASES, Direct, Persist, Setup},
    store::{Factory, Fresh, Reference},
};
use session_core::{
    Clock, Entry, Expect, PrincipalIndex, PrincipalKey, Removed, Store, StoreError, StoreKey, Stored,
    SystemClock, Version, Written,
};

/// Forgets what has expired by the system's clock as soon as it is asked for it.
#[derive(Debug)]
struct Forgets(Reference);

impl Forgets {
    async fn forget(&self, key: &StoreKey) -> Result<(), StoreError> {
        if let Some(stored) = self.0.load(key).await?
            && stored.expires_at <= SystemClock.now()
        {
            let _ = self.0.remove(key, Some(stored.version)).await?;
        }
        Ok(())
    }
}

#[async_trait]
impl Store for Forgets {
    async fn load(&self, key: &StoreKey) -> Result<Option<Stored>, StoreError> {
        self.forget(key).await?;
        self.0.load(key).await
    }

    async fn write(&self, key: &StoreKey, entry: Entry, expect: Expect) -> Result<Written, StoreError> {
        self.forget(key).await?;
        self.0.write(key, entry, expect).await
    }

    async fn remove(&self, key: &StoreKey, expect: Option<Version>) -> Result<Removed, StoreError> {
        self.forget(key).await?;
        self.0.remove(key, expect).await
    }

    fn as_principal_index(&self) -> Option<&dyn PrincipalIndex> {
        Some(self)
    }
}

#[async_trait]
impl PrincipalIndex for Forgets {
    async fn keys_of(
        &self,
        principal: &PrincipalKey,
        after: Option<&StoreKey>,
        limit: usize,
    ) -> Result<Vec<StoreKey>, StoreError> {
        self.0.keys_of(principal, after, limit).await
    }
}

/// With its clock declared, nothing fails, and all that is left out is a clock that goes back, and sweeping.
#[test]
fn nearly_every_case_runs() {
    let factory = Factory::new(|_| async { Fresh::new(Forgets(Reference::new())).own_clock() });
    for persist in [Persist::Cookie, Persist::Query] {
        let mut left_out = Vec::new();
        for (case, verdict) in verdicts(&factory, persist) {
            match verdict {
                Verdict::Pass => {}
                Verdict::Skip(reason) if reason.starts_with("the store has ") => left_out.push(case),
                Verdict::Skip(_) => {}
                verdict => panic!("{case}: {verdict}"),
            }
        }
        let expected = [
            "a_clock_that_goes_back_does_no_harm",
            "requests_can_sweep",
            "a_setting_that_cannot_work_is_refused",
        ];
        assert_eq!(left_out, expected, "{persist}");
    }
}

/// A store that does so and is not declared fails: it has forgotten everything.
#[test]
fn a_clock_that_is_not_declared_is_noticed() {
    let factory = Factory::new(|_| async { Fresh::new(Forgets(Reference::new())) });
    let verdicts = verdicts(&factory, Persist::Cookie);
    assert!(verdicts.iter().filter(|(_, verdict)| matches!(verdict, Verdict::Fail(_))).count() > 100);
}

fn verdicts(factory: &Factory, persist: Persist) -> Vec<(&'static str, Verdict)> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build();
    let runtime = runtime.unwrap_or_else(|error| panic!("no runtime to test on: {error}"));
    let setup = Setup::new::<Direct>(persist).store(factory.clone()).brief();
    CASES.iter().map(|case| (case.name, runtime.block_on(adapter::run(case, &setup)))).collect()
}

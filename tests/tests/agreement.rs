//! The comparison with the reference finds what differs, and excuses that are not needed.

use session_conformance::{
    adapter::{
        Direct, Starter,
        agreement::{Agreement, Aspect, Excuse, with_the_reference},
    },
    liars::adapter::AdapterLiar,
};

fn compare(starter: Starter, excuses: &[Excuse]) -> Agreement {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let runtime = runtime.unwrap_or_else(|error| panic!("no runtime to test on: {error}"));
    let found = runtime.block_on(with_the_reference(starter, excuses));
    found.unwrap_or_else(|failure| panic!("the corpus cannot be sent: {failure}"))
}

fn never() -> Excuse {
    Excuse { aspect: Some(Aspect::Body), applies: |_| false, reason: "never" }
}

#[test]
fn the_reference_agrees_with_itself_and_excuses_nothing() {
    let found = compare(Starter::of::<Direct>(), &[never()]);
    assert!(found.requests > 2_000, "only {} requests are compared", found.requests);
    assert_eq!(found.differences, [""; 0]);
    assert_eq!(found.needless, ["never"]);
}

#[test]
fn liars_differ() {
    for name in
        ["takes_the_last_id", "replaces_vary", "keeps_one_value", "drops_retry_after", "decodes_cookies"]
    {
        let liar = AdapterLiar::named(name).unwrap_or_else(|| panic!("there is no liar `{name}`"));
        assert!(!compare(liar.starter, &[]).differences.is_empty(), "not seen: {}", liar.lie);
    }
}

#[test]
fn an_excuse_excuses_its_aspect_only() {
    let Some(liar) = AdapterLiar::named("drops_retry_after") else { panic!("there is no such liar") };
    let field = |name| Excuse { aspect: Some(Aspect::Field(name)), applies: |_| true, reason: name };
    let found = compare(liar.starter, &[field("retry-after")]);
    assert!(found.differences.is_empty() && found.excused > 0 && found.needless.is_empty());
    let found = compare(liar.starter, &[field("vary")]);
    assert!(!found.differences.is_empty() && found.excused == 0 && found.needless == ["vary"]);
}

//! The short form: every file of the corpus, and some thousand mutations of them, the same in every run.
//!
//! `SESSION_CONFORMANCE_SCALE` makes it longer, `SESSION_CONFORMANCE_SEED` another one.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{fs, path::Path};

use session_fuzz::{Mutator, Target, bounded};

const MUTATIONS: usize = 1_500;

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    let mut files: Vec<_> = fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|file| file.unwrap().path())
        .collect();
    files.sort();
    files.iter().map(|file| fs::read(file).unwrap()).collect()
}

fn run(name: &str) {
    let target = Target::named(name).unwrap();
    let inputs = corpus(name);
    let accepted = inputs.iter().filter(|input| bounded(target, input)).count();
    assert!(accepted > 0, "nothing in the corpus of {name} gets past the outermost check");
    let mut mutator = Mutator::new(number("SESSION_CONFORMANCE_SEED", 2_107));
    let scale = usize::try_from(number("SESSION_CONFORMANCE_SCALE", 1)).unwrap();
    let mut accepted = 0;
    for _ in 0..MUTATIONS.saturating_mul(scale) {
        let input = mutator.next(&inputs);
        // A panic does not say what it was about.
        let outcome = std::panic::catch_unwind(|| bounded(target, &input));
        accepted +=
            usize::from(outcome.unwrap_or_else(|_| panic!("{name}: {:?}", input.escape_ascii().to_string())));
    }
    assert!(accepted > 0, "no mutation of the corpus of {name} gets past the outermost check");
}

macro_rules! tests {
    ($($name:ident)*) => {
        $(#[test] fn $name() { run(stringify!($name)); })*

        #[test]
        fn every_target_has_a_test() {
            let targets: Vec<_> = session_fuzz::TARGETS.iter().map(|target| target.name).collect();
            assert_eq!(targets, [$(stringify!($name)),*]);
        }
    };
}

tests! {
    cookie_header id record value sealed_cookie query form config database_url redis_url file_record redis_record
}

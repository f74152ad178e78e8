//! Random sequences of requests of one browser, against a small model of what a session is.

use std::{collections::BTreeMap, sync::Arc};

use proptest::{
    collection::vec,
    prelude::{Just, Strategy, prop_oneof},
    test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner},
};
use tokio::runtime::Handle;

use super::prelude::*;
use crate::store::sample::seed;

/// Random sequences of requests, with time passing in between, are answered as a model of a session answers them. A
/// failure names the seed and the shortest sequence found; `SESSION_CONFORMANCE_SEED` repeats it.
pub async fn random_requests_answer_as_a_model_does(site: Site) -> Result {
    let (seed, rounds) = (seed(), site.rounds(20));
    let app = Arc::new(site.start().await?);
    let revocable = site.can(Need::Revocation);
    let runtime = Handle::current();
    // The runner is synchronous: it gets a thread where it may wait.
    let played = tokio::task::spawn_blocking(move || {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        let cases = u32::try_from(rounds).unwrap_or(u32::MAX);
        let config = Config { cases, max_shrink_iters: 300, failure_persistence: None, ..Config::default() };
        let random = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
        TestRunner::new_with_rng(config, random).run(&vec(step(), 1..16), |steps| {
            let played = runtime.block_on(play(&app, revocable, &steps));
            played.map_err(|failure| TestCaseError::fail(failure.to_string()))
        })
    });
    match played.await? {
        Ok(()) => Ok(()),
        Err(TestError::Fail(reason, steps)) => fail!("seed {seed}, steps {steps:?}: {reason}"),
        Err(error) => fail!("seed {seed}: {error}"),
    }
}

#[derive(Clone, Debug)]
enum Step {
    Request(Vec<Deed>),
    /// Seconds pass.
    Advance(u64),
    /// Somebody presents an id that was replaced or ended, counted back from the last one.
    PresentOld(usize),
}

/// One operation of a request.
#[derive(Clone, Debug)]
enum Deed {
    Get(u8),
    Set(u8, i64),
    Incr(u8),
    Remove(u8),
    Keys,
    Clear,
    Renew,
    Login(u8),
    Logout,
    Destroy,
    Save,
}

fn step() -> impl Strategy<Value = Step> {
    let seconds =
        prop_oneof![Just(1_u64), Just(179), Just(180), Just(900), Just(1_799), Just(1_800), Just(20_000)];
    prop_oneof![
        8 => vec(deed(), 1..5).prop_map(Step::Request),
        3 => seconds.prop_map(Step::Advance),
        2 => (0..4_usize).prop_map(Step::PresentOld),
    ]
}

fn deed() -> impl Strategy<Value = Deed> {
    let key = || 0..3_u8;
    prop_oneof![
        3 => key().prop_map(Deed::Get),
        5 => (key(), -9..9_i64).prop_map(|(key, value)| Deed::Set(key, value)),
        4 => key().prop_map(Deed::Incr),
        2 => key().prop_map(Deed::Remove),
        2 => Just(Deed::Keys),
        1 => Just(Deed::Clear),
        2 => Just(Deed::Renew),
        2 => (0..2_u8).prop_map(Deed::Login),
        1 => Just(Deed::Logout),
        1 => Just(Deed::Destroy),
        1 => Just(Deed::Save),
    ]
}

impl Deed {
    fn op(&self) -> Value {
        match self {
            Self::Get(key) => get(NAMES[usize::from(*key)]),
            Self::Set(key, value) => set(NAMES[usize::from(*key)], *value),
            Self::Incr(key) => incr(NAMES[usize::from(*key)]),
            Self::Remove(key) => remove(NAMES[usize::from(*key)]),
            Self::Keys => op("keys"),
            Self::Clear => op("clear"),
            Self::Renew => op("renew"),
            Self::Login(who) => authenticate(PEOPLE[usize::from(*who)]),
            Self::Logout => op("deauthenticate"),
            Self::Destroy => op("destroy"),
            Self::Save => op("save"),
        }
    }
}

const NAMES: [&str; 3] = ["a", "b", "c"];
const PEOPLE: [&str; 2] = ["ann", "bob"];
/// The defaults of the library, in seconds.
const IDLE: u64 = 1_800;
const ABSOLUTE: u64 = 43_200;

/// What a session is.
#[derive(Clone, Debug, Default)]
struct Model {
    session: Option<Session>,
}

#[derive(Clone, Debug)]
struct Session {
    values: BTreeMap<u8, i64>,
    principal: Option<u8>,
    created: u64,
    authenticated: Option<u64>,
    last_seen: u64,
    /// What the store has; nothing until something is stored.
    stored: Option<BTreeMap<u8, i64>>,
    /// Something other than a value is to be stored.
    intent: bool,
}

impl Session {
    const fn new(now: u64) -> Self {
        let values = BTreeMap::new();
        let (stored, intent) = (None, false);
        Self { values, principal: None, created: now, authenticated: None, last_seen: now, stored, intent }
    }

    fn is_over(&self, now: u64) -> bool {
        let started = self.authenticated.map_or(self.created, |signed_in| signed_in.max(self.created));
        now >= (self.last_seen + IDLE).min(started + ABSOLUTE)
    }
}

impl Model {
    /// What a request is answered, and whether what the client held before is worth nothing afterwards.
    fn request(&mut self, deeds: &[Deed], now: u64) -> (Vec<Value>, bool) {
        if self.session.as_ref().is_some_and(|session| session.is_over(now)) {
            self.session = None;
        }
        let mut replaced = false;
        let answers = deeds
            .iter()
            .map(|deed| {
                replaced |= match deed {
                    Deed::Renew | Deed::Destroy => self.session.is_some(),
                    Deed::Login(_) => true,
                    Deed::Logout => self.session.as_ref().is_some_and(|session| session.principal.is_some()),
                    _ => false,
                };
                self.answer(deed, now)
            })
            .collect();
        self.store(now, true);
        (answers, replaced)
    }

    /// Nothing is stored for who leaves nothing, and nothing is written down that is as it was, except a use now and then.
    fn store(&mut self, now: u64, closing: bool) {
        let Some(session) = &mut self.session else { return };
        let due = match &session.stored {
            None if session.values.is_empty() && session.principal.is_none() => {
                if closing {
                    self.session = None;
                }
                return;
            }
            None => true,
            Some(stored) => {
                let touched = closing && now - session.last_seen >= IDLE / 10;
                *stored != session.values || session.intent || touched
            }
        };
        if due {
            session.last_seen = now;
            session.stored = Some(session.values.clone());
        }
        session.intent = false;
    }

    fn answer(&mut self, deed: &Deed, now: u64) -> Value {
        let value = |session: &Option<Session>, key: &u8| {
            session.as_ref().and_then(|session| session.values.get(key)).copied()
        };
        match deed {
            Deed::Get(key) => return json!(value(&self.session, key)),
            Deed::Set(key, number) => drop(self.begun(now).values.insert(*key, *number)),
            Deed::Incr(key) => {
                let number = self.begun(now).values.entry(*key).or_default();
                *number += 1;
                return json!(number);
            }
            Deed::Remove(key) => {
                return json!(self.session.as_mut().and_then(|session| session.values.remove(key)));
            }
            Deed::Keys => {
                let keys = self.session.iter().flat_map(|session| session.values.keys());
                return keys.map(|key| json!(NAMES[usize::from(*key)])).collect();
            }
            Deed::Clear => self.session.iter_mut().for_each(|session| session.values.clear()),
            Deed::Login(who) => {
                let session = self.begun(now);
                (session.principal, session.authenticated, session.intent) = (Some(*who), Some(now), true);
            }
            Deed::Logout => {
                if let Some(session) = self.session.as_mut().filter(|session| session.principal.is_some()) {
                    (session.principal, session.authenticated, session.intent) = (None, None, true);
                }
            }
            Deed::Renew => self.session.iter_mut().for_each(|session| session.intent = true),
            Deed::Destroy => self.session = None,
            Deed::Save => self.store(now, false),
        }
        Value::Null
    }

    fn begun(&mut self, now: u64) -> &mut Session {
        self.session.get_or_insert_with(|| Session::new(now))
    }
}

/// Plays a sequence with a browser of its own.
async fn play(app: &App, revocable: bool, steps: &[Step]) -> Result {
    let (mut model, browser, mut old) = (Model::default(), app.client(), Vec::new());
    for step in steps {
        match step {
            Step::Advance(seconds) => app.advance(*seconds),
            Step::Request(deeds) => {
                let before = browser.copy();
                let reply = browser.ops(deeds.iter().map(Deed::op)).await?;
                let (expected, replaced) = model.request(deeds, app.now());
                let answers: Vec<Value> = serde_json::from_slice(&reply.has_status(200)?.body)?;
                ensure!(answers == expected, "{deeds:?} is answered {answers:?} instead of {expected:?}");
                if replaced && before.id().is_some() {
                    old.push(before);
                }
            }
            Step::PresentOld(back) => {
                let Some(stale) = old.iter().rev().nth(*back).filter(|_| revocable) else { continue };
                let [info, keys] = stale.copy().run([op("info"), op("keys")]).await?;
                ensure!(
                    info["principal"].is_null() && keys == json!([]),
                    "an id that was replaced or ended finds {info}, {keys}"
                );
            }
        }
    }
    let principal = model.session.as_ref().filter(|session| !session.is_over(app.now()));
    let principal = principal.and_then(|session| session.principal).map(|who| PEOPLE[usize::from(who)]);
    let info = browser.one(op("info")).await?;
    ensure!(info["principal"] == json!(principal), "at last {} is signed in", info["principal"]);
    Ok(())
}

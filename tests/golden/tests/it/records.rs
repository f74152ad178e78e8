//! Records as the core makes them: sessions, what replaced ids leave behind, and values of every kind.

use std::{
    collections::BTreeMap,
    time::{Duration, UNIX_EPOCH},
};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use session_core::{Session, SessionConfig, SessionError, StoreErrorKind, StoreKey, ValueFormat};
use session_golden::{Corpus, Sample};

use crate::world::{NOW, Site, entry, key};

/// The format of records that this version writes, as their first byte says it.
const FORMAT: u32 = 2;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Item {
    name: String,
    count: u32,
    price: Option<i64>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Wrapped(u64);

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Choice {
    Plain,
    With(u8, String),
    Named { at: i16 },
}

/// Puts a value of every kind in, or sees that each is there.
macro_rules! values {
    ($($key:literal: $type:ty = $value:expr,)*) => {
        fn set_values(session: &Session) -> Result<(), SessionError> {
            $({
                let value: $type = $value;
                session.insert($key, value)?;
            })*
            Ok(())
        }

        fn check_values(session: &Session) -> Result<(), SessionError> {
            $(assert_eq!(session.get::<$type>($key)?, Some($value), $key);)*
            Ok(())
        }
    };
}

values! {
    "unit": () = (),
    "bool": bool = true,
    "unsigned": u64 = u64::MAX,
    "signed": i64 = i64::MIN,
    "float": f64 = -0.5,
    "char": char = 'ß',
    "text": String = "Übergröße \u{0} \u{1f370}".to_owned(),
    "empty text": String = String::new(),
    "none": Option<u8> = None::<u8>,
    "some": Option<u8> = Some(7),
    "list": Vec<i32> = vec![-1, 0, 1],
    "tuple": (u8, String) = (1, "two".to_owned()),
    "map": BTreeMap<String, u8> = BTreeMap::from([("a".to_owned(), 1), ("b".to_owned(), 2)]),
    "struct": Item = Item { name: "tea".to_owned(), count: 2, price: Some(-350) },
    "newtype": Wrapped = Wrapped(9),
    "unit variant": Choice = Choice::Plain,
    "tuple variant": Choice = Choice::With(3, "x".to_owned()),
    "struct variant": Choice = Choice::Named { at: -2 },
}

type Handler = fn(&Session) -> Result<(), SessionError>;

fn made() -> Corpus {
    let mut corpus = Corpus::new();
    let mut add = |name: &str, sample| drop(corpus.insert(name.to_owned(), sample));

    for (first, name, format) in
        [(1, "values", ValueFormat::Postcard), (11, "values in JSON", ValueFormat::Json)]
    {
        let site = site(first, format);
        let id = site.send(None, set_values).unwrap().1.unwrap();
        add(name, site.sample(&only_key(&site), &id, json!({ "values": true, "created": NOW })));
    }

    let plain = site(21, ValueFormat::Postcard);
    let id = plain.send(None, |session| session.insert("k", 1)).unwrap().1.unwrap();
    add("visitor", plain.sample(&only_key(&plain), &id, json!({ "k": 1, "created": NOW })));
    let plain = site(51, ValueFormat::Postcard);
    let id = plain.send(None, |session| session.insert("k", 1)).unwrap().1.unwrap();
    plain.clock.advance(Duration::from_secs(60));
    plain
        .send(Some(&id), |session| {
            session.namespace("shop")?.insert("k", 2)?;
            session.flash("hello")?;
            session.set_idle_timeout(Duration::from_secs(600))?;
            session.set_expires_at(UNIX_EPOCH + Duration::from_secs(NOW + 86_400))
        })
        .unwrap();
    let means = json!({ "k": 1, "shop k": 2, "flashes": ["hello"], "created": NOW });
    add("namespaces, messages, times of its own", plain.sample(&only_key(&plain), &id, means));

    let member = site(31, ValueFormat::Postcard);
    let old_id = member.send(None, |session| session.insert("k", 1)).unwrap().1.unwrap();
    let old = only_key(&member);
    let id = member.send(Some(&old_id), |session| session.authenticate("ann")).unwrap().1.unwrap();
    add(
        "after a login, the session",
        member.sample(&other_key(&member, &old), &id, json!({ "k": 1, "principal": "ann" })),
    );
    add(
        "after a login, the old id",
        member.sample(&old, &old_id, json!({ "status": "superseded", "at": NOW + 30 })),
    );

    let rotated = Site::drawing_from(41, |builder| builder.renew_every(Duration::from_secs(60)));
    let old_id = rotated.send(None, |session| session.insert("k", 1)).unwrap().1.unwrap();
    let old = only_key(&rotated);
    rotated.clock.advance(Duration::from_secs(61));
    let id = rotated.send(Some(&old_id), |session| session.insert("k", 2)).unwrap().1.unwrap();
    let new = other_key(&rotated, &old);
    add("after a routine rotation, the session", rotated.sample(&new, &id, json!({ "k": 2 })));
    let means = json!({ "k": 2, "at": NOW + 65 });
    add("after a routine rotation, the old id", rotated.sample(&old, &old_id, means));
    corpus
}

fn site(first: u64, format: ValueFormat) -> Site {
    let mut config = SessionConfig::default();
    config.value_format = format;
    Site::drawing_from(first, |builder| builder.config(config))
}

fn only_key(site: &Site) -> StoreKey {
    let records = site.shelf.records.lock().unwrap();
    assert_eq!(records.len(), 1);
    *records.keys().next().unwrap()
}

fn other_key(site: &Site, key: &StoreKey) -> StoreKey {
    *site.shelf.records.lock().unwrap().keys().find(|other| *other != key).unwrap()
}

#[test]
fn records_are_written_as_before() {
    let made = made();
    for (name, sample) in &made {
        assert_eq!(u32::from(session_golden::bytes(&sample.written)[0]), FORMAT, "{name}");
    }
    session_golden::compare("record", FORMAT, &made);
}

#[test]
fn records_of_every_format_are_read() {
    for corpus in session_golden::all::<Sample>("record") {
        for (name, sample) in &corpus {
            let site = with_all(&corpus);
            let at = sample.means["at"].as_u64().unwrap_or(NOW + 61);
            site.clock.advance(Duration::from_secs(at - NOW));
            site.send(sample.id.as_deref(), |session| {
                means(session, &sample.means);
                Ok(())
            })
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        }
    }
}

#[test]
fn a_record_that_is_read_can_be_written_on() {
    for corpus in session_golden::all::<Sample>("record") {
        for (name, sample) in corpus.iter().filter(|(_, sample)| sample.means["k"] == 1) {
            let site = with_all(&corpus);
            site.clock.advance(Duration::from_secs(61));
            site.send(sample.id.as_deref(), |session| session.update::<i32>("k", |k| *k += 41)).unwrap();
            let found = site.send(sample.id.as_deref(), |session| session.get::<i32>("k")).unwrap().0;
            assert_eq!(found, Some(42), "{name}");
        }
    }
}

/// A newer format is an error that says so, whatever is asked for, and the record stays as it is, so that going back to an
/// older version signs nobody out.
#[test]
fn a_record_of_a_newer_format_is_an_error_and_stays() {
    // Shows: A37
    for (name, sample) in session_golden::all::<Sample>("record").pop().unwrap() {
        for first in [u8::try_from(FORMAT).unwrap() + 1, 0xff] {
            let site = Site::new(|builder| builder);
            let mut newer = entry(&sample);
            newer.bytes = [&[first], &newer.bytes[1..]].concat().into();
            site.shelf.put(key(&sample), newer.clone());
            let handlers: [Handler; 3] = [
                |session| session.insert("k", 2),
                |session| session.authenticate("eve"),
                |session| session.destroy(),
            ];
            for handler in handlers {
                let error = site.send(sample.id.as_deref(), handler).unwrap_err();
                assert!(
                    matches!(&error, SessionError::Store(error) if error.kind() == StoreErrorKind::Corrupt),
                    "{name}: {error}"
                );
                assert_eq!(site.shelf.entry(&key(&sample)), Some(newer.clone()), "{name}");
            }
        }
    }
}

/// All records of a corpus, at once: those of replaced ids lead to others.
fn with_all(corpus: &Corpus) -> Site {
    let site = Site::new(|builder| builder);
    for sample in corpus.values() {
        site.shelf.put(key(sample), entry(sample));
    }
    site
}

fn means(session: &Session, means: &Value) {
    for (what, expected) in means.as_object().unwrap() {
        let found = match what.as_str() {
            "values" => {
                check_values(session).unwrap();
                continue;
            }
            "k" => json!(session.get::<i32>("k").unwrap()),
            "shop k" => json!(session.namespace("shop").unwrap().get::<i32>("k").unwrap()),
            "flashes" => json!(session.take_flashes().unwrap()),
            "created" => json!(session.created().duration_since(UNIX_EPOCH).unwrap().as_secs()),
            "principal" => json!(session.principal()),
            "status" => json!(session.status().as_str()),
            _ => continue,
        };
        assert_eq!(found, *expected, "{what}");
    }
}

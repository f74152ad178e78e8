//! Signed ids, and sessions that travel in the cookie itself.
#![cfg(feature = "encrypted")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::{sync::Arc, sync::atomic::Ordering, time::Duration};

use session_core::{
    Expiry, Limit, SessionError, SessionManager, Status,
    persist::{Cookie, CookieOptions, KeyRing, SealedCookie, SecretKey},
};
use support::{MapStore, clock, cookie, get, send, with};

fn key() -> SecretKey {
    SecretKey::generate().unwrap()
}

fn ring(keys: &[&SecretKey]) -> KeyRing {
    KeyRing::from_keys(keys.iter().map(|key| (*key).clone())).unwrap()
}

type Make = fn(CookieOptions, KeyRing) -> SealedCookie;

const BOTH: [Make; 2] = [
    |options, ring| SealedCookie::signed(options, ring).unwrap(),
    |options, ring| SealedCookie::encrypted(options, ring).unwrap(),
];

fn sealed(make: Make, keys: &[&SecretKey]) -> SessionManager {
    SessionManager::without_store().persistence(make(CookieOptions::default(), ring(keys))).build().unwrap()
}

fn visits(manager: &SessionManager, cookie_pair: &str) -> (Option<String>, Status, u32) {
    let request = with(get("/"), "cookie", cookie_pair);
    let (response, answer) = send(manager, &request, |session| {
        Ok((session.status(), session.update("n", |n: &mut u32| *n += 1)?))
    });
    let (status, n) = answer.unwrap().unwrap();
    (cookie(&response), status, n)
}

#[test]
fn a_sealed_session_comes_back_without_a_store() {
    for make in BOTH {
        let manager = sealed(make, &[&key()]);
        let (first, status, n) = visits(&manager, "a=b");
        assert_eq!((status, n), (Status::New, 1));
        let (second, status, n) = visits(&manager, &first.unwrap());
        assert_eq!((status, n), (Status::Active, 2));
        assert_eq!(visits(&manager, &second.unwrap()).2, 3);
    }
}

#[test]
fn reading_a_sealed_session_sends_nothing() {
    for make in BOTH {
        let manager = sealed(make, &[&key()]);
        let first = visits(&manager, "").0.unwrap();
        let (response, _) =
            send(&manager, &with(get("/"), "cookie", &first), |session| session.get::<u32>("n"));
        assert_eq!(cookie(&response), None);
        assert!(response.headers().contains_key("vary"));
    }
}

#[test]
fn every_flipped_bit_is_refused() {
    // Shows: A23, A28
    for make in BOTH {
        let manager = sealed(make, &[&key()]);
        let pair = visits(&manager, "").0.unwrap();
        let (name, value) = pair.split_once('=').unwrap();
        let bytes = data_encoding::BASE64URL_NOPAD.decode(value.as_bytes()).unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let forged = format!("{name}={}", data_encoding::BASE64URL_NOPAD.encode(&flipped));
            assert_eq!(visits(&manager, &forged).1, Status::New, "bit {bit}");
        }
    }
}

#[test]
fn a_cookie_of_another_name_realm_purpose_or_key_is_refused() {
    // Shows: A26
    let secret = key();
    for (make, other) in [(BOTH[0], BOTH[1]), (BOTH[1], BOTH[0])] {
        let pair = visits(&sealed(make, &[&secret]), "").0.unwrap();
        let value = pair.split_once('=').unwrap().1;
        let elsewhere = [
            (sealed(make, &[&key()]), pair.clone()),
            (sealed(other, &[&secret]), pair.clone()),
            (
                SessionManager::without_store()
                    .realm("other")
                    .persistence(make(CookieOptions::default(), ring(&[&secret])))
                    .build()
                    .unwrap(),
                pair.clone(),
            ),
            (
                SessionManager::without_store()
                    .persistence(make(CookieOptions::default().with_name("__Host-other"), ring(&[&secret])))
                    .build()
                    .unwrap(),
                format!("__Host-other={value}"),
            ),
        ];
        for (manager, pair) in elsewhere {
            assert_eq!(visits(&manager, &pair).1, Status::New);
        }
    }
}

#[test]
fn an_old_key_is_accepted_made_anew_and_then_removed() {
    // Shows: A27
    for make in BOTH {
        let (old, new) = (key(), key());
        let pair = visits(&sealed(make, &[&old]), "").0.unwrap();
        let rotated = sealed(make, &[&new, &old]);
        let (response, answer) =
            send(&rotated, &with(get("/"), "cookie", &pair), |session| session.get::<u32>("n"));
        assert_eq!(answer.unwrap().unwrap(), Some(1));
        let anew = cookie(&response).expect("sent again under the new key");
        let without_old = sealed(make, &[&new]);
        assert_eq!(visits(&without_old, &anew).1, Status::Active);
        assert_eq!(visits(&without_old, &pair).1, Status::New);
    }
}

#[test]
fn a_value_that_does_not_fit_is_refused_at_insertion_with_its_sizes() {
    // Shows: A13
    for make in BOTH {
        let manager = sealed(make, &[&key()]);
        let (response, answer) =
            send(&manager, &get("/"), |session| session.insert("big", "x".repeat(4_000)));
        match answer.unwrap() {
            Err(SessionError::LimitExceeded { limit: Limit::RecordBytes, actual, allowed }) => {
                assert!(actual > 4_000 && allowed < 3_072, "{actual} {allowed}");
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(cookie(&response), None);
        let (response, answer) =
            send(&manager, &get("/"), |session| session.insert("fits", "x".repeat(2_800)));
        answer.unwrap().unwrap();
        assert!(cookie(&response).unwrap().len() <= 4_096);
    }
}

#[test]
fn the_largest_sealed_record_fits_a_browsers_limit_exactly() {
    // Shows: A13
    // Four names, because three bytes become four characters.
    for (make, name) in
        BOTH.into_iter().zip(["__Host-id", "__Host-sid"]).chain(BOTH.into_iter().zip(["__Host-s", "s"]))
    {
        let options = if name == "s" {
            CookieOptions::plain_http_for_development().with_name(name)
        } else {
            CookieOptions::default().with_name(name)
        };
        let strategy = make(options, ring(&[&key()]));
        let manager = SessionManager::without_store().persistence(strategy).build().unwrap();
        let mut largest = 0;
        for size in 2_800..3_100 {
            let (response, answer) =
                send(&manager, &get("/"), |session| session.insert("k", "x".repeat(size)));
            if answer.unwrap().is_ok() {
                largest = cookie(&response).unwrap().len();
                assert!(largest <= 4_096, "{name}: {largest}");
            }
        }
        assert!(largest >= 4_092, "{name}: {largest}");
    }
}

#[test]
fn a_sealed_cookie_is_all_that_is_looked_at() {
    for make in BOTH {
        assert_eq!(sealed(make, &[&key()]).request_fields(), Some(&[http::header::COOKIE][..]));
    }
}

#[test]
fn keys_come_as_a_list_or_as_one_text() {
    use serde::{
        Deserialize,
        de::{
            IntoDeserializer,
            value::{Error, SeqDeserializer},
        },
    };
    use session_core::persist::SecretKeys;

    let (one, other) = (key(), key());
    let texts = [one.expose_secret(), other.expose_secret()];
    let both = SecretKeys::new([one, other]);
    let list = SeqDeserializer::<_, Error>::new(texts.clone().into_iter());
    assert_eq!(SecretKeys::deserialize(list).unwrap(), both);
    let text = IntoDeserializer::<Error>::into_deserializer(texts.join(","));
    assert_eq!(SecretKeys::deserialize(text).unwrap(), both);
    let number = IntoDeserializer::<Error>::into_deserializer(7_u8);
    let error = SecretKeys::deserialize(number).unwrap_err().to_string();
    assert!(error.contains("a list of keys"), "{error}");
}

#[test]
fn a_sealed_session_expires_by_the_times_inside_it() {
    // Shows: A25
    for make in BOTH {
        let clock = clock();
        let manager = SessionManager::without_store()
            .persistence(make(CookieOptions::default(), ring(&[&key()])))
            .expiry(Expiry { idle: Some(Duration::from_secs(100)), absolute: Some(Duration::from_secs(250)) })
            .clock(clock.clone())
            .build()
            .unwrap();
        let mut pair = visits(&manager, "").0.unwrap();
        for _ in 0..2 {
            clock.advance(Duration::from_secs(90));
            let (next, status, _) = visits(&manager, &pair);
            assert_eq!(status, Status::Active);
            pair = next.unwrap();
        }
        clock.advance(Duration::from_secs(90));
        assert_eq!(visits(&manager, &pair).1, Status::Expired, "the absolute timeout is never extended");
    }
}

#[test]
fn ending_a_sealed_session_removes_the_cookie() {
    let manager = sealed(BOTH[1], &[&key()]);
    let pair = visits(&manager, "").0.unwrap();
    let (response, _) = send(&manager, &with(get("/"), "cookie", &pair), |session| session.destroy());
    assert_eq!(cookie(&response).as_deref(), Some("__Host-id="));
}

#[test]
fn an_encrypted_session_shows_nothing_and_never_looks_the_same_twice() {
    // Shows: A24
    let manager = sealed(BOTH[1], &[&key()]);
    let values: Vec<_> = (0..2)
        .map(|_| {
            let (response, _) = send(&manager, &get("/"), |session| session.insert("name", "visible"));
            let pair = cookie(&response).unwrap();
            data_encoding::BASE64URL_NOPAD.decode(pair.split_once('=').unwrap().1.as_bytes()).unwrap()
        })
        .collect();
    assert_ne!(values[0], values[1]);
    assert!(!values[0].windows(7).any(|window| window == b"visible"));
}

#[test]
fn sealed_strategies_and_stores_exclude_each_other() {
    let cookie = || BOTH[0](CookieOptions::default(), ring(&[&key()]));
    let error = SessionManager::builder(MapStore::default()).persistence(cookie()).build().unwrap_err();
    assert_eq!(error.field(), "store");
    let error = SessionManager::without_store().build().unwrap_err();
    assert_eq!(error.field(), "persist");
}

#[test]
fn a_forged_signed_id_is_refused_without_asking_the_store() {
    // Shows: A41
    let store = Arc::new(MapStore::default());
    let secret = key();
    let manager = |keys: &[&SecretKey]| {
        SessionManager::builder(store.clone())
            .persistence(Cookie::signed(CookieOptions::default(), ring(keys)).unwrap())
            .build()
            .unwrap()
    };
    let signed = manager(&[&secret]);
    let pair = visits(&signed, "").0.unwrap();
    assert_eq!(visits(&signed, &pair).1, Status::Active);
    let calls = store.calls.load(Ordering::Relaxed);
    let (id, tag) = pair.split_once('.').unwrap();
    for forged in [
        id.to_owned(),
        format!("{id}."),
        format!("{id}.{}", "A".repeat(24)),
        format!("{id}.{tag}A"),
        format!("{}.{tag}", "__Host-id=".to_owned() + &"a".repeat(32)),
    ] {
        let (_, answer) = send(&signed, &with(get("/"), "cookie", &forged), |session| Ok(session.status()));
        assert_eq!(answer.unwrap().unwrap(), Status::New, "{forged}");
    }
    assert_eq!(store.calls.load(Ordering::Relaxed), calls);

    let new = key();
    let rotated = manager(&[&new, &secret]);
    let (response, answer) =
        send(&rotated, &with(get("/"), "cookie", &pair), |session| session.get::<u32>("n"));
    assert_eq!(answer.unwrap().unwrap(), Some(2));
    let anew = cookie(&response).expect("signed again with the new key");
    assert_eq!(visits(&manager(&[&new]), &anew).1, Status::Active);
    assert_eq!(visits(&manager(&[&new]), &pair).1, Status::New);
}

#[test]
fn several_sealed_sessions_are_as_good_as_none_and_reported() {
    // Shows: A9
    for make in BOTH {
        let manager = sealed(make, &[&key()]);
        let [one, other] = [(); 2].map(|()| visits(&manager, "").0.unwrap());
        let both = format!("{one}; {other}");
        assert_eq!(visits(&manager, &both).1, Status::Unknown);
        let flood = format!("{}{one}", "__Host-id=x; ".repeat(4));
        assert_eq!(visits(&manager, &flood).1, Status::Unknown);
        assert_eq!(manager.stats().ambiguous_id, 2);
        assert_eq!(visits(&manager, &format!("{one}; {one}")).1, Status::Active);
    }
}

#[test]
fn an_oversized_cookie_does_not_hide_the_right_one() {
    for make in BOTH {
        let manager = sealed(make, &[&key()]);
        let pair = visits(&manager, "").0.unwrap();
        let planted = format!("__Host-id={}; {pair}", "A".repeat(5_000));
        assert_eq!(visits(&manager, &planted).1, Status::Active);
    }
}

#[test]
fn the_life_of_a_sealed_session_is_reported() {
    let clock = clock();
    let manager = SessionManager::without_store()
        .persistence(BOTH[1](CookieOptions::default(), ring(&[&key()])))
        .clock(clock.clone())
        .build()
        .unwrap();
    let pair = visits(&manager, "").0.unwrap();
    let request = with(get("/"), "cookie", &pair);
    send(&manager, &request, |session| session.authenticate("ann")).1.unwrap().unwrap();
    clock.advance(Duration::from_secs(600));
    send(&manager, &request, |session| session.get::<u32>("n")).1.unwrap().unwrap();
    send(&manager, &request, |session| session.destroy()).1.unwrap().unwrap();
    let stats = manager.stats();
    assert_eq!([stats.created, stats.authenticated, stats.touched, stats.ended], [1; 4]);
}

/// 10,000 cookies of each kind, no two alike, of 40 to 200 bytes inside. In each of them one bit in 512 is flipped, one
/// after the other, beginning at the next bit in the next cookie: so each cookie has a bit flipped, and each bit is
/// flipped in about twenty cookies. With `SESSION_CONFORMANCE_SCALE` of 512 or more every bit of every cookie is.
#[test]
fn flipped_bits_of_ten_thousand_cookies_are_refused() {
    // Shows: A28
    use data_encoding::BASE64URL_NOPAD;
    use session_core::{OsRandom, RequestHead, persist::Persistence, persist::Presented};

    const STRIDE: usize = 512;
    let scale = std::env::var("SESSION_CONFORMANCE_SCALE").ok().and_then(|scale| scale.parse().ok());
    let stride = (STRIDE / scale.unwrap_or(1).max(1)).max(1);
    for make in BOTH {
        let strategy = make(CookieOptions::default(), ring(&[&key()]));
        let present = |sealed: &[u8]| {
            let request = with(get("/"), "cookie", &format!("__Host-id={}", BASE64URL_NOPAD.encode(sealed)));
            strategy.present(&RequestHead::from(&request))
        };
        for number in 0..10_000_usize {
            let record: Vec<u8> = (0..40 + number % 161).map(|at| (number * 31 + at * 7) as u8).collect();
            let sealed = BASE64URL_NOPAD.decode(&strategy.seal(&record, &OsRandom).unwrap()).unwrap();
            match present(&sealed) {
                Presented::State { record: opened, outdated: false } => assert_eq!(opened, record),
                other => panic!("{other:?}"),
            }
            for bit in (number % stride..sealed.len() * 8).step_by(stride) {
                let mut flipped = sealed.clone();
                flipped[bit / 8] ^= 1 << (bit % 8);
                assert!(matches!(present(&flipped), Presented::Nothing), "cookie {number}, bit {bit}");
            }
        }
    }
}

/// 20,000 seals of one key; with `SESSION_CONFORMANCE_SCALE` of 5,000, 100 million. Compared are the first 64 of the 192 bits,
/// of which two are alike by chance once in 3,700 long runs.
#[test]
fn no_nonce_comes_twice() {
    // Shows: A24
    use data_encoding::BASE64URL_NOPAD;
    use session_core::{OsRandom, persist::Persistence};

    let scale = std::env::var("SESSION_CONFORMANCE_SCALE").ok().and_then(|scale| scale.parse().ok());
    let number = 20_000 * scale.unwrap_or(1_usize).max(1);
    let strategy = BOTH[1](CookieOptions::default(), ring(&[&key()]));
    let mut beginnings: Vec<u64> = (0..number)
        .map(|_| {
            let sealed = BASE64URL_NOPAD.decode(&strategy.seal(b"", &OsRandom).unwrap()).unwrap();
            u64::from_le_bytes(*sealed.first_chunk().unwrap())
        })
        .collect();
    beginnings.sort_unstable();
    let twice = beginnings.windows(2).filter(|pair| pair[0] == pair[1]).count();
    assert_eq!(twice, 0, "of {number} nonces {twice} are there twice");
}

#[test]
fn keys_that_are_missing_empty_short_or_doubled_are_refused() {
    // Shows: A27
    use session_core::SessionConfig;

    let good = key().expose_secret();
    let short = data_encoding::BASE64URL_NOPAD.encode(&[7; 31]);
    for persist in ["signed-cookie", "sealed-signed", "sealed-encrypted"] {
        let persist = ("s.persist", persist);
        for keys in ["", " ", ",", "secret", &short, &format!("{good},"), &format!(",{good}")] {
            let error = SessionConfig::from_pairs("s.", [persist, ("s.keys", keys)]).unwrap_err();
            assert_eq!(error.field(), "s.keys", "{keys:?}");
            assert!(!error.to_string().contains(&good), "an error shows a key");
        }
        for pairs in [vec![persist], vec![persist, ("s.keys", &*format!("{good},{good}"))]] {
            let config = SessionConfig::from_pairs("s.", pairs).unwrap();
            let builder = match persist.1 {
                "signed-cookie" => SessionManager::builder(MapStore::default()),
                _ => SessionManager::without_store(),
            };
            assert_eq!(builder.config(config).build().unwrap_err().field(), "keys");
        }
    }
}

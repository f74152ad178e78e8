//! Keys leave nothing on the heap once they are dropped.
//!
//! Registers and stacks are left out: no library can wipe those. The only test of its program, so that no other holds keys.
#![cfg(all(feature = "encrypted", target_os = "linux"))]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::{
    fs::{self, File},
    hint::black_box,
    os::unix::fs::FileExt,
};

use session_core::{
    SessionConfig, SessionManager,
    persist::{Cookie, CookieOptions, KeyRing, SealedCookie, SecretKey},
};
use support::{MapStore, cookie, get, send, with};
use zeroize::Zeroizing;

/// What is looked for, in another form: the test must not be what it finds.
struct Hidden(Vec<u8>);

const MASK: u8 = 0xa5;

impl Hidden {
    /// Its end: an allocator writes over the beginning of what it takes back.
    fn new(mut bytes: Vec<u8>) -> Self {
        bytes.iter_mut().for_each(|byte| *byte ^= MASK);
        Self(bytes.split_off(bytes.len() / 2))
    }

    fn is_at(&self, window: &[u8]) -> bool {
        window.iter().zip(&self.0).all(|(byte, masked)| byte ^ MASK == *masked)
    }

    /// How often it is in memory that is written to, apart from stacks.
    fn found(&self) -> usize {
        const CHUNK: usize = 1 << 16;
        let here = std::ptr::from_ref(&self).addr();
        let memory = File::open("/proc/self/mem").unwrap();
        let mut chunk = vec![0; CHUNK + self.0.len()];
        let mut found = 0;
        for line in fs::read_to_string("/proc/self/maps").unwrap().lines() {
            let mut words = line.split_whitespace();
            let (start, end) = words.next().unwrap().split_once('-').unwrap();
            let [start, end] = [start, end].map(|number| usize::from_str_radix(number, 16).unwrap());
            let is_stack = line.ends_with("[stack]") || (start..end).contains(&here);
            if is_stack || !words.next().unwrap().starts_with("rw") {
                continue;
            }
            for at in (start..end).step_by(CHUNK) {
                let length = chunk.len().min(end - at);
                // Some mappings cannot be read, and a heap may shrink meanwhile.
                if memory.read_exact_at(&mut chunk[..length], at as u64).is_err() {
                    continue;
                }
                let windows = chunk[..length].windows(self.0.len());
                found += windows.filter(|window| self.is_at(window)).count();
                // Or the next look would find it here.
                chunk.fill(0);
                black_box(&chunk);
            }
        }
        found
    }
}

fn visit(manager: &SessionManager) {
    let (response, _) = send(manager, &get("/"), |session| session.insert("k", 1));
    let request = with(get("/"), "cookie", &cookie(&response).unwrap());
    let (_, found) = send(manager, &request, |session| session.get::<i32>("k"));
    assert_eq!(found.unwrap().unwrap(), Some(1));
}

#[test]
fn nothing_is_left_of_a_key() {
    // Shows: A29
    let key = SecretKey::generate().unwrap();
    let text = Hidden::new(key.expose_secret().into_bytes());
    let bytes = {
        let text = Zeroizing::new(key.expose_secret());
        Hidden::new(data_encoding::BASE64URL_NOPAD.decode(text.as_bytes()).unwrap())
    };
    let ring = KeyRing::from_keys([key.clone(), SecretKey::generate().unwrap()]).unwrap();
    let config = {
        let text = Zeroizing::new(key.expose_secret());
        let pairs = [("s.persist", "sealed-encrypted"), ("s.keys", &**text)];
        SessionConfig::from_pairs("s.", pairs).unwrap()
    };
    let options = CookieOptions::default;
    let managers = [
        SessionManager::without_store().config(config).build().unwrap(),
        SessionManager::without_store()
            .persistence(SealedCookie::signed(options(), ring.clone()).unwrap())
            .build()
            .unwrap(),
        SessionManager::builder(MapStore::default())
            .persistence(Cookie::signed(options(), ring).unwrap())
            .build()
            .unwrap(),
    ];
    managers.iter().for_each(visit);
    assert!(bytes.found() >= 4, "a key in use is not found, so this test could not find one that is left");
    drop((key, managers));
    assert_eq!((bytes.found(), text.found()), (0, 0), "a key is left, as bytes or as text");
}

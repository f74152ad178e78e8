//! Ids as clients get them: none twice, and no bit of them leans to one side.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use async_trait::async_trait;
use session_core::{
    Entry, Expect, Removed, SessionManager, Store, StoreError, StoreKey, Stored, Version, Written,
};
use support::{cookie, get, send};

/// Takes everything and keeps nothing: this is about ids, of which there may be ten million.
#[derive(Debug)]
struct Nowhere;

#[async_trait]
impl Store for Nowhere {
    async fn load(&self, _: &StoreKey) -> Result<Option<Stored>, StoreError> {
        Ok(None)
    }

    async fn write(&self, _: &StoreKey, _: Entry, _: Expect) -> Result<Written, StoreError> {
        Ok(Written::Stored(Version::new(1)))
    }

    async fn remove(&self, _: &StoreKey, _: Option<Version>) -> Result<Removed, StoreError> {
        Ok(Removed::Gone)
    }
}

/// 10,000 ids; ten million with `SESSION_CONFORMANCE_SCALE=1000`. Seven standard deviations, because this must not fail by
/// chance once in the life of the project: for 192 bits and 2,048 characters that is one run in a hundred million.
#[test]
fn no_id_comes_twice_and_no_bit_is_biased() {
    // Shows: A4
    let scale = std::env::var("SESSION_CONFORMANCE_SCALE").ok().and_then(|scale| scale.parse().ok());
    let number = 10_000 * scale.unwrap_or(1).max(1);
    let manager = SessionManager::builder(Nowhere).build().unwrap();
    let mut starts = Vec::with_capacity(number);
    let mut ones = [0_u32; 192];
    let mut characters = [[0_u32; 128]; 32];
    for _ in 0..number {
        let (response, _) = send(&manager, &get("/"), |session| session.insert("k", 1));
        let pair = cookie(&response).unwrap();
        let id = pair.strip_prefix("__Host-id=").unwrap();
        let bytes = data_encoding::BASE64URL_NOPAD.decode(id.as_bytes()).unwrap();
        let bytes: [u8; 24] = bytes.try_into().unwrap();
        starts.push(u128::from_le_bytes(*bytes.first_chunk().unwrap()));
        for (bit, ones) in ones.iter_mut().enumerate() {
            *ones += u32::from(bytes[bit / 8] >> (bit % 8) & 1);
        }
        for (character, counts) in id.bytes().zip(&mut characters) {
            counts[usize::from(character)] += 1;
        }
    }
    println!("FIGURE ids: {number}");
    let number = number as f64;
    let is_even = |count: u32, probability: f64| {
        let deviation = (number * probability * (1.0 - probability)).sqrt();
        (f64::from(count) - number * probability).abs() < 7.0 * deviation
    };
    for (bit, count) in ones.into_iter().enumerate() {
        assert!(is_even(count, 0.5), "bit {bit} is set in {count} of {number} ids");
    }
    for (position, counts) in characters.iter().enumerate() {
        let used: Vec<u32> = counts.iter().copied().filter(|count| *count > 0).collect();
        assert_eq!(used.len(), 64, "character {position}");
        assert!(used.iter().all(|count| is_even(*count, 1.0 / 64.0)), "character {position}: {used:?}");
    }
    starts.sort_unstable();
    assert!(starts.windows(2).all(|pair| pair[0] != pair[1]), "two ids begin with the same 16 bytes");
}

//! Keys, principals and bytes to test with: the same in every run, and different in every bit that may matter. The cases
//! use them, and so may tests and measurements of a store's own.

use session_core::{PrincipalKey, StoreKey};

/// The `number`th of many keys that look like digests.
#[must_use]
pub fn key(number: u64) -> StoreKey {
    StoreKey::from_bytes(digest(number))
}

/// The `number`th of many principals that look like digests.
#[must_use]
pub fn principal(number: u64) -> PrincipalKey {
    PrincipalKey::from_bytes(digest(!number))
}

/// The keys `0..count`.
#[must_use]
pub fn keys(count: u64) -> Vec<StoreKey> {
    (0..count).map(key).collect()
}

/// `length` bytes that differ for every `seed` and do not repeat.
#[must_use]
pub fn pattern(length: usize, seed: u64) -> Vec<u8> {
    let mut random = Random::new(seed);
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        bytes.extend_from_slice(&random.next().to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

/// A number that looks like chance, another one for every `seed`.
#[must_use]
pub fn mix(seed: u64) -> u64 {
    Random::new(seed).next()
}

/// SplitMix64 (Steele, Lea, Flood 2014): small, seeded, good enough to choose with.
#[derive(Debug)]
pub struct Random(u64);

impl Random {
    /// The numbers that this seed gives.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    #[expect(clippy::should_implement_trait, reason = "it never ends, and nobody iterates over it")]
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`, which is not zero.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

fn digest(number: u64) -> [u8; 32] {
    let mut random = Random::new(number.wrapping_mul(0x2545_F491_4F6C_DD1D));
    let mut digest = [0; 32];
    for word in digest.chunks_exact_mut(8) {
        word.copy_from_slice(&random.next().to_le_bytes());
    }
    digest
}

/// What random sequences follow from: `SESSION_CONFORMANCE_SEED`, or always the same.
pub(crate) fn seed() -> u64 {
    std::env::var("SESSION_CONFORMANCE_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(2_107)
}

/// Tells a long run, in the words that `cargo xtask endurance` reads, how far it got.
pub(crate) fn figure(name: &str, number: u64) {
    if std::env::var_os("SESSION_CONFORMANCE_SCALE").is_some() {
        println!("FIGURE {name}: {number}");
    }
}

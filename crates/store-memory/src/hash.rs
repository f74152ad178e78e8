//! The hash of a digest.

use std::{collections::hash_map::RandomState, hash::BuildHasher};

/// Hashes digests of 32 bytes: two xors and one multiplication, keyed per store.
///
/// SHA-256 already spread the bytes evenly, so a second strong hash buys nothing. Taking the bytes as they are would
/// not do either: names of principals, and ids that the application supplies, can be chosen by outsiders, who could
/// search offline for digests that share the few bits a table looks at. The random key takes that away for about a
/// nanosecond.
#[derive(Clone, Copy)]
pub(crate) struct KeyHash {
    seeds: [u64; 2],
}

impl KeyHash {
    pub(crate) fn random() -> Self {
        let state = RandomState::new();
        Self { seeds: [state.hash_one(0_u8), state.hash_one(1_u8)] }
    }

    /// The bytes that choose a shard take no part: within one shard they are all alike.
    pub(crate) fn of(self, digest: &[u8; 32]) -> u64 {
        let product =
            u128::from(word(digest, 8) ^ self.seeds[0]) * u128::from(word(digest, 16) ^ self.seeds[1]);
        (product >> 64) as u64 ^ product as u64
    }
}

fn word(digest: &[u8; 32], at: usize) -> u64 {
    digest[at..at + 8].iter().fold(0, |word, byte| word << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_that_differ_in_one_bit_rarely_share_a_hash() {
        // Shows: A21
        let hash = KeyHash::random();
        let digest = [7; 32];
        let same = (64..192).filter(|bit| {
            let mut other = digest;
            other[bit / 8] ^= 1 << (bit % 8);
            hash.of(&other) == hash.of(&digest)
        });
        assert_eq!(same.count(), 0);
    }

    #[test]
    fn two_stores_hash_differently() {
        // Shows: A21
        let (one, two) = (KeyHash::random(), KeyHash::random());
        let same = (0..64).filter(|byte| one.of(&[*byte; 32]) == two.of(&[*byte; 32]));
        assert_eq!(same.count(), 0);
    }
}

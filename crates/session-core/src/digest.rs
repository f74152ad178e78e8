//! The digests under which stores know sessions and people.
//!
//! A store sees neither an id nor the name of a principal: who reads a store, its file names, its logs or its backups
//! learns nothing that a client could present (OWASP ASVS 5.0 V7.2, CVE-2019-16782).

use std::fmt;

use sha2::{Digest, Sha256, block_api::compress256};

use crate::id::SessionId;

/// The name of a record in a store: SHA-256 of the realm and the session id.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StoreKey([u8; 32]);

/// The name of a principal in a store: SHA-256 of the realm and the principal's name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PrincipalKey([u8; 32]);

macro_rules! digest {
    ($name:ident) => {
        impl $name {
            /// The key with these bytes, as a store kept them.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; 32]) -> Self {
                Self(bytes)
            }

            /// The 32 bytes of the key.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; 32] {
                &self.0
            }

            /// The key as 64 lower-case hexadecimal digits.
            #[must_use]
            pub fn to_hex(&self) -> String {
                data_encoding::HEXLOWER.encode(&self.0)
            }

            /// The key that [`to_hex`](Self::to_hex) spells; `None` for any other text.
            #[must_use]
            pub fn from_hex(text: &str) -> Option<Self> {
                let mut bytes = [0; 32];
                if text.len() != 64 {
                    return None;
                }
                data_encoding::HEXLOWER.decode_mut(text.as_bytes(), &mut bytes).ok()?;
                Some(Self(bytes))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let [a, b, c, d, ..] = self.0;
                write!(f, concat!(stringify!($name), "({:02x}{:02x}{:02x}{:02x}..)"), a, b, c, d)
            }
        }
    };
}

digest!(StoreKey);
digest!(PrincipalKey);

/// Derives the keys of one realm. Two applications in one store use different realms, so the id of one names nothing
/// in the other (CVE-2022-46170).
#[derive(Clone)]
pub(crate) struct Realm {
    drawn: Midstate,
    supplied: Midstate,
    principal: Midstate,
}

impl Realm {
    pub(crate) fn new(name: &str) -> Self {
        Self {
            drawn: Midstate::new("id", name),
            supplied: Midstate::new("supplied id", name),
            principal: Midstate::new("principal", name),
        }
    }

    pub(crate) fn store_key(&self, id: &SessionId) -> StoreKey {
        let midstate = if id.is_supplied() { &self.supplied } else { &self.drawn };
        StoreKey(midstate.finish(id.expose_secret().as_bytes()))
    }

    pub(crate) fn principal_key(&self, name: &str) -> PrincipalKey {
        PrincipalKey(self.principal.finish(name.as_bytes()))
    }
}

/// SHA-256 of `purpose` and `parts`, each part with its length in front so that no two lists of parts collide.
pub(crate) fn hash(purpose: &str, parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for part in [b"session-core".as_slice(), purpose.as_bytes()].iter().chain(parts) {
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    hasher.finalize().into()
}

/// SHA-256 after one block for purpose and realm, so that an id costs one block more. Every request hashes its id, and
/// cloning and finishing a buffering hasher takes as long as the hash itself; so the padding (FIPS 180-4 section 5.1.1)
/// is done here.
#[derive(Clone)]
struct Midstate([u32; 8]);

impl Midstate {
    /// FIPS 180-4 section 5.3.3.
    const INITIAL: [u32; 8] = [
        0x6a09_e667,
        0xbb67_ae85,
        0x3c6e_f372,
        0xa54f_f53a,
        0x510e_527f,
        0x9b05_688c,
        0x1f83_d9ab,
        0x5be0_cd19,
    ];

    fn new(purpose: &str, realm: &str) -> Self {
        let mut state = Self::INITIAL;
        compress256(&mut state, &[Self::first_block(purpose, realm)]);
        Self(state)
    }

    fn first_block(purpose: &str, realm: &str) -> [u8; 64] {
        let mut block = [0; 64];
        block[..32].copy_from_slice(&hash(purpose, &[realm.as_bytes()]));
        block
    }

    fn finish(&self, last_part: &[u8]) -> [u8; 32] {
        let mut state = self.0;
        let (blocks, rest) = last_part.as_chunks::<64>();
        compress256(&mut state, blocks);
        let mut block = [0; 64];
        block[..rest.len()].copy_from_slice(rest);
        block[rest.len()] = 0x80;
        if rest.len() >= 56 {
            compress256(&mut state, &[block]);
            block = [0; 64];
        }
        let bits = 8 * (64 + last_part.len() as u64);
        block[56..].copy_from_slice(&bits.to_be_bytes());
        compress256(&mut state, &[block]);
        let mut digest = [0; 32];
        for (bytes, word) in digest.as_chunks_mut::<4>().0.iter_mut().zip(state) {
            *bytes = word.to_be_bytes();
        }
        digest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_midstate_gives_the_digest_of_the_whole() {
        let midstate = Midstate::new("id", "shop");
        for length in 0..300 {
            let last_part = vec![7; length];
            let whole =
                Sha256::new().chain_update(Midstate::first_block("id", "shop")).chain_update(&last_part);
            assert_eq!(midstate.finish(&last_part), <[u8; 32]>::from(whole.finalize()), "{length}");
        }
    }

    /// Stores are full of these keys: whoever changes how they are made ends every session. Computed by another program.
    #[test]
    fn keys_stay_what_they_are() {
        let realm = Realm::new("shop");
        let drawn = SessionId::parse(&[b'a'; 32]).unwrap();
        let keys = [
            realm.store_key(&drawn).to_hex(),
            realm.store_key(&SessionId::supplied("a")).to_hex(),
            realm.principal_key("ann").to_hex(),
        ];
        assert_eq!(keys, PINNED);
    }

    const PINNED: [&str; 3] = [
        "b183aa3d1eb468a8edc00f64de56c9c1d300ae32e2694f04a95bd7b78682b230",
        "fb25e0273dee14ba63db6d86c8ad48504a676a36880d109778c68af589eb2c41",
        "bc13053df02e15fc4c5ffba1ea5940f4d8d3747188cac779e05f160fc598ecb2",
    ];
}

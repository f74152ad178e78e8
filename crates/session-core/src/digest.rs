//! The digests under which stores know sessions and people.
//!
//! A store sees neither an id nor the name of a principal: who reads a store, its file names, its logs or its backups
//! learns nothing that a client could present (OWASP ASVS 5.0 V7.2, CVE-2019-16782).

use std::fmt;

use sha2::{Digest, Sha256};

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

/// SHA-256 over a purpose and parts, each with its length in front, so that no two lists of parts collide.
#[derive(Clone)]
pub(crate) struct Hasher(Sha256);

impl Hasher {
    pub(crate) fn new(purpose: &str) -> Self {
        let mut hasher = Self(Sha256::new());
        hasher.part(purpose.as_bytes());
        hasher
    }

    pub(crate) fn part(&mut self, part: &[u8]) {
        self.0.update((part.len() as u64).to_le_bytes());
        self.0.update(part);
    }

    pub(crate) fn finish(self) -> [u8; 32] {
        self.0.finalize().into()
    }
}

/// Derives the keys of one realm. Two applications in one store use different realms, so the id of one names nothing
/// in the other (CVE-2022-46170).
#[derive(Clone)]
pub(crate) struct Realm {
    store: Hasher,
    principal: Hasher,
}

impl Realm {
    pub(crate) fn new(name: &str) -> Self {
        let (mut store, mut principal) = (Hasher::new("session-core/id"), Hasher::new("session-core/principal"));
        store.part(name.as_bytes());
        principal.part(name.as_bytes());
        Self { store, principal }
    }

    pub(crate) fn store_key(&self, id: &[u8]) -> StoreKey {
        let mut hasher = self.store.clone();
        hasher.part(id);
        StoreKey(hasher.finish())
    }

    pub(crate) fn principal_key(&self, name: &str) -> PrincipalKey {
        let mut hasher = self.principal.clone();
        hasher.part(name.as_bytes());
        PrincipalKey(hasher.finish())
    }
}

//! The digests under which stores know sessions and people.
//!
//! A store sees neither an id nor the name of a principal: who reads a store, its file names, its logs or its backups
//! learns nothing that a client could present (OWASP ASVS 5.0 V7.2, CVE-2019-16782).

use std::fmt;

use sha2::{Digest, Sha256};

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
    drawn: Sha256,
    supplied: Sha256,
    principal: Sha256,
}

impl Realm {
    pub(crate) fn new(name: &str) -> Self {
        Self {
            drawn: midstate("id", name),
            supplied: midstate("supplied id", name),
            principal: midstate("principal", name),
        }
    }

    pub(crate) fn store_key(&self, id: &SessionId) -> StoreKey {
        let midstate = if id.is_supplied() { &self.supplied } else { &self.drawn };
        StoreKey(finish(midstate, id.expose_secret().as_bytes()))
    }

    pub(crate) fn principal_key(&self, name: &str) -> PrincipalKey {
        PrincipalKey(finish(&self.principal, name.as_bytes()))
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

/// A hasher that has consumed exactly one block for purpose and realm, so that an id costs one block more.
fn midstate(purpose: &str, realm: &str) -> Sha256 {
    let mut block = [0; 64];
    block[..32].copy_from_slice(&hash(purpose, &[realm.as_bytes()]));
    Sha256::new().chain_update(block)
}

fn finish(midstate: &Sha256, last_part: &[u8]) -> [u8; 32] {
    midstate.clone().chain_update(last_part).finalize().into()
}

//! Where everything lies under the root, and the only place that makes a path.
//!
//! ```text
//! <root>/<2 hex>/<62 hex>                              a record, named by its key
//! <root>/<2 hex>/<62 hex>.<16 hex>.tmp                 a record being replaced
//! <root>/by-principal/<2 hex>/<62 hex>/<64 hex>        an empty file: this principal has this key
//! <root>/lock/<2 hex>, <root>/lock/sweep               empty files to lock, never deleted
//! <root>/quarantine/<64 hex>.<16 hex>                  a damaged record
//! ```
//!
//! A path is made of these fixed words and of the hexadecimal digits of digests and random numbers, so that nothing a
//! client sends can name a file (CVE-2020-9484 is what happens otherwise).

use std::{
    ffi::{CStr, OsStr},
    fmt,
    path::Path,
};

use data_encoding::HEXLOWER;
use session_core::{PrincipalKey, StoreKey};

/// A folder of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Root,
    /// The records whose key begins with this byte.
    Shard(u8),
    Locks,
    Quarantine,
    Principals,
    /// The folders of the principals whose key begins with this byte.
    PrincipalShard(u8),
    Principal(PrincipalKey),
}

impl Place {
    /// The folder of the record `key`.
    pub(crate) fn of(key: &StoreKey) -> Self {
        Self::Shard(shard_of(key))
    }

    /// Every folder that exists from the start.
    pub(crate) fn permanent() -> impl Iterator<Item = Self> {
        (0..=u8::MAX).map(Self::Shard).chain([Self::Locks, Self::Quarantine, Self::Principals])
    }

    /// Every folder but the root and those of single principals, children first.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        (0..=u8::MAX).map(Self::PrincipalShard).chain(Self::permanent())
    }

    /// The folder this one lies in and its name there; `None` for the root.
    pub(crate) fn parent(&self) -> Option<(Self, RelPath)> {
        Some(match self {
            Self::Root => return None,
            Self::Shard(byte) => (Self::Root, RelPath::EMPTY.hex(&[*byte])),
            Self::Locks => (Self::Root, RelPath::EMPTY.word(LOCKS)),
            Self::Quarantine => (Self::Root, RelPath::EMPTY.word(QUARANTINE)),
            Self::Principals => (Self::Root, RelPath::EMPTY.word(PRINCIPALS)),
            Self::PrincipalShard(byte) => (Self::Principals, RelPath::EMPTY.hex(&[*byte])),
            Self::Principal(principal) => {
                let [first, rest @ ..] = principal.as_bytes();
                (Self::PrincipalShard(*first), RelPath::EMPTY.hex(rest))
            }
        })
    }

    /// The folder relative to the root.
    pub(crate) fn path(&self) -> RelPath {
        match self.parent() {
            None => RelPath::EMPTY.word("."),
            Some((Self::Root, name)) => name,
            Some((parent, name)) => parent.join(&name),
        }
    }

    /// A name in this folder, relative to the root.
    pub(crate) fn join(&self, name: &RelPath) -> RelPath {
        match self {
            Self::Root => *name,
            _ => self.path().word("/").word(name.as_str()),
        }
    }
}

/// The first byte of the key: the folder of the record and the lock of its changes.
pub(crate) fn shard_of(key: &StoreKey) -> u8 {
    key.as_bytes()[0]
}

/// The name of a record in its folder.
pub(crate) fn record_name(key: &StoreKey) -> RelPath {
    let [_, rest @ ..] = key.as_bytes();
    RelPath::EMPTY.hex(rest)
}

/// A record relative to the root.
pub(crate) fn record_path(key: &StoreKey) -> RelPath {
    let [first, rest @ ..] = key.as_bytes();
    RelPath::EMPTY.hex(&[*first]).word("/").hex(rest)
}

/// The name of a record that is being written, next to the record.
pub(crate) fn temporary_name(key: &StoreKey, nonce: u64) -> RelPath {
    record_name(key).word(".").hex(&nonce.to_be_bytes()).word(TEMPORARY)
}

/// The name of a damaged record in the quarantine.
pub(crate) fn quarantine_name(key: &StoreKey, nonce: u64) -> RelPath {
    RelPath::EMPTY.hex(key.as_bytes()).word(".").hex(&nonce.to_be_bytes())
}

/// The name of the file that says that a principal has `key`.
pub(crate) fn marker_name(key: &StoreKey) -> RelPath {
    RelPath::EMPTY.hex(key.as_bytes())
}

/// The name of the lock of a shard.
pub(crate) fn lock_name(shard: u8) -> RelPath {
    RelPath::EMPTY.hex(&[shard])
}

/// The name of the lock that the one process that sweeps holds.
pub(crate) fn sweep_lock_name() -> RelPath {
    RelPath::EMPTY.word("sweep")
}

/// The names of all locks.
pub(crate) fn lock_names() -> impl Iterator<Item = RelPath> {
    (0..=u8::MAX).map(lock_name).chain([sweep_lock_name()])
}

/// What a name found in the folder of a shard is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ShardEntry {
    Record(StoreKey),
    Temporary(RelPath),
    Foreign,
}

impl ShardEntry {
    pub(crate) fn parse(shard: u8, name: &[u8]) -> Self {
        if let Some(key) = join(shard, name) {
            return Self::Record(StoreKey::from_bytes(key));
        }
        let temporary = || {
            let (record, rest) = name.split_at_checked(62)?;
            let nonce: [u8; 8] = decode(rest.strip_prefix(b".")?.strip_suffix(TEMPORARY.as_bytes())?)?;
            Some(temporary_name(&StoreKey::from_bytes(join(shard, record)?), u64::from_be_bytes(nonce)))
        };
        temporary().map_or(Self::Foreign, Self::Temporary)
    }
}

/// The principal whose folder has this name.
pub(crate) fn parse_principal(shard: u8, name: &[u8]) -> Option<PrincipalKey> {
    join(shard, name).map(PrincipalKey::from_bytes)
}

/// The key that a marker of this name stands for.
pub(crate) fn parse_marker(name: &[u8]) -> Option<StoreKey> {
    decode(name).map(StoreKey::from_bytes)
}

/// Whether a file of this name in the quarantine is the store's own; if so, its name.
pub(crate) fn parse_quarantined(name: &[u8]) -> Option<RelPath> {
    let (key, rest) = name.split_at_checked(64)?;
    let nonce: [u8; 8] = decode(rest.strip_prefix(b".")?)?;
    Some(quarantine_name(&StoreKey::from_bytes(decode(key)?), u64::from_be_bytes(nonce)))
}

/// A path below the root, at most three names long, kept on the stack with its terminating zero.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct RelPath {
    bytes: [u8; Self::CAPACITY],
    len: usize,
}

impl RelPath {
    /// More than the longest path: a marker has 143 characters.
    const CAPACITY: usize = 160;
    const EMPTY: Self = Self { bytes: [0; Self::CAPACITY], len: 0 };

    fn word(mut self, word: &str) -> Self {
        if let Some(room) = self.bytes.get_mut(self.len..self.len + word.len()) {
            room.copy_from_slice(word.as_bytes());
            self.len += word.len();
        }
        self
    }

    fn hex(mut self, bytes: &[u8]) -> Self {
        let len = HEXLOWER.encode_len(bytes.len());
        if let Some(room) = self.bytes.get_mut(self.len..self.len + len) {
            HEXLOWER.encode_mut(bytes, room);
            self.len += len;
        }
        self
    }

    pub(crate) fn as_str(&self) -> &str {
        str::from_utf8(&self.bytes[..self.len]).unwrap_or_default()
    }

    pub(crate) fn as_path(&self) -> &Path {
        Path::new(OsStr::new(self.as_str()))
    }

    pub(crate) fn as_c_str(&self) -> &CStr {
        CStr::from_bytes_until_nul(&self.bytes).unwrap_or_default()
    }
}

impl fmt::Debug for RelPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

fn join(first: u8, rest: &[u8]) -> Option<[u8; 32]> {
    let rest: [u8; 31] = decode(rest)?;
    let mut key = [first; 32];
    key[1..].copy_from_slice(&rest);
    Some(key)
}

/// Exactly one spelling: lower case, exactly `N` bytes.
fn decode<const N: usize>(hex: &[u8]) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    if HEXLOWER.decode_len(hex.len()).ok()? != N {
        return None;
    }
    HEXLOWER.decode_mut(hex, &mut bytes).ok()?;
    Some(bytes)
}

const LOCKS: &str = "lock";
const QUARANTINE: &str = "quarantine";
const PRINCIPALS: &str = "by-principal";
const TEMPORARY: &str = ".tmp";

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> StoreKey {
        StoreKey::from_bytes(std::array::from_fn(|i| 0xa0 + i as u8))
    }

    #[test]
    fn names_are_what_the_documentation_says() {
        assert_eq!(record_path(&key()).as_str(), format!("a0/{}", &key().to_hex()[2..]));
        assert_eq!(record_name(&key()).as_c_str().to_bytes(), &key().to_hex().as_bytes()[2..]);
        assert_eq!(
            temporary_name(&key(), 1).as_str(),
            format!("{}.0000000000000001.tmp", &key().to_hex()[2..])
        );
        assert_eq!(quarantine_name(&key(), 255).as_str(), format!("{}.00000000000000ff", key().to_hex()));
        let principal = PrincipalKey::from_bytes(*key().as_bytes());
        let path = Place::Principal(principal).path();
        assert_eq!(path.as_str(), format!("by-principal/a0/{}", &key().to_hex()[2..]));
        let marker = Place::Principal(principal).join(&marker_name(&key()));
        assert_eq!(marker.as_str(), format!("{}/{}", path.as_str(), key().to_hex()));
        assert_eq!(Place::Root.path().as_str(), ".");
        assert_eq!((Place::permanent().count(), Place::all().count()), (256 + 3, 256 + 3 + 256));
    }

    #[test]
    fn a_name_is_recognised_only_in_its_one_spelling() {
        // Shows: A39
        let name = record_name(&key());
        assert_eq!(ShardEntry::parse(0xa0, name.as_str().as_bytes()), ShardEntry::Record(key()));
        let temporary = temporary_name(&key(), 7);
        assert_eq!(ShardEntry::parse(0xa0, temporary.as_str().as_bytes()), ShardEntry::Temporary(temporary));
        for foreign in [
            name.as_str().to_uppercase(),
            name.as_str()[1..].to_owned(),
            format!("{}0", name.as_str()),
            format!("{}.tmp", name.as_str()),
            format!("{}.0000000000000007.TMP", name.as_str()),
            format!("{}.000000000000000g.tmp", name.as_str()),
            "README".to_owned(),
            String::new(),
        ] {
            assert_eq!(ShardEntry::parse(0xa0, foreign.as_bytes()), ShardEntry::Foreign, "{foreign}");
        }
        assert_eq!(parse_marker(key().to_hex().as_bytes()), Some(key()));
        assert_eq!(parse_marker(key().to_hex().to_uppercase().as_bytes()), None);
        let quarantined = quarantine_name(&key(), 3);
        assert_eq!(parse_quarantined(quarantined.as_str().as_bytes()), Some(quarantined));
        assert_eq!(parse_quarantined(key().to_hex().as_bytes()), None);
    }
}

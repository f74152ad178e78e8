//! The bytes of a session: a fixed head, the principal, then the entries one after the other.
//!
//! ```text
//! live        0 format = 2 | 1 state = 0 | 2 created | 10 last seen | 18 signed in | 26 id drawn | 34 idle | 42 absolute
//!             50 csrf secret (24) | 74 unclaimed | 75 changed by | 83 length of principal (u16) | 85 principal | entries
//! entry       0 length of namespace (u8) | 1 length of key (u16) | 3 length of value (u32) | 7 namespace, key, value
//! superseded  0 format = 2 | 1 state = 1 | 2 flags | 3 grace until | 11 successor's store key (32) | 43 masked id (24)
//! ```
//! Numbers are little-endian, times are milliseconds since 1970. Reading copies nothing: a record is checked once, in
//! one pass, and its entries are slices of the bytes the store handed out.

use std::{fmt, time::SystemTime};

use bytes::Bytes;

use crate::{digest::StoreKey, expiry::Override, timestamp::Timestamp};

pub(crate) const FORMAT: u8 = 2;
const LIVE: u8 = 0;
const SUPERSEDED: u8 = 1;
pub(crate) const HEAD: usize = 85;
const ENTRY_HEAD: usize = 7;
const SUPERSEDED_LENGTH: usize = 67;

/// What a store holds under a key.
#[derive(Clone, Debug)]
pub(crate) enum Content {
    Live(Record),
    /// Rare and large.
    Superseded(Box<Marker>),
}

/// Bytes that are no record of this library or its version.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Malformed;

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the bytes are not a session record of a known format")
    }
}

impl std::error::Error for Malformed {}

/// A live session.
#[derive(Clone)]
pub(crate) struct Record {
    bytes: Bytes,
    entries_at: u32,
    keys: u32,
}

/// What the library itself keeps of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Meta {
    pub(crate) created: Timestamp,
    pub(crate) last_seen: Timestamp,
    pub(crate) authenticated: Option<Timestamp>,
    pub(crate) id_drawn: Timestamp,
    pub(crate) idle: Override,
    pub(crate) absolute: Override,
    pub(crate) csrf_secret: [u8; 24],
    /// The id was handed out before anything was stored under it, and nothing has been since.
    pub(crate) unclaimed: bool,
    /// Which attempt to store changes has made the record what it is, so that one of which nobody knows what became can
    /// be recognized.
    pub(crate) changed_by: u64,
}

/// What an id leaves behind for a short time when it is replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Marker {
    /// The old record was signed in, or the rotation was routine: ending the old id ends the new one.
    pub(crate) linked: bool,
    /// Until when the old id still reaches the new record; only after routine rotations.
    pub(crate) grace_until: Option<Timestamp>,
    pub(crate) successor: StoreKey,
    /// The new id, hidden by the old one.
    pub(crate) masked_id: [u8; 24],
}

/// One key and its value.
#[derive(Clone, Copy)]
pub(crate) struct EntryRef<'a> {
    pub(crate) namespace: &'a [u8],
    pub(crate) key: &'a [u8],
    pub(crate) value: &'a [u8],
}

impl Content {
    pub(crate) fn parse(bytes: Bytes) -> Result<Self, Malformed> {
        match bytes.get(..2) {
            Some([FORMAT, LIVE]) => Record::parse(bytes).map(Self::Live),
            Some([FORMAT, SUPERSEDED]) => Marker::parse(&bytes).map(Box::new).map(Self::Superseded),
            _ => Err(Malformed),
        }
    }
}

impl Meta {
    pub(crate) const fn new(now: Timestamp, csrf_secret: [u8; 24]) -> Self {
        Self {
            created: now,
            last_seen: now,
            authenticated: None,
            id_drawn: now,
            idle: Override::Inherit,
            absolute: Override::Inherit,
            csrf_secret,
            unclaimed: false,
            changed_by: 0,
        }
    }

    /// When the absolute timeout began: signing in again starts it anew (NIST SP 800-63B-4 section 5.2).
    pub(crate) fn started(&self) -> Timestamp {
        self.authenticated.map_or(self.created, |signed_in| signed_in.max(self.created))
    }

    /// The same, now that something is stored under an id that was handed out before.
    pub(crate) const fn claimed(mut self) -> Self {
        if self.unclaimed {
            self.unclaimed = false;
            self.idle = Override::Inherit;
        }
        self
    }

    fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        // The length is checked once, so that reading the numbers is eight loads and nothing else.
        let (numbers, rest) = bytes.get(2..).and_then(<[u8]>::split_first_chunk::<48>).ok_or(Malformed)?;
        let (csrf_secret, rest) = rest.split_first_chunk::<24>().ok_or(Malformed)?;
        let (numbers, _) = numbers.as_chunks::<8>();
        let &[created, last_seen, authenticated, id_drawn, idle, absolute] = numbers else {
            return Err(Malformed);
        };
        let time = |bytes| Timestamp::from_millis(u64::from_le_bytes(bytes));
        Ok(Self {
            created: time(created),
            last_seen: time(last_seen),
            authenticated: Some(time(authenticated)).filter(|time| time.millis() != 0),
            id_drawn: time(id_drawn),
            idle: Override::from_bits(u64::from_le_bytes(idle)),
            absolute: Override::from_bits(u64::from_le_bytes(absolute)),
            csrf_secret: *csrf_secret,
            unclaimed: match rest.first() {
                Some(0) => false,
                Some(1) => true,
                _ => return Err(Malformed),
            },
            changed_by: read_u64(rest, 1)?,
        })
    }
}

impl Meta {
    /// The fixed part of a record, made in one piece.
    fn to_head(self, principal_length: usize) -> [u8; HEAD] {
        let mut head = [0; HEAD];
        let (prefix, rest) = head.split_at_mut(2);
        prefix.copy_from_slice(&[FORMAT, LIVE]);
        let (numbers, rest) = rest.split_at_mut(48);
        let values = [
            self.created.millis(),
            self.last_seen.millis(),
            self.authenticated.map_or(0, Timestamp::millis),
            self.id_drawn.millis(),
            self.idle.to_bits(),
            self.absolute.to_bits(),
        ];
        for (place, value) in numbers.as_chunks_mut::<8>().0.iter_mut().zip(values) {
            *place = value.to_le_bytes();
        }
        let (csrf_secret, rest) = rest.split_at_mut(24);
        csrf_secret.copy_from_slice(&self.csrf_secret);
        let (unclaimed, rest) = rest.split_at_mut(1);
        unclaimed.copy_from_slice(&[u8::from(self.unclaimed)]);
        let (changed_by, length) = rest.split_at_mut(8);
        changed_by.copy_from_slice(&self.changed_by.to_le_bytes());
        length.copy_from_slice(&u16::try_from(principal_length).unwrap_or(u16::MAX).to_le_bytes());
        head
    }
}

impl Record {
    /// Bytes of a record with a principal of this length and entries of this total length.
    pub(crate) const fn length(principal: usize, entries: usize) -> usize {
        HEAD + principal + entries
    }

    /// A record whose entries are `write_entries`'s, `keys` of them in `length` bytes.
    pub(crate) fn build(
        meta: &Meta,
        principal: &str,
        keys: usize,
        length: usize,
        write_entries: impl FnOnce(&mut Vec<u8>),
    ) -> Self {
        let mut bytes = Vec::with_capacity(Self::length(principal.len(), length));
        bytes.extend_from_slice(&meta.to_head(principal.len()));
        bytes.extend_from_slice(principal.as_bytes());
        let entries_at = bytes.len();
        write_entries(&mut bytes);
        Self { bytes: bytes.into(), entries_at: saturate(entries_at), keys: saturate(keys) }
    }

    /// A record of nothing, to be replaced.
    pub(crate) fn empty() -> Self {
        Self { bytes: Bytes::new(), entries_at: 0, keys: 0 }
    }

    pub(crate) fn meta(&self) -> Meta {
        Meta::parse(&self.bytes).unwrap_or(Meta::new(Timestamp::from_millis(0), [0; 24]))
    }

    pub(crate) const fn keys(&self) -> usize {
        self.keys as usize
    }

    const fn entries_at(&self) -> usize {
        self.entries_at as usize
    }

    pub(crate) fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    fn parse(bytes: Bytes) -> Result<Self, Malformed> {
        Meta::parse(&bytes)?;
        let principal_length = usize::from(u16::from_le_bytes(read_array(&bytes, 83)?));
        let entries_at = HEAD + principal_length;
        let principal = bytes.get(HEAD..entries_at).ok_or(Malformed)?;
        if !is_text(principal) {
            return Err(Malformed);
        }
        let mut rest = bytes.get(entries_at..).ok_or(Malformed)?;
        let mut keys = 0;
        while !rest.is_empty() {
            let (entry, behind) = EntryRef::split(rest).ok_or(Malformed)?;
            if !is_text(entry.namespace) || !is_text(entry.key) {
                return Err(Malformed);
            }
            keys += 1;
            rest = behind;
        }
        Ok(Self { bytes, entries_at: saturate(entries_at), keys })
    }

    pub(crate) fn principal(&self) -> Option<&str> {
        let principal = self.bytes.get(HEAD..self.entries_at()).unwrap_or_default();
        std::str::from_utf8(principal).ok().filter(|principal| !principal.is_empty())
    }

    pub(crate) fn entries(&self) -> Entries<'_> {
        Entries(self.bytes.get(self.entries_at()..).unwrap_or_default())
    }

    pub(crate) fn entries_length(&self) -> usize {
        self.bytes.len() - self.entries_at()
    }

    pub(crate) fn find(&self, namespace: &str, key: &str) -> Option<&[u8]> {
        self.entries()
            .find(|entry| same(entry.key, key.as_bytes()) && same(entry.namespace, namespace.as_bytes()))
            .map(|entry| entry.value)
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record")
            .field("bytes", &self.bytes.len())
            .field("keys", &self.keys)
            .finish_non_exhaustive()
    }
}

impl<'a> EntryRef<'a> {
    pub(crate) const fn len(&self) -> usize {
        ENTRY_HEAD + self.namespace.len() + self.key.len() + self.value.len()
    }

    pub(crate) fn write(&self, bytes: &mut Vec<u8>) {
        bytes.push(u8::try_from(self.namespace.len()).unwrap_or(u8::MAX));
        bytes.extend_from_slice(&u16::try_from(self.key.len()).unwrap_or(u16::MAX).to_le_bytes());
        bytes.extend_from_slice(&u32::try_from(self.value.len()).unwrap_or(u32::MAX).to_le_bytes());
        bytes.extend_from_slice(self.namespace);
        bytes.extend_from_slice(self.key);
        bytes.extend_from_slice(self.value);
    }

    #[inline]
    fn split(bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (head, rest) = bytes.split_at_checked(ENTRY_HEAD)?;
        let &[namespace, k0, k1, v0, v1, v2, v3] = head else { return None };
        let (namespace, rest) = rest.split_at_checked(usize::from(namespace))?;
        let (key, rest) = rest.split_at_checked(usize::from(u16::from_le_bytes([k0, k1])))?;
        let value = usize::try_from(u32::from_le_bytes([v0, v1, v2, v3])).ok()?;
        let (value, rest) = rest.split_at_checked(value)?;
        Some((Self { namespace, key, value }, rest))
    }
}

/// The entries of a record, in the order they were written.
#[derive(Clone)]
pub(crate) struct Entries<'a>(&'a [u8]);

impl<'a> Entries<'a> {
    pub(crate) const fn none() -> Self {
        Self(&[])
    }

    /// The next entry, and the bytes that spell it.
    #[inline]
    pub(crate) fn next_with_bytes(&mut self) -> Option<(EntryRef<'a>, &'a [u8])> {
        let (entry, rest) = EntryRef::split(self.0)?;
        let (bytes, _) = self.0.split_at(self.0.len() - rest.len());
        self.0 = rest;
        Some((entry, bytes))
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = EntryRef<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        let (entry, rest) = EntryRef::split(self.0)?;
        self.0 = rest;
        Some(entry)
    }
}

impl Marker {
    pub(crate) fn to_bytes(self) -> Bytes {
        let mut bytes = Vec::with_capacity(SUPERSEDED_LENGTH);
        bytes.extend_from_slice(&[FORMAT, SUPERSEDED, u8::from(self.linked)]);
        bytes.extend_from_slice(&self.grace_until.map_or(0, Timestamp::millis).to_le_bytes());
        bytes.extend_from_slice(self.successor.as_bytes());
        bytes.extend_from_slice(&self.masked_id);
        bytes.into()
    }

    pub(crate) fn in_grace(&self, now: SystemTime) -> bool {
        self.grace_until.is_some_and(|until| Timestamp::from(now) < until)
    }

    fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let linked = match bytes.get(2) {
            Some(0) => false,
            Some(1) => true,
            _ => return Err(Malformed),
        };
        if bytes.len() != SUPERSEDED_LENGTH {
            return Err(Malformed);
        }
        Ok(Self {
            linked,
            grace_until: Some(read_u64(bytes, 3)?).filter(|&millis| millis != 0).map(Timestamp::from_millis),
            successor: StoreKey::from_bytes(read_array(bytes, 11)?),
            masked_id: read_array(bytes, 43)?,
        })
    }
}

/// Lengths inside a record are bounded by [`Limits`](crate::Limits) long before this matters.
fn saturate(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

/// Names and most values are short: a loop is faster than a call of the system's comparison.
pub(crate) fn same(one: &[u8], other: &[u8]) -> bool {
    const SHORT: usize = 32;
    if one.len() != other.len() || one.len() > SHORT {
        return one == other;
    }
    one.iter().zip(other).all(|(one, other)| one == other)
}

fn is_text(bytes: &[u8]) -> bool {
    bytes.is_ascii() || std::str::from_utf8(bytes).is_ok()
}

fn read_array<const N: usize>(bytes: &[u8], at: usize) -> Result<[u8; N], Malformed> {
    bytes.get(at..at + N).and_then(|slice| slice.try_into().ok()).ok_or(Malformed)
}

fn read_u64(bytes: &[u8], at: usize) -> Result<u64, Malformed> {
    read_array(bytes, at).map(u64::from_le_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Vec<u8> {
        let meta = Meta {
            authenticated: Some(Timestamp::from_millis(7)),
            ..Meta::new(Timestamp::from_millis(5), [9; 24])
        };
        let record = Record::build(&meta, "ann", 2, 0, |bytes| {
            EntryRef { namespace: b"", key: b"n", value: &[0x43, 5] }.write(bytes);
            EntryRef { namespace: b"shop", key: b"cart", value: b"xyz" }.write(bytes);
        });
        record.bytes().to_vec()
    }

    #[test]
    fn a_record_comes_back() {
        let Ok(Content::Live(record)) = Content::parse(sample().into()) else { panic!("not live") };
        assert_eq!(record.principal(), Some("ann"));
        assert_eq!(record.keys(), 2);
        assert_eq!(record.find("shop", "cart"), Some(b"xyz".as_slice()));
        assert_eq!(record.find("", "cart"), None);
        assert_eq!(record.meta().authenticated, Some(Timestamp::from_millis(7)));
    }

    #[test]
    fn every_truncation_inside_an_entry_is_refused() {
        // Shows: A22
        let whole = sample();
        let boundaries = [HEAD + 3, HEAD + 3 + ENTRY_HEAD + 3, whole.len()];
        for length in 0..whole.len() {
            let parsed = Content::parse(Bytes::copy_from_slice(&whole[..length]));
            assert_eq!(parsed.is_ok(), boundaries.contains(&length), "{length}");
        }
    }

    #[test]
    fn no_flipped_bit_panics() {
        // Shows: A22
        let whole = sample();
        for bit in 0..whole.len() * 8 {
            let mut flipped = whole.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            if let Ok(Content::Live(record)) = Content::parse(flipped.into()) {
                let _ = (record.principal().map(str::len), record.entries().count());
            }
        }
    }

    #[test]
    fn an_unknown_format_is_refused() {
        // Shows: A52
        let mut bytes = sample();
        bytes[0] = 3;
        assert!(Content::parse(bytes.into()).is_err());
    }

    #[test]
    fn a_marker_comes_back_and_other_lengths_are_refused() {
        let marker = Marker {
            linked: true,
            grace_until: Some(Timestamp::from_millis(99)),
            successor: StoreKey::from_bytes([3; 32]),
            masked_id: [4; 24],
        };
        let bytes = marker.to_bytes();
        assert!(
            matches!(Content::parse(bytes.clone()), Ok(Content::Superseded(parsed)) if *parsed == marker)
        );
        assert!(Content::parse(bytes.slice(..66)).is_err());
        let longer = [&bytes[..], &[0]].concat();
        assert!(Content::parse(longer.into()).is_err());
    }
}

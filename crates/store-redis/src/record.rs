//! What a record looks like in Redis. All numbers are big-endian.
//!
//! | offset | bytes | |
//! |---|---|---|
//! | 0 | 1 | format, now 1 |
//! | 1 | 1 | 1: belongs to a principal; else 0 |
//! | 2 | 4 | length of the payload |
//! | 6 | 8 | version of the record |
//! | 14 | 8 | expiry, milliseconds since 1970 |
//! | 22 | 8 | XXH3-64 of the key and of everything else here |
//! | 30 | 32 | principal, if it belongs to one |
//! | | | payload |
//!
//! The scripts read the first 14 bytes and compare the length. The principal is kept so that records can be copied to
//! another store, and an index made anew, from the records alone.

use std::{
    fmt,
    hash::Hasher,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use session_core::{Entry, PrincipalKey, StoreKey, Stored, Version};
use twox_hash::XxHash3_64;

/// The largest payload that a record may have, in bytes: 16 MiB. A larger one is refused as
/// [`Full`](session_core::StoreErrorKind::Full). Redis serves one request at a time, so everybody waits for a large one.
pub const MAX_PAYLOAD: usize = 16 << 20;

/// Why what is stored under the key of a record cannot be used: the source of errors of the kind
/// [`Corrupt`](session_core::StoreErrorKind::Corrupt).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RecordError {
    /// Cut short, changed, or never a record. It is left as it is.
    Damaged,
    /// Written by a later version of this crate, or damaged in the first byte. It is left as it is.
    NewerFormat(u8),
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Damaged => f.write_str("what is stored under the key of a record is not one"),
            Self::NewerFormat(format) => write!(f, "the record has format {format}, newer than {FORMAT}"),
        }
    }
}

impl std::error::Error for RecordError {}

/// The value for `entry`.
pub(crate) fn encode(key: &StoreKey, version: Version, entry: &Entry) -> Vec<u8> {
    let principal =
        entry.principal.as_ref().map(|principal| principal.as_bytes().as_slice()).unwrap_or_default();
    let mut value = Vec::with_capacity(HEADER + principal.len() + entry.bytes.len());
    // Every payload was compared with `MAX_PAYLOAD`.
    let length = u32::try_from(entry.bytes.len()).unwrap_or(u32::MAX);
    value.extend_from_slice(&[FORMAT, u8::from(entry.principal.is_some())]);
    value.extend_from_slice(&length.to_be_bytes());
    value.extend_from_slice(&version.number().to_be_bytes());
    value.extend_from_slice(&millis(entry.expires_at).to_be_bytes());
    value.extend_from_slice(&[0; 8]);
    value.extend_from_slice(principal);
    value.extend_from_slice(&entry.bytes);
    let sum = checksum(key, &value);
    value[SUM..HEADER].copy_from_slice(&sum.to_be_bytes());
    value
}

/// The entry of which `value` was made.
pub(crate) fn decode_entry(key: &StoreKey, value: Vec<u8>) -> Result<Entry, RecordError> {
    let principal = match value.get(1) {
        Some(1) => value.get(HEADER..).and_then(<[u8]>::first_chunk).copied().map(PrincipalKey::from_bytes),
        _ => None,
    };
    let stored = decode(key, value)?;
    Ok(Entry::new(stored.bytes, stored.expires_at).with_principal(principal))
}

/// The record that `value` is.
pub(crate) fn decode(key: &StoreKey, value: Vec<u8>) -> Result<Stored, RecordError> {
    let (Some(&format), Some(header)) = (value.first(), value.first_chunk::<HEADER>()) else {
        return Err(RecordError::Damaged);
    };
    if format > FORMAT {
        return Err(RecordError::NewerFormat(format));
    }
    let payload_at = match header[1] {
        0 => HEADER,
        1 => HEADER + PRINCIPAL,
        _ => return Err(RecordError::Damaged),
    };
    let length = u32::from_be_bytes([header[2], header[3], header[4], header[5]]) as usize;
    let sum = number(header, SUM);
    if format != FORMAT || value.len() != payload_at + length || sum != checksum(key, &value) {
        return Err(RecordError::Damaged);
    }
    let expires_at =
        UNIX_EPOCH.checked_add(Duration::from_millis(number(header, EXPIRY))).ok_or(RecordError::Damaged)?;
    let version = Version::new(number(header, VERSION));
    Ok(Stored::new(Bytes::from(value).slice(payload_at..), expires_at, version))
}

/// Milliseconds since 1970, rounded up; what lies before is 0, and what Lua cannot count is the last millisecond that it
/// can, in the year 287396.
pub(crate) fn millis(instant: SystemTime) -> u64 {
    let since = instant.duration_since(UNIX_EPOCH).unwrap_or_default();
    let millis = since.as_nanos().div_ceil(1_000_000);
    u64::try_from(millis).unwrap_or(u64::MAX).min(MAX_MILLIS)
}

fn number(header: &[u8; HEADER], at: usize) -> u64 {
    header[at..at + 8].iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

fn checksum(key: &StoreKey, value: &[u8]) -> u64 {
    let mut hasher = XxHash3_64::new();
    hasher.write(key.as_bytes());
    hasher.write(value.get(..SUM).unwrap_or_default());
    hasher.write(value.get(HEADER..).unwrap_or_default());
    hasher.finish()
}

const FORMAT: u8 = 1;
const VERSION: usize = 6;
const EXPIRY: usize = 14;
const SUM: usize = 22;
const HEADER: usize = 30;
const PRINCIPAL: usize = 32;
const MAX_MILLIS: u64 = (1 << 53) - 1;

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: StoreKey = StoreKey::from_bytes([3; 32]);

    fn entry(length: usize) -> Entry {
        Entry::new(
            (0..length).map(|i| i as u8).collect::<Vec<_>>(),
            UNIX_EPOCH + Duration::from_millis(1_234_567_890_123),
        )
    }

    #[test]
    fn a_record_comes_back() {
        for principal in [None, Some(PrincipalKey::from_bytes([9; 32]))] {
            for length in [0, 1, 500, 70_000] {
                let entry = entry(length).with_principal(principal);
                let stored = decode(&KEY, encode(&KEY, Version::new(7), &entry)).unwrap();
                assert_eq!(
                    (stored.bytes, stored.expires_at, stored.version),
                    (entry.bytes.clone(), entry.expires_at, Version::new(7))
                );
                assert!(decode_entry(&KEY, encode(&KEY, Version::new(7), &entry)).unwrap() == entry);
            }
        }
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_noticed() {
        for principal in [None, Some(PrincipalKey::from_bytes([9; 32]))] {
            let value = encode(&KEY, Version::new(7), &entry(40).with_principal(principal));
            for bit in 0..value.len() * 8 {
                let mut damaged = value.clone();
                damaged[bit / 8] ^= 1 << (bit % 8);
                assert!(decode(&KEY, damaged).is_err(), "bit {bit}");
            }
            for length in 0..value.len() {
                assert!(decode(&KEY, value[..length].to_vec()).is_err(), "{length} bytes");
            }
            assert!(decode(&KEY, [value.as_slice(), b"x"].concat()).is_err());
            assert_eq!(decode(&StoreKey::from_bytes([4; 32]), value), Err(RecordError::Damaged));
        }
    }

    #[test]
    fn a_later_format_is_told_from_damage() {
        let mut value = encode(&KEY, Version::new(7), &entry(4));
        value[0] = 2;
        assert_eq!(decode(&KEY, value), Err(RecordError::NewerFormat(2)));
    }

    #[test]
    fn times_are_rounded_up_and_bounded() {
        let nanos = |nanos| UNIX_EPOCH + Duration::from_nanos(nanos);
        assert_eq!([nanos(0), nanos(1), nanos(1_000_000), nanos(1_000_001)].map(millis), [0, 1, 1, 2]);
        assert_eq!(millis(UNIX_EPOCH - Duration::from_secs(1)), 0);
        assert_eq!(millis(UNIX_EPOCH + Duration::from_secs(1 << 60)), MAX_MILLIS);
    }
}

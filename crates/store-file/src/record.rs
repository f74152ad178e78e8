//! What a record looks like in its file. All numbers are little-endian.
//!
//! | offset | bytes | |
//! |---|---|---|
//! | 0 | 8 | magic |
//! | 8 | 2 | format, now 1 |
//! | 10 | 2 | format, every bit inverted, so that damage is not mistaken for another format |
//! | 12 | 4 | flags; bit 0: belongs to a principal |
//! | 16 | 8 | version of the record |
//! | 24 | 8 | expiry, milliseconds since 1970 |
//! | 32 | 32 | key, so that a file under the name of another is noticed |
//! | 64 | 32 | principal, or zeros |
//! | 96 | 8 | length of the payload |
//! | 104 | | payload |
//! | the end | 8 | XXH3-64 of everything before |
//!
//! The checksum is there for torn writes, lost blocks and rotten bits. It has no key: who can write in the folder can
//! also compute it, whatever the function, so a cryptographic one would cost and not protect.

use std::{
    fmt,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use session_core::{Entry, PrincipalKey, StoreKey, Version};
use twox_hash::XxHash3_64;

/// The largest payload that a record may have, in bytes: 16 MiB. A larger one is refused as
/// [`Full`](session_core::StoreErrorKind::Full), and a file that claims a larger one is not read.
pub const MAX_PAYLOAD: usize = 16 << 20;

/// Why a file under the name of a record cannot be used: the source of every error of the kind
/// [`Corrupt`](session_core::StoreErrorKind::Corrupt).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RecordError {
    /// Truncated, torn, rotten, or never a record. The file was moved into the quarantine if there was room.
    Damaged(&'static str),
    /// Intact, but the record of another key. The file was moved into the quarantine if there was room.
    WrongKey,
    /// Written by a later version of this crate. The file is left as it is.
    NewerFormat(u16),
    /// A folder, link, pipe or device, which this store never makes. It is left as it is.
    NotAFile,
}

impl RecordError {
    /// Whether the file can be nothing but a broken record, so that it is moved out of the way.
    pub(crate) const fn is_damage(self) -> bool {
        matches!(self, Self::Damaged(_) | Self::WrongKey)
    }
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Damaged(what) => write!(f, "the record is damaged: {what}"),
            Self::WrongKey => f.write_str("the record belongs to another key"),
            Self::NewerFormat(format) => write!(f, "the record has format {format}, newer than {FORMAT}"),
            Self::NotAFile => f.write_str("not a regular file"),
        }
    }
}

impl std::error::Error for RecordError {}

/// What the file of a record says beside the payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) version: Version,
    pub(crate) expires_at: SystemTime,
    pub(crate) principal: Option<PrincipalKey>,
}

/// The content of the file for `entry`.
pub(crate) fn encode(key: &StoreKey, version: Version, entry: &Entry) -> Vec<u8> {
    let mut file = Vec::with_capacity(file_len(entry.bytes.len()));
    file.extend_from_slice(&MAGIC);
    file.extend_from_slice(&FORMAT.to_le_bytes());
    file.extend_from_slice(&(!FORMAT).to_le_bytes());
    file.extend_from_slice(&u32::from(entry.principal.is_some()).to_le_bytes());
    file.extend_from_slice(&version.number().to_le_bytes());
    file.extend_from_slice(&unix_millis(entry.expires_at).to_le_bytes());
    file.extend_from_slice(key.as_bytes());
    file.extend_from_slice(entry.principal.as_ref().map_or(&[0; 32], |principal| principal.as_bytes()));
    file.extend_from_slice(&(entry.bytes.len() as u64).to_le_bytes());
    file.extend_from_slice(&entry.bytes);
    file.extend_from_slice(&XxHash3_64::oneshot(&file).to_le_bytes());
    file
}

/// The header and the payload of the record of `key` that `file` holds.
pub(crate) fn decode<'a>(key: &StoreKey, file: &'a [u8]) -> Result<(Header, &'a [u8]), RecordError> {
    let mut rest = file;
    if take(&mut rest)? != MAGIC {
        return Err(RecordError::Damaged("it does not begin like a record"));
    }
    let format = u16::from_le_bytes(take(&mut rest)?);
    if format != !u16::from_le_bytes(take(&mut rest)?) || format == 0 {
        return Err(RecordError::Damaged("its format is no number of a format"));
    }
    if format > FORMAT {
        return Err(RecordError::NewerFormat(format));
    }
    let (hashed, checksum) = file.split_last_chunk().ok_or(TRUNCATED)?;
    if XxHash3_64::oneshot(hashed) != u64::from_le_bytes(*checksum) {
        return Err(RecordError::Damaged("its checksum is wrong"));
    }
    let flags = u32::from_le_bytes(take(&mut rest)?);
    let version = Version::new(u64::from_le_bytes(take(&mut rest)?));
    let expires_at = from_unix_millis(u64::from_le_bytes(take(&mut rest)?));
    if take(&mut rest)? != *key.as_bytes() {
        return Err(RecordError::WrongKey);
    }
    let principal = PrincipalKey::from_bytes(take(&mut rest)?);
    let principal = match flags {
        0 => None,
        1 => Some(principal),
        _ => return Err(RecordError::Damaged("it has flags that its format has not")),
    };
    let len = u64::from_le_bytes(take(&mut rest)?);
    let payload = rest.strip_suffix(checksum.as_slice()).ok_or(TRUNCATED)?;
    if payload.len() as u64 != len {
        return Err(RecordError::Damaged("its length is wrong"));
    }
    Ok((Header { version, expires_at, principal }, payload))
}

/// The payload of a file that decodes, without a copy.
pub(crate) fn payload(file: Vec<u8>) -> Bytes {
    let end = file.len().saturating_sub(CHECKSUM);
    Bytes::from(file).slice(HEADER.min(end)..end)
}

/// The size of the file of a payload of `payload` bytes.
pub(crate) const fn file_len(payload: usize) -> usize {
    HEADER + payload + CHECKSUM
}

/// An expiry as the store keeps it: whole milliseconds, rounded up.
pub(crate) fn unix_millis(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    let round_up = u64::from(!since.subsec_nanos().is_multiple_of(1_000_000));
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX).saturating_add(round_up)
}

/// A time beyond what the platform can express becomes the end of the year 9999.
pub(crate) fn from_unix_millis(millis: u64) -> SystemTime {
    UNIX_EPOCH
        .checked_add(Duration::from_millis(millis))
        .unwrap_or_else(|| UNIX_EPOCH + Duration::from_secs(END_OF_YEAR_9999))
}

/// The modification time a file gets, so that a sweep sees without opening it whether it may have expired. Only a
/// hint, and so allowed to be early for times that file systems cannot express.
pub(crate) fn modification_time(expires_at: SystemTime) -> SystemTime {
    from_unix_millis(unix_millis(expires_at).min(END_OF_YEAR_9999 * 1_000))
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], RecordError> {
    let (field, behind) = rest.split_first_chunk().ok_or(TRUNCATED)?;
    *rest = behind;
    Ok(*field)
}

const MAGIC: [u8; 8] = *b"\x93SESSION";
const FORMAT: u16 = 1;
const HEADER: usize = 104;
const CHECKSUM: usize = 8;
const TRUNCATED: RecordError = RecordError::Damaged("it is too short");
const END_OF_YEAR_9999: u64 = 253_402_300_799;

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: StoreKey = StoreKey::from_bytes([7; 32]);

    fn entry(payload: &'static [u8], millis: u64) -> Entry {
        Entry::new(payload, from_unix_millis(millis)).with_principal(PrincipalKey::from_bytes([9; 32]))
    }

    #[test]
    fn what_is_encoded_is_decoded() {
        for payload in [&b""[..], b"x", b"some payload"] {
            let file = encode(&KEY, Version::new(42), &entry(payload, 1_234_567));
            assert_eq!(file.len(), file_len(payload.len()));
            let (header, decoded) = decode(&KEY, &file).unwrap();
            assert_eq!(header.version, Version::new(42));
            assert_eq!(header.expires_at, from_unix_millis(1_234_567));
            assert_eq!(header.principal, Some(PrincipalKey::from_bytes([9; 32])));
            assert_eq!(decoded, payload);
        }
        let nobody = Entry::new(&b"x"[..], UNIX_EPOCH);
        assert_eq!(decode(&KEY, &encode(&KEY, Version::new(1), &nobody)).unwrap().0.principal, None);
    }

    #[test]
    fn every_truncation_is_damage() {
        let file = encode(&KEY, Version::new(42), &entry(b"some payload", 1_234_567));
        for len in 0..file.len() {
            assert!(decode(&KEY, &file[..len]).unwrap_err().is_damage(), "{len}");
        }
    }

    #[test]
    fn every_flipped_bit_is_damage() {
        let file = encode(&KEY, Version::new(42), &entry(b"some payload", 1_234_567));
        for bit in 0..file.len() * 8 {
            let mut damaged = file.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(decode(&KEY, &damaged).unwrap_err().is_damage(), "{bit}");
        }
    }

    #[test]
    fn the_record_of_another_key_is_refused() {
        let file = encode(&KEY, Version::new(42), &entry(b"some payload", 1_234_567));
        assert_eq!(decode(&StoreKey::from_bytes([8; 32]), &file), Err(RecordError::WrongKey));
    }

    #[test]
    fn a_newer_format_is_told_from_damage() {
        let mut file = encode(&KEY, Version::new(42), &entry(b"some payload", 1_234_567));
        file[8..12].copy_from_slice(&[2, 0, 0xfd, 0xff]);
        assert_eq!(decode(&KEY, &file), Err(RecordError::NewerFormat(2)));
        assert_eq!(decode(&KEY, &file[..12]), Err(RecordError::NewerFormat(2)));
    }

    #[test]
    fn a_format_once_released_stays_readable() {
        let mut file = b"\x93SESSION\x01\x00\xfe\xff\x00\x00\x00\x00".to_vec();
        file.extend_from_slice(&[5, 0, 0, 0, 0, 0, 0, 0, 0x00, 0xe4, 0x0b, 0x54, 0x02, 0, 0, 0]);
        file.extend_from_slice(&[[7; 32], [0; 32]].concat());
        file.extend_from_slice(b"\x05\0\0\0\0\0\0\0hello");
        file.extend_from_slice(&GOLDEN_CHECKSUM.to_le_bytes());
        let (header, payload) = decode(&KEY, &file).unwrap();
        assert_eq!(payload, b"hello");
        assert_eq!((header.version, header.principal), (Version::new(5), None));
        assert_eq!(header.expires_at, UNIX_EPOCH + Duration::from_secs(10_000_000));
        assert_eq!(encode(&KEY, header.version, &Entry::new(&b"hello"[..], header.expires_at)), file);
    }

    const GOLDEN_CHECKSUM: u64 = 0x7684_f845_2675_225d;

    #[test]
    fn an_expiry_is_never_rounded_down() {
        let nanos = |nanos| unix_millis(UNIX_EPOCH + Duration::from_nanos(nanos));
        assert_eq!([nanos(0), nanos(1), nanos(1_000_000), nanos(1_000_001)], [0, 1, 1, 2]);
        assert_eq!(unix_millis(UNIX_EPOCH - Duration::from_secs(5)), 0);
        assert!(modification_time(from_unix_millis(u64::MAX)) < from_unix_millis(u64::MAX));
    }
}

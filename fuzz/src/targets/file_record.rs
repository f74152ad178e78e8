//! Files of `session-store-file`.

use bytes::Bytes;
use session_core::{Entry, StoreKey};
use twox_hash::XxHash3_64;

use crate::file_record::{RecordError, decode, encode, payload};

const KEY: StoreKey = StoreKey::from_bytes([7; 32]);

/// The input is a file; once as it is, and once with the checksum that it ought to have, which no engine would guess.
pub(super) fn run(input: &[u8]) -> bool {
    let mut mended = input.to_vec();
    if let Some((hashed, checksum)) = mended.split_last_chunk_mut::<8>() {
        *checksum = XxHash3_64::oneshot(hashed).to_le_bytes();
    }
    check(input) | check(&mended)
}

fn check(file: &[u8]) -> bool {
    match decode(&KEY, file) {
        Ok((header, read)) => {
            assert_eq!(payload(file.to_vec()), read, "the payload is cut out elsewhere than it was read");
            let entry = Entry::new(read, header.expires_at).with_principal(header.principal);
            let again = encode(&KEY, header.version, &entry);
            let (header_again, read_again) = decode(&KEY, &again).expect("what was written cannot be read");
            assert_eq!((header, read), (header_again, read_again));
            // A file of another key is never this one's.
            assert_eq!(decode(&StoreKey::from_bytes([8; 32]), file), Err(RecordError::WrongKey));
            true
        }
        Err(error) => {
            assert!(!error.to_string().is_empty());
            let _ = (error.is_damage(), payload(file.to_vec()), Bytes::new());
            false
        }
    }
}

//! Records of `session-store-redis`.

use session_core::{Entry, StoreKey};

use crate::redis_record::{decode, decode_entry, encode};

const KEY: StoreKey = StoreKey::from_bytes([7; 32]);

/// The first byte chooses: the rest is a record as it is; or it is made one, with eight bytes for its expiry, and is
/// changed in one bit, for which two bytes say which.
pub(super) fn run(input: &[u8]) -> bool {
    let Some((&choice, input)) = input.split_first() else { return false };
    if choice & 1 == 0 { as_it_is(input) } else { changed(input) }
}

fn as_it_is(value: &[u8]) -> bool {
    match (decode(&KEY, value.to_vec()), decode_entry(&KEY, value.to_vec())) {
        (Ok(stored), Ok(entry)) => {
            assert_eq!((&stored.bytes, stored.expires_at), (&entry.bytes, entry.expires_at));
            let again = encode(&KEY, stored.version, &entry);
            assert_eq!(decode_entry(&KEY, again).expect("what was written cannot be read"), entry);
            assert!(
                decode(&StoreKey::from_bytes([8; 32]), value.to_vec()).is_err(),
                "a record of another key is taken"
            );
            true
        }
        (Err(one), Err(other)) => {
            assert_eq!(one, other);
            false
        }
        _ => panic!("one reader takes what another refuses"),
    }
}

fn changed(input: &[u8]) -> bool {
    let Some((at, rest)) = input.split_first_chunk::<2>() else { return false };
    let Some((millis, payload)) = rest.split_first_chunk::<8>() else { return false };
    let expires_at = std::time::UNIX_EPOCH
        + std::time::Duration::from_millis(u64::from_le_bytes(*millis) % 253_402_300_799_000);
    let principal = (payload.len() % 2 == 0).then_some(session_core::PrincipalKey::from_bytes([9; 32]));
    let entry = Entry::new(payload, expires_at).with_principal(principal);
    let mut value = encode(&KEY, session_core::Version::new(42), &entry);
    assert_eq!(decode_entry(&KEY, value.clone()).expect("what was written cannot be read"), entry);
    let at = usize::from(u16::from_le_bytes(*at));
    let length = value.len();
    value[at / 8 % length] ^= 1 << (at % 8);
    assert!(decode(&KEY, value).is_err(), "a changed bit is not noticed");
    true
}

//! Spellings of ids, of handles and of keys.

use session_core::{SessionHandle, SessionId, StoreKey};

/// The input is tried as it is, shortened, lengthened, and with each half alone.
pub(super) fn run(input: &[u8]) -> bool {
    let mut accepted = check(input);
    check(&input[..input.len().saturating_sub(1)]);
    for byte in [b'=', b'A', b' ', 0] {
        check(&[input, &[byte]].concat());
        check(&[&[byte], input].concat());
    }
    let (one, other) = input.split_at(input.len() / 2);
    check(one);
    check(other);
    if let (Some(first), Some(second)) = (SessionId::parse(one), SessionId::parse(other)) {
        assert_eq!(first == second, one == other, "two spellings of one id");
    }
    if let Ok(text) = std::str::from_utf8(input) {
        if let Some(key) = StoreKey::from_hex(text) {
            assert_eq!(key.to_hex(), text, "a key has two spellings");
            accepted = true;
        }
        if let Ok(handle) = text.parse::<SessionHandle>() {
            assert_eq!(handle.to_string(), text, "a handle has two spellings");
        }
    }
    accepted
}

/// What is taken for an id is exactly what 24 bytes are written as.
fn check(spelling: &[u8]) -> bool {
    let bytes = data_encoding::BASE64URL_NOPAD.decode(spelling).ok().filter(|bytes| bytes.len() == 24);
    let id = SessionId::parse(spelling);
    assert_eq!(id.is_some(), bytes.is_some(), "an id is taken for none, or the other way round");
    let (Some(id), Some(bytes)) = (id, bytes) else { return false };
    assert_eq!(id.expose_secret().as_bytes(), spelling, "an id is not what it was read from");
    assert_eq!(data_encoding::BASE64URL_NOPAD.encode(&bytes).as_bytes(), spelling, "an id has two spellings");
    assert_eq!(format!("{id:?}"), "SessionId(..)", "an id is shown");
    true
}

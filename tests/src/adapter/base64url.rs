//! Base64url without padding, for cases that look into what clients hold.

use data_encoding::BASE64URL_NOPAD;

use crate::{Failure, Result};

pub(super) fn encode(bytes: &[u8]) -> String {
    BASE64URL_NOPAD.encode(bytes)
}

/// # Errors
/// For anything else.
pub(super) fn decode(text: &str) -> Result<Vec<u8>> {
    BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|error| Failure::new(format!("no base64url: {error}")))
}

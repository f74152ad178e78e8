//! Session ids: drawn from the operating system's generator, spelled in exactly one way, never printed.

use std::fmt;

use subtle::ConstantTimeEq;

use crate::{digest, error::SessionError};

/// The secret that names a session to its client.
///
/// Drawn ids are 24 bytes from the operating system's random generator (192 bits; OWASP ASVS 5.0 V7.2.3 asks for
/// 128), written as 32 characters of base64url. 24 bytes fill 32 characters exactly, so every id has one spelling:
/// no padding, no spare bits, no second alphabet. An application that has its own trusted ids supplies them through
/// [`External`](crate::persist::External).
///
/// `Debug` is redacted, there is no `Display`, and comparison takes the same time for all ids of one length.
#[derive(Clone)]
pub struct SessionId(Spelling);

#[derive(Clone)]
enum Spelling {
    Drawn(Drawn),
    Supplied(Box<str>),
}

/// Aligned, so that moving an id is a few whole words.
#[derive(Clone, Copy)]
#[repr(align(8))]
struct Drawn([u8; SessionId::LENGTH]);

impl SessionId {
    /// Characters of a drawn id.
    pub const LENGTH: usize = 32;

    /// The id that these bytes spell; `None` for anything but 32 characters of base64url.
    #[must_use]
    pub fn parse(spelling: &[u8]) -> Option<Self> {
        let spelling: [u8; Self::LENGTH] = spelling.try_into().ok()?;
        // All of them are looked at, which compilers turn into a few instructions; secret bytes take no branch either.
        let valid = spelling.iter().fold(true, |valid, &byte| {
            valid & (byte.is_ascii_alphanumeric() | (byte == b'-') | (byte == b'_'))
        });
        valid.then_some(Self(Spelling::Drawn(Drawn(spelling))))
    }

    /// An id that the application vouches for. It must be hard to guess and must not come from the client unchecked.
    #[must_use]
    pub fn supplied(id: impl Into<Box<str>>) -> Self {
        Self(Spelling::Supplied(id.into()))
    }

    /// The id as the client presents it. Whoever reads it can act as the user: never log it, never put it in a page.
    #[must_use]
    pub fn expose_secret(&self) -> &str {
        match &self.0 {
            Spelling::Drawn(Drawn(text)) => std::str::from_utf8(text).unwrap_or_default(),
            Spelling::Supplied(text) => text,
        }
    }

    pub(crate) fn from_random(bytes: [u8; 24]) -> Self {
        let mut text = [0; Self::LENGTH];
        data_encoding::BASE64URL_NOPAD.encode_mut(&bytes, &mut text);
        Self(Spelling::Drawn(Drawn(text)))
    }

    pub(crate) const fn is_supplied(&self) -> bool {
        matches!(self.0, Spelling::Supplied(_))
    }

    /// Hides the id of a successor so that only who knows this id can read it. Each id has one successor, so the pad
    /// is used once.
    pub(crate) fn mask_successor(&self, successor: &Self) -> [u8; 24] {
        let mut bytes = [0; 24];
        let spelling = successor.expose_secret().as_bytes();
        if spelling.len() == Self::LENGTH {
            let _ = data_encoding::BASE64URL_NOPAD.decode_mut(spelling, &mut bytes);
        }
        self.apply_pad(bytes)
    }

    /// Undoes [`mask_successor`](Self::mask_successor).
    pub(crate) fn unmask_successor(&self, masked: [u8; 24]) -> Self {
        Self::from_random(self.apply_pad(masked))
    }

    fn apply_pad(&self, mut bytes: [u8; 24]) -> [u8; 24] {
        let pad = digest::hash("successor", &[self.expose_secret().as_bytes()]);
        bytes.iter_mut().zip(pad).for_each(|(byte, pad)| *byte ^= pad);
        bytes
    }
}

impl PartialEq for SessionId {
    fn eq(&self, other: &Self) -> bool {
        self.is_supplied() == other.is_supplied()
            && bool::from(self.expose_secret().as_bytes().ct_eq(other.expose_secret().as_bytes()))
    }
}

impl Eq for SessionId {}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionId(..)")
    }
}

/// Where random bytes come from. Only tests replace [`OsRandom`].
pub trait Random: fmt::Debug + Send + Sync + 'static {
    /// Fills `bytes` with unpredictable bytes, all of them or none.
    ///
    /// # Errors
    /// [`RandomError`] when the generator fails; nothing weaker is ever used instead (CVE-2021-3538).
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomError>;
}

/// The generator of the operating system, asked anew for every id: nothing to seed, nothing shared after a fork.
#[derive(Clone, Copy, Debug, Default)]
pub struct OsRandom;

impl Random for OsRandom {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomError> {
        getrandom::fill(bytes).map_err(|_| RandomError)
    }
}

/// The random generator failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RandomError;

impl fmt::Display for RandomError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the random generator failed")
    }
}

impl std::error::Error for RandomError {}

impl From<RandomError> for SessionError {
    fn from(error: RandomError) -> Self {
        Self::Random(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_one_spelling() {
        // Shows: A7
        let id = SessionId::from_random([7; 24]);
        assert_eq!(SessionId::parse(id.expose_secret().as_bytes()), Some(id));
    }

    #[test]
    fn anything_else_is_no_id() {
        // Shows: A7
        for bad in
            ["", "a", &"a".repeat(31), &"a".repeat(33), &"+".repeat(32), &format!("{}=", "a".repeat(31))]
        {
            assert_eq!(SessionId::parse(bad.as_bytes()), None, "{bad:?}");
        }
        assert_eq!(SessionId::parse(&[0xff; 32]), None);
    }

    #[test]
    fn debug_is_redacted() {
        assert_eq!(format!("{:?}", SessionId::from_random([7; 24])), "SessionId(..)");
    }

    #[test]
    fn only_the_predecessor_reads_its_successor() {
        let (old, new, other) = ([1; 24], [2; 24], [3; 24]);
        let [old, new, other] = [old, new, other].map(SessionId::from_random);
        let masked = old.mask_successor(&new);
        assert_eq!(old.unmask_successor(masked), new);
        assert_ne!(other.unmask_successor(masked), new);
    }
}

//! A source of random bytes that can be made to fail.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use session_core::{OsRandom, Random, RandomError};

/// The operating system's generator, until it is broken.
#[derive(Clone, Debug, Default)]
pub(super) struct Dice {
    broken: Arc<AtomicBool>,
}

impl Dice {
    pub(super) fn set_broken(&self, broken: bool) {
        self.broken.store(broken, Ordering::SeqCst);
    }
}

impl Random for Dice {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomError> {
        if self.broken.load(Ordering::SeqCst) { Err(RandomError) } else { OsRandom.fill(bytes) }
    }
}

//! A source of random bytes that can be made to fail.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use session_core::{OsRandom, Random, RandomError};

use crate::store::sample;

/// The operating system's generator, until it is broken; or one that gives the same numbers in every run.
#[derive(Clone, Debug, Default)]
pub(super) struct Dice {
    broken: Arc<AtomicBool>,
    seeded: Option<Arc<Mutex<sample::Random>>>,
}

impl Dice {
    pub(super) fn seeded(seed: u64) -> Self {
        Self { seeded: Some(Arc::new(Mutex::new(sample::Random::new(seed)))), ..Self::default() }
    }

    /// Begins the numbers anew.
    pub(super) fn reseed(&self, seed: u64) {
        if let Some(seeded) = &self.seeded {
            *seeded.lock().unwrap_or_else(PoisonError::into_inner) = sample::Random::new(seed);
        }
    }

    pub(super) fn set_broken(&self, broken: bool) {
        self.broken.store(broken, Ordering::SeqCst);
    }
}

impl Random for Dice {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomError> {
        if self.broken.load(Ordering::SeqCst) {
            return Err(RandomError);
        }
        let Some(seeded) = &self.seeded else { return OsRandom.fill(bytes) };
        let mut seeded = seeded.lock().unwrap_or_else(PoisonError::into_inner);
        for chunk in bytes.chunks_mut(8) {
            let random = seeded.next().to_le_bytes();
            chunk.copy_from_slice(&random[..chunk.len()]);
        }
        Ok(())
    }
}

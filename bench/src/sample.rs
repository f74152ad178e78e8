//! Sessions to fill stores with.

use std::{
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
    thread::{self, Thread},
    time::{Duration, SystemTime},
};

use session_core::{Entry, Expect, PrincipalKey, Store, StoreKey, Version, Written};

/// An entry of this many bytes that expires within half an hour to an hour.
#[must_use]
pub fn entry(number: u64, bytes: usize) -> Entry {
    let life = Duration::from_millis(1_800_000 + mix(number) % 1_800_000);
    Entry::new(vec![b'.'; bytes], SystemTime::now() + life)
}

/// The instant at which half of the entries have expired.
#[must_use]
pub fn half_time() -> SystemTime {
    SystemTime::now() + Duration::from_secs(2_700)
}

/// A key that looks like a digest.
#[must_use]
pub fn key(number: u64) -> StoreKey {
    StoreKey::from_bytes(digest(number))
}

/// A principal of its own for each session.
#[must_use]
pub fn principal(number: u64) -> PrincipalKey {
    PrincipalKey::from_bytes(digest(!number))
}

/// 32 bytes that look like a digest.
#[must_use]
pub fn digest(number: u64) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (word, salt) in bytes.chunks_exact_mut(8).zip(1..) {
        word.copy_from_slice(&mix(number.wrapping_mul(4).wrapping_add(salt)).to_be_bytes());
    }
    bytes
}

/// SplitMix64 (Steele, Lea, Flood 2014).
#[must_use]
pub const fn mix(seed: u64) -> u64 {
    let word = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let word = (word ^ word >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ word >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ word >> 31
}

/// Stores a new session.
///
/// # Panics
/// If it cannot be stored.
pub fn create(store: &impl Store, key: &StoreKey, entry: Entry) -> Version {
    stored(block_on(store.write(key, entry, Expect::Absent)))
}

/// Replaces a session.
///
/// # Panics
/// If it cannot be replaced.
pub fn replace(store: &impl Store, key: &StoreKey, entry: Entry, version: Version) -> Version {
    stored(block_on(store.write(key, entry, Expect::Version(version))))
}

/// Loads a session.
///
/// # Panics
/// If it is not there.
pub fn load(store: &impl Store, key: &StoreKey) {
    assert!(std::hint::black_box(block_on(store.load(key))).is_ok_and(|found| found.is_some()));
}

/// The version of what was written.
///
/// # Panics
/// If nothing was.
pub fn stored<E: std::fmt::Debug>(written: Result<Written, E>) -> Version {
    match written {
        Ok(Written::Stored(version)) => version,
        other => panic!("not stored: {other:?}"),
    }
}

/// Runs a future that may be answered by another thread.
pub fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);

    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    let mut future = pin!(future);
    if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        return output;
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

/// Runs `work` on so many threads at once.
pub fn in_parallel(threads: usize, work: impl Fn(usize) + Sync) {
    thread::scope(|scope| {
        for number in 0..threads {
            let work = &work;
            scope.spawn(move || work(number));
        }
    });
}

//! The only place that reads the time.

use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// Tells the time. Everything that depends on time takes a clock, so tests never sleep.
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// The current wall-clock time. May jump in either direction.
    fn now(&self) -> SystemTime;
}

/// The clock of the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }
}

/// A clock that stands still until it is moved.
///
/// ```
/// # use std::{sync::Arc, time::{Duration, UNIX_EPOCH}};
/// # use session_core::{Clock, ManualClock};
/// let clock = Arc::new(ManualClock::at_unix(1_000));
/// clock.advance(Duration::from_secs(5));
/// assert_eq!(clock.now(), UNIX_EPOCH + Duration::from_secs(1_005));
/// ```
#[derive(Debug)]
pub struct ManualClock {
    unix_millis: AtomicU64,
}

impl ManualClock {
    /// A clock that shows `seconds` since 1970.
    #[must_use]
    pub const fn at_unix(seconds: u64) -> Self {
        Self { unix_millis: AtomicU64::new(seconds.saturating_mul(1_000)) }
    }

    /// Moves the clock forward, by whole milliseconds.
    pub fn advance(&self, by: Duration) {
        self.shift(|now| now.saturating_add(millis(by)));
    }

    /// Moves the clock back, by whole milliseconds, to 1970 at the earliest.
    pub fn rewind(&self, by: Duration) {
        self.shift(|now| now.saturating_sub(millis(by)));
    }

    fn shift(&self, to: impl Fn(u64) -> u64) {
        let _ = self.unix_millis.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |now| Some(to(now)));
    }
}

impl Clock for ManualClock {
    fn now(&self) -> SystemTime {
        let since = Duration::from_millis(self.unix_millis.load(Ordering::SeqCst));
        UNIX_EPOCH.checked_add(since).unwrap_or(UNIX_EPOCH)
    }
}

impl<C: Clock + ?Sized> Clock for std::sync::Arc<C> {
    fn now(&self) -> SystemTime {
        (**self).now()
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

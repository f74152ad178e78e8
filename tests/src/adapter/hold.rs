//! Holds calls of a store back until a case lets them go.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use tokio::{
    sync::{Semaphore, watch},
    task::yield_now,
};

use super::client::{Flight, PATIENCE};
use crate::{Result, failure::fail};

/// Calls of one kind that are held back. Dropping it lets all of them go.
pub(super) struct Hold {
    barrier: Arc<Barrier>,
    caught: usize,
}

/// Where the calls wait.
pub(super) struct Barrier {
    /// Calls that go through, then calls that are held; all others go through as well.
    spared: AtomicUsize,
    held: AtomicUsize,
    arrived: watch::Sender<usize>,
    permits: Semaphore,
    over: AtomicBool,
}

impl Hold {
    pub(super) fn new(barrier: Arc<Barrier>) -> Self {
        Self { barrier, caught: 0 }
    }

    /// Waits until one more call is held, which must be one that `flight` makes.
    ///
    /// # Errors
    /// If the request is answered without waiting for such a call.
    pub(super) async fn catch(&mut self, flight: &mut Flight) -> Result {
        self.caught += 1;
        let mut arrivals = self.barrier.arrived.subscribe();
        let arrived = arrivals.wait_for(|arrived| *arrived >= self.caught);
        let answered = tokio::select! {
            biased;
            arrived = arrived => {
                arrived?;
                None
            }
            reply = flight.landing() => Some(reply),
        };
        match answered {
            None => Ok(()),
            Some(reply) => fail!("a request is answered with {} and no call for the store", reply?.status),
        }
    }

    /// Waits until one more call is held, `flight` is answered without one, or neither happens although everybody has had
    /// a turn: then it waits for another request. Answers whether a call is held.
    pub(super) async fn may_catch(&mut self, flight: &mut Flight) -> bool {
        for _ in 0..PATIENCE {
            if *self.barrier.arrived.borrow() > self.caught {
                self.caught += 1;
                return true;
            }
            if flight.has_landed() {
                return false;
            }
            yield_now().await;
        }
        false
    }

    /// Lets all calls go, also those that are still to come.
    pub(super) fn release(self) {}
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.barrier.over.store(true, Ordering::SeqCst);
        self.barrier.permits.close();
    }
}

impl fmt::Debug for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hold")
    }
}

impl Barrier {
    pub(super) fn new(spared: usize, held: usize) -> Arc<Self> {
        Arc::new(Self {
            spared: AtomicUsize::new(spared),
            held: AtomicUsize::new(held),
            arrived: watch::Sender::new(0),
            permits: Semaphore::new(0),
            over: AtomicBool::new(false),
        })
    }

    pub(super) fn is_over(&self) -> bool {
        self.over.load(Ordering::SeqCst)
    }

    /// Waits to be let go.
    pub(super) async fn pass(&self) {
        if taken(&self.spared) || !taken(&self.held) {
            return;
        }
        self.arrived.send_modify(|arrived| *arrived += 1);
        // Closed means that everything may go.
        if let Ok(permit) = self.permits.acquire().await {
            permit.forget();
        }
    }
}

/// Takes one, if one is left.
fn taken(number: &AtomicUsize) -> bool {
    number.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |number| number.checked_sub(1)).is_ok()
}

//! A small fair lock for futures, free of any runtime: first come, first served, safe to cancel.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, Waker},
};

use crate::{
    digest::StoreKey,
    sync::{AtomicU8, Mutex, MutexGuard, Ordering, PoisonError},
};

/// Lets one future at a time pass. Without a crowd that is one atomic operation to enter and one to leave.
pub(crate) struct Gate {
    /// [`FREE`], [`TAKEN`], or [`QUEUED`]: then everything happens under the lock of the queue.
    mode: AtomicU8,
    queue: Mutex<Queue>,
}

/// Nobody is inside and nobody waits.
const FREE: u8 = 0;
/// Somebody is inside and nobody waits.
const TAKEN: u8 = 1;
/// Somebody waits.
const QUEUED: u8 = 2;

#[derive(Default)]
struct Queue {
    taken: bool,
    next_ticket: u64,
    /// The first come first. A handful, so taking from the front is cheap, and a vector costs nothing while it is empty.
    waiting: Vec<(u64, Waker)>,
}

impl Gate {
    /// Waits for its turn. The turn lasts until the answer is dropped.
    pub(crate) fn enter(&self) -> Enter<'_> {
        Enter { gate: self, ticket: None }
    }

    /// A turn, if nobody is inside or waits.
    pub(crate) fn enter_now(&self) -> Option<Turn<'_>> {
        self.move_on(FREE, TAKEN).then_some(Turn { gate: self })
    }

    fn move_on(&self, from: u8, to: u8) -> bool {
        self.mode.compare_exchange(from, to, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }

    /// The queue, in the mode in which it counts. `None` if the turn was to be had on the way there.
    fn crowd(&self) -> Option<MutexGuard<'_, Queue>> {
        let mut queue = self.lock();
        loop {
            if self.move_on(FREE, TAKEN) {
                return None;
            }
            if self.move_on(TAKEN, QUEUED) {
                queue.taken = true;
                return Some(queue);
            }
            if self.mode.load(Ordering::Acquire) == QUEUED {
                return Some(queue);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Leaves the queue as it is now: nobody needs its lock any more if nobody waits.
    fn settle(&self, queue: MutexGuard<'_, Queue>) {
        if queue.waiting.is_empty() {
            self.mode.store(if queue.taken { TAKEN } else { FREE }, Ordering::Release);
            return;
        }
        let first = queue.waiting.first().filter(|_| !queue.taken).map(|(_, waker)| waker.clone());
        drop(queue);
        if let Some(first) = first {
            first.wake();
        }
    }
}

impl Default for Gate {
    fn default() -> Self {
        Self { mode: AtomicU8::new(FREE), queue: Mutex::default() }
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Gate")
    }
}

pub(crate) struct Enter<'a> {
    gate: &'a Gate,
    ticket: Option<u64>,
}

impl<'a> Future for Enter<'a> {
    type Output = Turn<'a>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Turn<'a>> {
        let gate = self.gate;
        let Some(ticket) = self.ticket else {
            if gate.move_on(FREE, TAKEN) {
                return Poll::Ready(Turn { gate });
            }
            let Some(mut queue) = gate.crowd() else { return Poll::Ready(Turn { gate }) };
            let ticket = queue.next_ticket;
            queue.next_ticket += 1;
            queue.waiting.push((ticket, context.waker().clone()));
            self.ticket = Some(ticket);
            return Poll::Pending;
        };
        // Who has a ticket waits, so the mode is `QUEUED`.
        let mut queue = gate.lock();
        if !queue.taken && queue.waiting.first().is_some_and(|(first, _)| *first == ticket) {
            queue.taken = true;
            queue.waiting.remove(0);
            self.ticket = None;
            gate.settle(queue);
            return Poll::Ready(Turn { gate });
        }
        if let Some((_, waker)) = queue.waiting.iter_mut().find(|(waiting, _)| *waiting == ticket) {
            waker.clone_from(context.waker());
        }
        Poll::Pending
    }
}

impl Drop for Enter<'_> {
    fn drop(&mut self) {
        let Some(ticket) = self.ticket else { return };
        let mut queue = self.gate.lock();
        queue.waiting.retain(|(waiting, _)| *waiting != ticket);
        self.gate.settle(queue);
    }
}

pub(crate) struct Turn<'a> {
    gate: &'a Gate,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let left = self.gate.mode.compare_exchange(TAKEN, FREE, Ordering::Release, Ordering::Relaxed);
        if left.is_err() {
            let mut queue = self.gate.lock();
            queue.taken = false;
            self.gate.settle(queue);
        }
    }
}

/// A gate for each group of records, so that requests that lost a race for one record queue instead of racing on.
#[derive(Debug)]
pub(crate) struct Gates(Box<[Gate]>);

impl Gates {
    pub(crate) fn of(&self, key: &StoreKey) -> &Gate {
        let [first, ..] = key.as_bytes();
        &self.0[usize::from(*first) % self.0.len()]
    }
}

impl Default for Gates {
    fn default() -> Self {
        Self(std::iter::repeat_with(Gate::default).take(256).collect())
    }
}

#[cfg(test)]
mod tests {
    use std::{pin::pin, task::Wake};

    use super::*;

    struct Count(std::sync::atomic::AtomicUsize);

    impl Wake for Count {
        fn wake(self: std::sync::Arc<Self>) {
            self.0.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        }
    }

    fn poll<'a>(future: Pin<&mut Enter<'a>>) -> Option<Turn<'a>> {
        match future.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(turn) => Some(turn),
            Poll::Pending => None,
        }
    }

    #[test]
    fn first_come_first_served() {
        let gate = Gate::default();
        let (mut first, mut second, mut third) = (pin!(gate.enter()), pin!(gate.enter()), pin!(gate.enter()));
        let turn = poll(first.as_mut()).unwrap();
        assert!(poll(second.as_mut()).is_none());
        assert!(poll(third.as_mut()).is_none());
        drop(turn);
        assert!(poll(third.as_mut()).is_none(), "the second came first");
        let turn = poll(second.as_mut()).unwrap();
        drop(turn);
        assert!(poll(third.as_mut()).is_some());
    }

    #[test]
    fn one_at_a_time_however_many_threads() {
        let (gate, inside) = (Gate::default(), AtomicU8::new(0));
        std::thread::scope(|scope| {
            for thread in 0..4_u8 {
                let (gate, inside) = (&gate, &inside);
                scope.spawn(move || {
                    for round in 0..5_000_u32 {
                        let mut enter = Box::pin(gate.enter());
                        // Some give up, with and without a place in the queue.
                        if (round + u32::from(thread)) % 7 == 0 {
                            drop(poll(enter.as_mut()));
                            continue;
                        }
                        let turn = pollster::block_on(enter);
                        assert_eq!(inside.fetch_add(1, Ordering::Relaxed), 0);
                        inside.fetch_sub(1, Ordering::Relaxed);
                        drop(turn);
                    }
                });
            }
        });
        assert_eq!(gate.mode.load(Ordering::Relaxed), FREE, "nobody is left behind");
    }

    #[test]
    fn who_gives_up_passes_the_turn_on() {
        let gate = Gate::default();
        let counter = std::sync::Arc::new(Count(0.into()));
        let waker = Waker::from(counter.clone());
        let turn = poll(pin!(gate.enter())).unwrap();
        let mut gives_up = Box::pin(gate.enter());
        assert!(poll(gives_up.as_mut()).is_none());
        let mut stays = pin!(gate.enter());
        assert!(stays.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        drop(turn);
        drop(gives_up);
        assert_eq!(counter.0.load(std::sync::atomic::Ordering::SeqCst), 1);
        assert!(poll(stays.as_mut()).is_some());
    }

    #[test]
    fn who_waits_is_woken_by_the_last_waker_it_gave() {
        let gate = Gate::default();
        let counter = std::sync::Arc::new(Count(0.into()));
        let turn = poll(pin!(gate.enter())).unwrap();
        let (mut waits, mut behind) = (pin!(gate.enter()), pin!(gate.enter()));
        for waiting in [waits.as_mut(), behind.as_mut()] {
            assert!(poll(waiting).is_none());
        }
        // It has moved to another task.
        let waker = Waker::from(counter.clone());
        assert!(waits.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        drop(turn);
        assert_eq!(counter.0.load(std::sync::atomic::Ordering::SeqCst), 1);
        assert!(poll(waits.as_mut()).is_some());
    }

    #[test]
    fn records_are_spread_over_many_gates() {
        let gates = Gates::default();
        let gate = |first| std::ptr::from_ref(gates.of(&StoreKey::from_bytes([first; 32])));
        assert_ne!(gate(1), gate(2));
        assert_eq!(gate(1), gate(1));
    }
}

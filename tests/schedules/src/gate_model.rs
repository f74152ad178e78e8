//! The gate of the core in every order that the memory model allows.

use std::{
    pin::pin,
    task::{Context, Poll, Waker},
};

use loom::{
    cell::UnsafeCell,
    sync::{Arc, atomic::AtomicUsize, atomic::Ordering},
    thread,
};

use crate::gate::Gate;

/// What is behind the gate: loom fails if two are there at a time, or one does not see what the one before it did.
struct Room {
    gate: Gate,
    inside: UnsafeCell<()>,
    left: AtomicUsize,
}

impl Room {
    fn new() -> Self {
        Self { gate: Gate::default(), inside: UnsafeCell::new(()), left: AtomicUsize::new(0) }
    }

    fn enter(&self) {
        let turn = loom::future::block_on(self.gate.enter());
        self.inside.with_mut(|_| ());
        self.left.fetch_add(1, Ordering::Relaxed);
        drop(turn);
    }

    /// Comes, waits for one look, and goes away.
    fn give_up(&self) {
        let mut enter = Box::pin(self.gate.enter());
        let mut context = Context::from_waker(Waker::noop());
        if let Poll::Ready(turn) = std::future::Future::poll(pin!(&mut enter), &mut context) {
            self.inside.with_mut(|_| ());
            drop(turn);
        }
    }
}

/// Threads that each enter once, and threads that come and give up.
///
/// # Panics
/// If an order is found in which two are inside at a time, or somebody waits for ever.
pub fn threads(entering: usize, giving_up: usize, preemptions: Option<usize>) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = preemptions;
    model.check(move || {
        let room = Arc::new(Room::new());
        let spawn = |visit: fn(&Room)| {
            let room = Arc::clone(&room);
            thread::spawn(move || visit(&room))
        };
        let others: Vec<_> = (1..entering)
            .map(|_| spawn(Room::enter))
            .chain((0..giving_up).map(|_| spawn(Room::give_up)))
            .collect();
        room.enter();
        for other in others {
            let joined = other.join();
            assert!(joined.is_ok(), "a thread has failed");
        }
        assert_eq!(room.left.load(Ordering::Relaxed), entering, "somebody did not get in");
        // Nobody is left behind: the gate is open for the next one.
        room.enter();
    });
}

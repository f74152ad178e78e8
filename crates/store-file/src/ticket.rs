//! One operation between the task that waits for it, the thread that does it and the clock that ends the waiting.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, Waker},
    time::Instant,
};

use session_core::{StoreError, StoreErrorKind};

use crate::{
    failure::{STORE, TimedOut},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// What an operation asks before it does something that is not undone by stopping.
pub(crate) trait Permit: Sync {
    /// Whether somebody still waits for the answer.
    fn is_wanted(&self) -> bool;

    /// To be called right before the step that changes the record. `false`: the waiting ended, with the promise that
    /// nothing was changed, so nothing may be. After `true` an end of the waiting is [`StoreErrorKind::Indeterminate`].
    fn commit(&self) -> bool;

    /// When the waiting ends.
    fn deadline(&self) -> Instant;
}

/// The shared half of an operation.
pub(crate) struct Ticket<T> {
    deadline: Instant,
    state: Mutex<State<T>>,
}

struct State<T> {
    phase: Phase,
    outcome: Option<Result<T, StoreError>>,
    waker: Option<Waker>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Queued or running; may still be given up without a trace.
    Open,
    /// Changing the record.
    Committing,
    /// Answered, given up, or nobody waits any more.
    Over,
}

impl<T> Ticket<T> {
    pub(crate) fn new(deadline: Instant) -> Arc<Self> {
        Arc::new(Self {
            deadline,
            state: Mutex::new(State { phase: Phase::Open, outcome: None, waker: None }),
        })
    }

    /// The half that waits.
    pub(crate) fn wait(self: &Arc<Self>) -> Wait<T> {
        Wait { ticket: Arc::clone(self) }
    }

    /// Answers, unless the waiting is over.
    pub(crate) fn answer(&self, outcome: Result<T, StoreError>) {
        self.end(|_| outcome);
    }

    fn end(&self, outcome: impl FnOnce(Phase) -> Result<T, StoreError>) {
        let mut state = self.lock();
        if state.phase == Phase::Over {
            return;
        }
        state.outcome = Some(outcome(state.phase));
        state.phase = Phase::Over;
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Send> Permit for Ticket<T> {
    fn is_wanted(&self) -> bool {
        self.lock().phase != Phase::Over
    }

    fn commit(&self) -> bool {
        let mut state = self.lock();
        if state.phase == Phase::Open {
            state.phase = Phase::Committing;
        }
        state.phase == Phase::Committing
    }

    fn deadline(&self) -> Instant {
        self.deadline
    }
}

/// What the clock sees of an operation.
pub(crate) trait Expire: Send + Sync {
    fn deadline(&self) -> Instant;
    fn is_over(&self) -> bool;
    /// Ends the waiting, with what can be said about the record.
    fn expire(&self);
}

impl<T: Send> Expire for Ticket<T> {
    fn deadline(&self) -> Instant {
        self.deadline
    }

    fn is_over(&self) -> bool {
        self.lock().phase == Phase::Over
    }

    fn expire(&self) {
        self.end(|phase| {
            let kind = match phase {
                Phase::Committing => StoreErrorKind::Indeterminate,
                Phase::Open | Phase::Over => StoreErrorKind::Unavailable,
            };
            Err(StoreError::new(kind, STORE).with_source(TimedOut))
        });
    }
}

/// The half of an operation that waits. Dropped before the record is being changed, it stops the operation.
#[must_use]
pub(crate) struct Wait<T> {
    ticket: Arc<Ticket<T>>,
}

impl<T> Future for Wait<T> {
    type Output = Result<T, StoreError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.ticket.lock();
        if let Some(outcome) = state.outcome.take() {
            return Poll::Ready(outcome);
        }
        match &mut state.waker {
            Some(waker) => waker.clone_from(context.waker()),
            none => *none = Some(context.waker().clone()),
        }
        Poll::Pending
    }
}

impl<T> Drop for Wait<T> {
    fn drop(&mut self) {
        let mut state = self.ticket.lock();
        state.phase = Phase::Over;
        state.waker = None;
    }
}

impl<T> fmt::Debug for Ticket<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ticket").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ticket() -> Arc<Ticket<u8>> {
        Ticket::new(Instant::now())
    }

    fn poll(wait: &mut Wait<u8>) -> Poll<Result<u8, StoreErrorKind>> {
        let poll = Pin::new(wait).poll(&mut Context::from_waker(Waker::noop()));
        poll.map(|outcome| outcome.map_err(|error| error.kind()))
    }

    #[test]
    fn an_answer_is_handed_over() {
        let ticket = ticket();
        let mut wait = ticket.wait();
        assert_eq!(poll(&mut wait), Poll::Pending);
        assert!(ticket.is_wanted() && ticket.commit());
        ticket.answer(Ok(7));
        assert_eq!(poll(&mut wait), Poll::Ready(Ok(7)));
    }

    #[test]
    fn what_ran_out_of_time_before_the_change_may_not_change_anything() {
        let ticket = ticket();
        let mut wait = ticket.wait();
        ticket.expire();
        assert_eq!(poll(&mut wait), Poll::Ready(Err(StoreErrorKind::Unavailable)));
        assert!(!ticket.is_wanted() && !ticket.commit());
    }

    #[test]
    fn what_ran_out_of_time_in_the_change_is_in_doubt() {
        let ticket = ticket();
        let mut wait = ticket.wait();
        assert!(ticket.commit());
        ticket.expire();
        ticket.answer(Ok(7));
        assert_eq!(poll(&mut wait), Poll::Ready(Err(StoreErrorKind::Indeterminate)));
    }

    #[test]
    fn what_was_dropped_before_the_change_may_not_change_anything() {
        let ticket = ticket();
        drop(ticket.wait());
        assert!(!ticket.commit() && Expire::is_over(&*ticket));
    }

    #[test]
    fn an_answer_in_time_is_not_taken_back() {
        let ticket = ticket();
        let mut wait = ticket.wait();
        ticket.answer(Ok(7));
        ticket.expire();
        assert_eq!(poll(&mut wait), Poll::Ready(Ok(7)));
    }
}

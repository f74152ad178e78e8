//! A small fair lock for futures, free of any runtime: first come, first served, safe to cancel.

use std::{
    collections::VecDeque,
    fmt,
    pin::Pin,
    sync::{Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use crate::digest::StoreKey;

/// Lets one future at a time pass.
#[derive(Default)]
pub(crate) struct Gate {
    state: Mutex<Queue>,
}

#[derive(Default)]
struct Queue {
    taken: bool,
    next_ticket: u64,
    waiting: VecDeque<(u64, Waker)>,
}

impl Gate {
    /// Waits for its turn. The turn lasts until the answer is dropped.
    pub(crate) fn enter(&self) -> Enter<'_> {
        Enter { gate: self, ticket: None }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
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
        let mut queue = gate.queue();
        let first = match self.ticket {
            None => queue.waiting.is_empty(),
            Some(ticket) => queue.waiting.front().is_some_and(|(first, _)| *first == ticket),
        };
        if first && !queue.taken {
            queue.taken = true;
            if self.ticket.take().is_some() {
                queue.waiting.pop_front();
            }
            return Poll::Ready(Turn { gate });
        }
        match self.ticket {
            None => {
                let ticket = queue.next_ticket;
                queue.next_ticket += 1;
                queue.waiting.push_back((ticket, context.waker().clone()));
                self.ticket = Some(ticket);
            }
            Some(ticket) => {
                if let Some((_, waker)) = queue.waiting.iter_mut().find(|(waiting, _)| *waiting == ticket) {
                    waker.clone_from(context.waker());
                }
            }
        }
        Poll::Pending
    }
}

impl Drop for Enter<'_> {
    fn drop(&mut self) {
        let Some(ticket) = self.ticket else { return };
        let mut queue = self.gate.queue();
        queue.waiting.retain(|(waiting, _)| *waiting != ticket);
        wake_first(queue);
    }
}

pub(crate) struct Turn<'a> {
    gate: &'a Gate,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut queue = self.gate.queue();
        queue.taken = false;
        wake_first(queue);
    }
}

fn wake_first(queue: MutexGuard<'_, Queue>) {
    if queue.taken {
        return;
    }
    let waker = queue.waiting.front().map(|(_, waker)| waker.clone());
    drop(queue);
    if let Some(waker) = waker {
        waker.wake();
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
}

//! Drops a future half way, as a server does when a client goes away.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use crate::{Result, failure::fail};

/// Polls `future` at most `polls` times; `None` if it was not done by then and has been dropped.
pub(crate) async fn cut<F: Future>(polls: usize, future: F) -> Option<F::Output> {
    Cut { future: Box::pin(future), polls }.await
}

/// How many polls a call takes at most before the suite calls it endless.
pub(crate) const POLLS: usize = 500;

/// The number of polls for every cut of a call: none, one, two, until it is done.
pub(crate) fn cuts() -> impl Iterator<Item = usize> {
    0..POLLS
}

/// For the end of a loop over [`cuts`].
pub(crate) fn endless() -> Result {
    fail!("a call is not done after {POLLS} polls")
}

struct Cut<F> {
    future: Pin<Box<F>>,
    polls: usize,
}

impl<F: Future> Future for Cut<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if self.polls == 0 {
            return Poll::Ready(None);
        }
        self.polls -= 1;
        match self.future.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if self.polls == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    }
}

//! The start of a request.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::Response;

use crate::lazy::LazySession;

/// What is to be done with a request.
pub enum Opened {
    /// Hand it on, with this session.
    Continue(LazySession),
    /// Answer it at once; the handler does not run.
    Respond(Response<Bytes>),
}

/// Without the response, whose `Location` may carry a fresh id.
impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Continue(session) => f.debug_tuple("Continue").field(session).finish(),
            Self::Respond(response) => f.debug_tuple("Respond").field(&response.status()).finish(),
        }
    }
}

/// A future that becomes [`Opened`]. Ready at once unless the strategy has to ask the store first.
#[must_use = "futures do nothing unless polled"]
pub struct Opening(State);

enum State {
    Ready(Option<LazySession>),
    Pending(Pin<Box<dyn Future<Output = Opened> + Send>>),
}

impl Opening {
    #[inline]
    pub(crate) const fn ready(session: LazySession) -> Self {
        Self(State::Ready(Some(session)))
    }

    pub(crate) fn pending(future: impl Future<Output = Opened> + Send + 'static) -> Self {
        Self(State::Pending(Box::pin(future)))
    }

    /// What is to be done, if that is known without waiting.
    ///
    /// # Errors
    /// The future, if it has to be waited for.
    #[inline]
    pub fn into_ready(self) -> Result<Opened, Self> {
        match self.0 {
            State::Ready(Some(session)) => Ok(Opened::Continue(session)),
            state => Err(Self(state)),
        }
    }
}

impl Future for Opening {
    type Output = Opened;

    /// # Panics
    /// Never; polled again after it was ready it stays pending.
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Opened> {
        match &mut self.0 {
            State::Ready(session) => {
                session.take().map_or(Poll::Pending, |session| Poll::Ready(Opened::Continue(session)))
            }
            State::Pending(future) => future.as_mut().poll(context),
        }
    }
}

impl fmt::Debug for Opening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Opening")
    }
}

//! What a request carries in its request-local cache.

use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use rocket::Request;
use session_core::LazySession;

/// Filled by the fairing, read by the guards.
#[derive(Default)]
pub(crate) struct Local(Mutex<State>);

#[derive(Default)]
struct State {
    session: Option<LazySession>,
    /// The response of a request that is not to be routed.
    answer: Option<http::Response<Bytes>>,
    /// The response for a guard that could not load the session.
    failed: Option<http::Response<Bytes>>,
}

impl Local {
    /// That of a request; empty if no fairing has seen it.
    pub(crate) fn of<'a>(request: &'a Request<'_>) -> &'a Self {
        request.local_cache(Self::default)
    }

    /// Clones of a `LocalRequest` share their cache, so what an earlier one has left is dropped.
    pub(crate) fn begin(&self, session: LazySession) {
        *self.state() = State { session: Some(session), ..State::default() };
    }

    pub(crate) fn begin_with_answer(&self, answer: http::Response<Bytes>) {
        *self.state() = State { answer: Some(answer), ..State::default() };
    }

    pub(crate) fn fail(&self, response: http::Response<Bytes>) {
        self.state().failed = Some(response);
    }

    pub(crate) fn session(&self) -> Option<LazySession> {
        self.state().session.clone()
    }

    /// Leaves nothing behind.
    pub(crate) fn answer(&self) -> Option<http::Response<Bytes>> {
        self.state().answer.take()
    }

    /// Leaves nothing behind.
    pub(crate) fn failed(&self) -> Option<http::Response<Bytes>> {
        self.state().failed.take()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

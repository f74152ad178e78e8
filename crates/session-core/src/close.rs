//! The end of a request, before the response head leaves.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode};

use crate::{
    commit::{Moment, Task},
    config::SavePolicy,
    error::SessionError,
    lazy::LazySession,
    manager::SessionManager,
    persist::{Announcement, query},
    report::{Announced, CloseReport, Saved},
    response,
    state::State,
};

impl SessionManager {
    /// Ends the session part of a request: stores what has to be stored. To be called with the status of the response
    /// before its head is sent; what the client has to learn is then put on the head by [`Closed::apply`].
    ///
    /// The answer is a future that is ready at once if the store is not needed. Dropped before that, the record is as
    /// before or fully changed.
    pub fn close(&self, session: LazySession, status: StatusCode) -> Closing {
        Closing::new(session, status)
    }

    /// The response an error becomes: for adapters, when a handler or an extractor fails with it.
    #[must_use]
    pub fn respond(&self, error: &SessionError) -> Response<Bytes> {
        self.custom_response(error).unwrap_or_else(|| error.to_response())
    }

    /// The application's own response for an error, if it has one: for frameworks in which an error has become
    /// [`SessionError::to_response`] before the adapter sees it.
    #[must_use]
    pub fn custom_response(&self, error: &SessionError) -> Option<Response<Bytes>> {
        self.0.error_response.as_ref().and_then(|respond| respond(error))
    }
}

impl crate::lazy::Inner {
    /// Ends the time of changes, and answers what is left to do.
    fn prepare_close(&self, state: &mut State, status: StatusCode) -> Left {
        if std::mem::replace(&mut state.closed, true) {
            return Left::Announcing;
        }
        let config = &self.shared.config;
        let dropped = if config.save == SavePolicy::Explicit {
            Some(Saved::LeftToHandler)
        } else if status.is_server_error() && !config.save_on_server_error {
            Some(Saved::DroppedOnServerError)
        } else {
            None
        };
        if let Some(reason) = dropped
            && !std::mem::take(&mut state.pending).is_empty()
        {
            state.revert();
            state.saved = reason;
        }
        if state.ending.is_some() {
            return Left::Ending;
        }
        match Task::of(state, &state.pending, &self.shared, Moment::Close, state.loaded_at) {
            Task::Nothing => Left::Announcing,
            task => Left::Storing(task),
        }
    }
}

/// What is left to do at the end of a request.
#[derive(Clone, Copy)]
enum Left {
    Announcing,
    Storing(Task),
    Ending,
}

/// A future that stores what has to be stored at the end of a request.
#[must_use = "futures do nothing unless polled"]
pub struct Closing(Stage);

enum Stage {
    Ready(Option<Closed>),
    /// Rare and large.
    Failed(Option<Box<CloseError>>),
    Pending(Pin<Box<dyn Future<Output = Result<Closed, CloseError>> + Send>>),
}

impl Closing {
    /// As [`SessionManager::close`], for adapters that have only the session at hand when a request ends.
    #[inline]
    pub fn new(session: LazySession, status: StatusCode) -> Self {
        if session.0.close_unasked() {
            return Self(Stage::Ready(Some(Closed { session, report: Some(CloseReport::default()) })));
        }
        Self::asked(session, status)
    }

    fn asked(session: LazySession, status: StatusCode) -> Self {
        let stored = {
            let state = &mut *session.0.state();
            let stored = match session.0.prepare_close(state, status) {
                Left::Announcing => Some(Ok(())),
                Left::Storing(task) => session.0.commit_now(state, task),
                Left::Ending => None,
            };
            stored.map(|stored| stored.map(|()| state.silent_report()))
        };
        match stored {
            Some(Ok(report)) => Self(Stage::Ready(Some(Closed { session, report }))),
            Some(Err(error)) => Self(Stage::Failed(Some(Box::new(CloseError::new(error, session))))),
            None => Self::storing(session),
        }
    }

    fn storing(session: LazySession) -> Self {
        let closed = Closed { session, report: None };
        Self(Stage::Pending(Box::pin(async move {
            let inner = &closed.session.0;
            let result = inner.commit(Moment::Close).await;
            inner.shared.sweep_sometimes().await;
            match result {
                Ok(()) => Ok(closed),
                Err(error) => Err(CloseError::new(error, closed.session)),
            }
        })))
    }
}

impl Future for Closing {
    type Output = Result<Closed, CloseError>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            Stage::Ready(closed) => closed.take().map_or(Poll::Pending, |closed| Poll::Ready(Ok(closed))),
            Stage::Failed(failed) => failed.take().map_or(Poll::Pending, |failed| Poll::Ready(Err(*failed))),
            Stage::Pending(future) => future.as_mut().poll(context),
        }
    }
}

impl fmt::Debug for Closing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Closing")
    }
}

/// Everything is stored; what is left is to tell the client.
#[derive(Debug)]
#[must_use = "the client learns nothing unless this is applied to the response"]
pub struct Closed {
    session: LazySession,
    /// What is known already because the client has nothing to learn.
    report: Option<CloseReport>,
}

impl Closed {
    /// Puts what the client has to learn on the head of the response, and answers what was done and why.
    ///
    /// Fields of the application are kept: `Vary` and `Cache-Control` are added to, never replaced.
    #[inline]
    pub fn apply(self, headers: &mut HeaderMap) -> CloseReport {
        match self.report {
            Some(report) if !report.varies => report,
            _ => self.tell(headers),
        }
    }

    fn tell(self, headers: &mut HeaderMap) -> CloseReport {
        let inner = &*self.session.0;
        let shared = &inner.shared;
        let report = self.report.unwrap_or_else(|| inner.announce(headers));
        if !report.varies {
            return report;
        }
        shared.varying.mark(headers);
        if shared.in_urls {
            query::guard(headers);
        }
        tracing::debug!(%report, "session closed");
        if let Some(listener) = &shared.on_close {
            listener(&report);
        }
        report
    }
}

impl crate::lazy::Inner {
    /// Tells the client what it has to learn.
    fn announce(&self, headers: &mut HeaderMap) -> CloseReport {
        let (state, shared) = (self.state(), &self.shared);
        match (state.announced, &state.live) {
            (Announced::Resealed, _) => {
                if let Some(sealed) = &state.sealed {
                    shared.persistence.announce(Announcement::State { sealed }, headers);
                }
            }
            (Announced::New | Announced::Rotated | Announced::Refreshed, Some(live))
                if !live.id.is_supplied() =>
            {
                let lifetime = shared.config.expiry.deadline(&live.record.meta()).since(shared.now());
                let issue = Announcement::Issue { id: &live.id, source: live.source, lifetime };
                shared.persistence.announce(issue, headers);
            }
            (Announced::Withdrawn, _) => {
                shared.persistence.announce(Announcement::Withdraw { source: state.source }, headers);
            }
            _ => {}
        }
        if !matches!(state.announced, Announced::NothingAsked | Announced::NothingNew) {
            response::forbid_storing(headers);
        }
        state.report()
    }
}

impl State {
    /// The report, if the client has nothing to learn.
    fn silent_report(&self) -> Option<CloseReport> {
        (self.announced == Announced::NothingNew).then(|| self.report())
    }

    fn report(&self) -> CloseReport {
        CloseReport {
            announced: self.announced,
            saved: self.saved,
            varies: self.announced != Announced::NothingAsked,
        }
    }
}

/// The changes of a request could not be stored.
#[derive(Debug)]
pub struct CloseError {
    error: SessionError,
    closed: Closed,
}

impl CloseError {
    fn new(error: SessionError, session: LazySession) -> Self {
        session.0.state().saved = Saved::Failed;
        Self { error, closed: Closed { session, report: None } }
    }

    /// Why.
    #[must_use]
    pub const fn error(&self) -> &SessionError {
        &self.error
    }

    /// The response to send instead of the handler's: never a success for something that was not stored. It carries
    /// what the client has to learn about parts that were stored before.
    #[must_use]
    pub fn into_response(self) -> Response<Bytes> {
        self.into_parts().1
    }

    /// The error, and the response of [`into_response`](Self::into_response).
    #[must_use]
    pub fn into_parts(self) -> (SessionError, Response<Bytes>) {
        let manager = self.closed.session.manager();
        let mut response = manager.respond(&self.error);
        self.closed.apply(response.headers_mut());
        (self.error, response)
    }
}

impl fmt::Display for CloseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl std::error::Error for CloseError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}

impl LazySession {
    /// Whether there is nothing to do at the end of the request: nobody has asked for the session.
    #[must_use]
    pub fn is_untouched(&self) -> bool {
        self.0.is_unasked()
    }
}

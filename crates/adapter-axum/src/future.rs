//! The way of a request through the layer, as a state machine without a boxed future.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use axum::body::{Body, HttpBody};
use bytes::Bytes;
use http::{Request, Response};
use pin_project_lite::pin_project;
use session_core::{CloseError, Closed, Closing, LazySession, Opened, Opening};
use tower_service::Service;

use crate::{error::SessionError, middleware::Settings};

pin_project! {
    /// The future of [`SessionService`](crate::SessionService).
    ///
    /// Dropped before it is ready, because the client is gone for example, the record is as before or fully changed.
    /// If the service fails instead of answering, nothing is stored.
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<S, B>
    where
        S: Service<Request<B>>,
    {
        // The session to close; `None` before it is opened, and below a layer that does it.
        session: Option<LazySession>,
        close_reports: bool,
        #[pin]
        stage: Stage<S::Future, Waiting<S, B>>,
    }
}

pin_project! {
    #[project = StageProjection]
    enum Stage<F, W> {
        // Boxed, so that the common way does not carry the request along.
        Opening { waiting: Option<Box<W>> },
        Handling { #[pin] handling: F },
        Closing { closing: Closing, response: Option<Response<Body>> },
        Answered { response: Option<Response<Body>> },
    }
}

/// A request that the strategy has to look at before the service runs.
struct Waiting<S, B> {
    opening: Opening,
    settings: Settings,
    service: S,
    request: Request<B>,
}

impl<S: Service<Request<B>>, B> ResponseFuture<S, B> {
    pub(crate) fn handling(settings: &Settings, session: LazySession, handling: S::Future) -> Self {
        let close_reports = settings.close_reports;
        Self { session: Some(session), close_reports, stage: Stage::Handling { handling } }
    }

    /// Leaves the session to an outer layer.
    pub(crate) fn passing(handling: S::Future) -> Self {
        Self { session: None, close_reports: false, stage: Stage::Handling { handling } }
    }

    pub(crate) fn answered(response: Response<Bytes>) -> Self {
        let response = Some(response.map(Body::from));
        Self { session: None, close_reports: false, stage: Stage::Answered { response } }
    }

    pub(crate) fn opening(settings: &Settings, opening: Opening, service: S, request: Request<B>) -> Self {
        let close_reports = settings.close_reports;
        let waiting = Some(Box::new(Waiting { opening, settings: settings.clone(), service, request }));
        Self { session: None, close_reports, stage: Stage::Opening { waiting } }
    }
}

impl<S, B, ResponseBody> Future for ResponseFuture<S, B>
where
    S: Service<Request<B>, Response = Response<ResponseBody>>,
    ResponseBody: HttpBody<Data = Bytes> + Send + 'static,
    ResponseBody::Error: Into<axum::BoxError>,
{
    type Output = Result<Response<Body>, S::Error>;

    /// # Panics
    /// Never; polled again after it was ready it stays pending.
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            match this.stage.as_mut().project() {
                StageProjection::Opening { waiting } => {
                    let Some(opening) = waiting else { return Poll::Pending };
                    let opened = ready!(Pin::new(&mut opening.opening).poll(context));
                    let Some(waiting) = waiting.take() else { return Poll::Pending };
                    match opened {
                        Opened::Respond(response) => return Poll::Ready(Ok(response.map(Body::from))),
                        Opened::Continue(session) => {
                            let Waiting { settings, mut service, mut request, .. } = *waiting;
                            settings.attach(session.clone(), &mut request);
                            *this.session = Some(session);
                            this.stage.set(Stage::Handling { handling: service.call(request) });
                        }
                    }
                }
                StageProjection::Handling { handling } => {
                    let mut response = ready!(handling.poll(context))?.map(Body::new);
                    let Some(session) = this.session.take() else {
                        return Poll::Ready(Ok(response));
                    };
                    answer_failure(&session, &mut response);
                    let mut closing = Closing::new(session, response.status());
                    match Pin::new(&mut closing).poll(context) {
                        Poll::Ready(closed) => {
                            finish(closed, &mut response, *this.close_reports);
                            return Poll::Ready(Ok(response));
                        }
                        Poll::Pending => {
                            this.stage.set(Stage::Closing { closing, response: Some(response) });
                            return Poll::Pending;
                        }
                    }
                }
                StageProjection::Closing { closing, response } => {
                    let closed = ready!(Pin::new(closing).poll(context));
                    let Some(mut response) = response.take() else { return Poll::Pending };
                    finish(closed, &mut response, *this.close_reports);
                    return Poll::Ready(Ok(response));
                }
                StageProjection::Answered { response } => {
                    return response.take().map_or(Poll::Pending, |response| Poll::Ready(Ok(response)));
                }
            }
        }
    }
}

/// Puts the application's own response in the place of the one that an error of the handler has become.
fn answer_failure(session: &LazySession, response: &mut Response<Body>) {
    if let Some(error) = SessionError::unanswered(response)
        && let Some(custom) = session.manager().custom_response(&error)
    {
        *response = error.attach(custom.map(Body::from));
    }
}

/// Tells the client what it has to learn, on the handler's response or on the one that replaces it.
fn finish(closed: Result<Closed, CloseError>, response: &mut Response<Body>, close_reports: bool) {
    match closed {
        Ok(closed) => {
            let report = closed.apply(response.headers_mut());
            if close_reports && report.varies {
                response.extensions_mut().insert(report);
            }
        }
        Err(failed) => {
            let (error, answer) = failed.into_parts();
            *response = SessionError::from(error).attach(answer.map(Body::from));
        }
    }
}

impl<S: Service<Request<B>>, B> fmt::Debug for ResponseFuture<S, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ResponseFuture")
    }
}

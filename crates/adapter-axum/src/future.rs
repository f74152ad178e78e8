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
use session_core::{CloseError, Closed, Closing, LazySession, Opened, Opening, SessionManager};
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
        settings: Settings,
        // The session to close; `None` before it is opened, and below a layer that does it.
        session: Option<LazySession>,
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
    service: S,
    request: Request<B>,
}

impl<S: Service<Request<B>>, B> ResponseFuture<S, B> {
    pub(crate) fn handling(settings: &Settings, session: LazySession, handling: S::Future) -> Self {
        Self::new(settings, Some(session), Stage::Handling { handling })
    }

    /// Leaves the session to an outer layer.
    pub(crate) fn passing(settings: &Settings, handling: S::Future) -> Self {
        Self::new(settings, None, Stage::Handling { handling })
    }

    pub(crate) fn answered(settings: &Settings, response: Response<Bytes>) -> Self {
        Self::new(settings, None, Stage::Answered { response: Some(response.map(Body::from)) })
    }

    pub(crate) fn opening(settings: &Settings, opening: Opening, service: S, request: Request<B>) -> Self {
        let waiting = Some(Box::new(Waiting { opening, service, request }));
        Self::new(settings, None, Stage::Opening { waiting })
    }

    fn new(
        settings: &Settings,
        session: Option<LazySession>,
        stage: Stage<S::Future, Waiting<S, B>>,
    ) -> Self {
        Self { settings: settings.clone(), session, stage }
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
                            let Waiting { mut service, mut request, .. } = *waiting;
                            this.settings.attach(session.clone(), &mut request);
                            *this.session = Some(session);
                            this.stage.set(Stage::Handling { handling: service.call(request) });
                        }
                    }
                }
                StageProjection::Handling { handling } => {
                    let response = ready!(handling.poll(context))?.map(Body::new);
                    let Some(session) = this.session.take() else {
                        return Poll::Ready(Ok(response));
                    };
                    let response = answer_failure(&this.settings.manager, response);
                    let mut closing = this.settings.manager.close(session, response.status());
                    match Pin::new(&mut closing).poll(context) {
                        Poll::Ready(closed) => {
                            return Poll::Ready(Ok(finish(closed, response, this.settings)));
                        }
                        Poll::Pending => {
                            this.stage.set(Stage::Closing { closing, response: Some(response) });
                            return Poll::Pending;
                        }
                    }
                }
                StageProjection::Closing { closing, response } => {
                    let closed = ready!(Pin::new(closing).poll(context));
                    let Some(response) = response.take() else { return Poll::Pending };
                    return Poll::Ready(Ok(finish(closed, response, this.settings)));
                }
                StageProjection::Answered { response } => {
                    return response.take().map_or(Poll::Pending, |response| Poll::Ready(Ok(response)));
                }
            }
        }
    }
}

/// Puts the application's own response in the place of the one that an error of the handler has become.
fn answer_failure(manager: &SessionManager, mut response: Response<Body>) -> Response<Body> {
    let Some(error) = SessionError::unanswered(&mut response) else { return response };
    match manager.custom_response(&error) {
        Some(custom) => error.attach(custom.map(Body::from)),
        None => response,
    }
}

/// Tells the client what it has to learn, on the handler's response or on the one that replaces it.
fn finish(
    closed: Result<Closed, CloseError>,
    mut response: Response<Body>,
    settings: &Settings,
) -> Response<Body> {
    match closed {
        Ok(closed) => {
            let report = closed.apply(response.headers_mut());
            if settings.close_reports && report.varies {
                response.extensions_mut().insert(report);
            }
            response
        }
        Err(failed) => {
            let (error, response) = failed.into_parts();
            SessionError::from(error).attach(response.map(Body::from))
        }
    }
}

impl<S: Service<Request<B>>, B> fmt::Debug for ResponseFuture<S, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ResponseFuture")
    }
}

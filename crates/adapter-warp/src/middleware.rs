//! The wrap: opens the session part of a request before the routes see it and closes it after.

use std::{convert::Infallible, sync::Arc};

use http::{Request, uri::Authority};
use session_core::{
    CloseError, Closed, ConfigError, LazySession, Opened, Origin, RequestHead, SessionManager,
};
use tower_service::Service;
use warp::{Filter, Rejection, Reply, reply::Response};

use crate::{error::SessionError, extract};

/// Gives every request of the routes it is wrapped around a session.
///
/// A request that does not ask for its session costs no store call, and its response gets no header field.
#[derive(Clone, Debug)]
pub struct SessionLayer {
    manager: SessionManager,
    close_reports: bool,
    trusted_origins: Option<Arc<[Origin]>>,
}

impl SessionLayer {
    /// A layer for the sessions of `manager`.
    #[must_use]
    pub fn new(manager: SessionManager) -> Self {
        Self { manager, close_reports: false, trusted_origins: None }
    }

    /// Lets pages of these origins make requests that [`csrf`](crate::csrf()) and [`csrf_form`](crate::csrf_form)
    /// guard, beside the application's own. Their requests still need a token of the session.
    ///
    /// # Errors
    /// [`ConfigError`] for a spelling that no browser sends; see [`Origin`].
    pub fn with_trusted_origins<O: AsRef<str>>(
        mut self,
        origins: impl IntoIterator<Item = O>,
    ) -> Result<Self, ConfigError> {
        let origins: Result<Vec<Origin>, _> =
            origins.into_iter().map(|origin| origin.as_ref().parse()).collect();
        self.trusted_origins = Some(origins?.into());
        Ok(self)
    }

    /// Puts a [`CloseReport`](session_core::CloseReport) into the extensions of each response whose request used the
    /// session, for outer middleware that shows or records it.
    #[must_use]
    pub fn with_close_reports(mut self) -> Self {
        self.close_reports = true;
        self
    }

    /// The routes as a service whose requests have a session, for [`serve`](crate::serve), `hyper` or any other server
    /// of tower services.
    ///
    /// Every answer passes through here, also those that `recover` makes of rejections and those that warp makes of
    /// rejections nobody has recovered: what the session has to tell the client is on all of them, and nothing leaves
    /// before the session is stored.
    ///
    /// Dropped before it is ready, because the client is gone for example, the future of a request leaves the record
    /// as before or fully changed.
    pub fn wrap<F, B>(
        self,
        routes: F,
    ) -> impl Service<
        Request<B>,
        Response = Response,
        Error = Infallible,
        Future = impl Future<Output = Result<Response, Infallible>> + Send,
    > + Clone
    + Send
    + Sync
    where
        F: Filter<Extract: Reply + Send, Error: Into<Rejection>> + Send + Sync + 'static,
        B: http_body::Body<Data: Send, Error: Into<Box<dyn std::error::Error + Send + Sync>>>
            + Send
            + Sync
            + 'static,
    {
        let routes = warp::service(routes.boxed().recover(extract::recover));
        tower::service_fn(move |request| self.clone().handle(routes.clone(), request))
    }

    async fn handle<S, B>(self, mut routes: S, mut request: Request<B>) -> Result<Response, Infallible>
    where
        S: Service<Request<B>, Response = Response, Error = Infallible>,
    {
        let opening = self.manager.open(&RequestHead::from(&request));
        let session = match opening.await {
            Opened::Continue(session) => session,
            Opened::Respond(response) => return Ok(response.into_response()),
        };
        let attached = Attached {
            session: session.clone(),
            authority: request.uri().authority().cloned(),
            trusted_origins: self.trusted_origins.clone(),
        };
        request.extensions_mut().insert(attached);
        let response = self.answer_failure(routes.call(request).await?);
        let closed = self.manager.close(session, response.status()).await;
        Ok(self.finish(closed, response))
    }

    /// Puts the application's own response in the place of the one that an error of a handler has become.
    fn answer_failure(&self, response: Response) -> Response {
        let custom = SessionError::of_response(&response)
            .and_then(|error| Some((error.clone(), self.manager.custom_response(error)?)));
        match custom {
            Some((error, custom)) => error.attach(custom),
            None => response,
        }
    }

    /// Tells the client what it has to learn, on the routes' response or on the one that replaces it.
    fn finish(&self, closed: Result<Closed, CloseError>, mut response: Response) -> Response {
        match closed {
            Ok(closed) => {
                let report = closed.apply(response.headers_mut());
                if self.close_reports && report.varies {
                    response.extensions_mut().insert(report);
                }
                response
            }
            Err(failed) => {
                let (error, response) = failed.into_parts();
                SessionError::from(error).attach(response)
            }
        }
    }
}

/// What the filters find in the extensions of a request.
#[derive(Clone, Debug)]
pub(crate) struct Attached {
    pub(crate) session: LazySession,
    /// Where the request goes to, if it says so in its target, as in HTTP/2.
    pub(crate) authority: Option<Authority>,
    trusted_origins: Option<Arc<[Origin]>>,
}

impl Attached {
    pub(crate) fn trusted_origins(&self) -> &[Origin] {
        self.trusted_origins.as_deref().unwrap_or_default()
    }
}

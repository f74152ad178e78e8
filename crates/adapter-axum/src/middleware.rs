//! The layer: opens the session part of a request before the service and closes it after.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use axum::body::{Body, HttpBody};
use bytes::Bytes;
use http::{Extensions, Request, Response};
use session_core::{ConfigError, LazySession, Opened, Origin, RequestHead, SessionManager};
use tower_layer::Layer;
use tower_service::Service;

use crate::future::ResponseFuture;

/// Gives every request of the services below it a session.
///
/// One layer serves a router, nested routers, or several applications at once. A request that does not ask for its
/// session costs no store call, and its response gets no header field.
///
/// # Nesting
/// Below a layer of the same [`SessionManager`] (or of a clone) this one does nothing: the session is loaded once and
/// answered once, with the settings of the outer layer. Below a layer of another manager both work, each with its own
/// session; extractors find the one of the inner layer.
#[derive(Clone, Debug)]
pub struct SessionLayer {
    settings: Settings,
}

/// What every clone of the layer and of its services shares.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) manager: SessionManager,
    pub(crate) close_reports: bool,
    trusted_origins: Option<Arc<[Origin]>>,
}

impl SessionLayer {
    /// A layer for the sessions of `manager`.
    #[must_use]
    pub fn new(manager: SessionManager) -> Self {
        Self { settings: Settings { manager, close_reports: false, trusted_origins: None } }
    }

    /// Lets pages of these origins make requests that [`Csrf`](crate::Csrf) and [`CsrfForm`](crate::CsrfForm) guard,
    /// beside the application's own. Their requests still need a token of the session.
    ///
    /// # Errors
    /// [`ConfigError`] for a spelling that no browser sends; see [`Origin`].
    pub fn with_trusted_origins<O: AsRef<str>>(
        mut self,
        origins: impl IntoIterator<Item = O>,
    ) -> Result<Self, ConfigError> {
        let origins: Result<Vec<Origin>, _> =
            origins.into_iter().map(|origin| origin.as_ref().parse()).collect();
        self.settings.trusted_origins = Some(origins?.into());
        Ok(self)
    }

    /// Puts a [`CloseReport`](session_core::CloseReport) into the extensions of each response whose request used the
    /// session, for outer middleware that shows or records it.
    #[must_use]
    pub fn with_close_reports(mut self) -> Self {
        self.settings.close_reports = true;
        self
    }
}

impl<S> Layer<S> for SessionLayer {
    type Service = SessionService<S>;

    fn layer(&self, inner: S) -> SessionService<S> {
        SessionService { inner, settings: self.settings.clone() }
    }
}

/// A service whose requests have a session. Made by [`SessionLayer`].
#[derive(Clone, Debug)]
pub struct SessionService<S> {
    inner: S,
    settings: Settings,
}

impl<S, RequestBody, ResponseBody> Service<Request<RequestBody>> for SessionService<S>
where
    S: Service<Request<RequestBody>, Response = Response<ResponseBody>> + Clone,
    ResponseBody: HttpBody<Data = Bytes> + Send + 'static,
    ResponseBody::Error: Into<axum::BoxError>,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = ResponseFuture<S, RequestBody>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<RequestBody>) -> Self::Future {
        let settings = &self.settings;
        if Attached::find(request.extensions())
            .is_some_and(|attached| attached.session.is_of(&settings.manager))
        {
            return ResponseFuture::passing(self.inner.call(request));
        }
        match settings.manager.open(&RequestHead::from(&request)).into_ready() {
            Ok(Opened::Continue(session)) => {
                settings.attach(session.clone(), &mut request);
                ResponseFuture::handling(settings, session, self.inner.call(request))
            }
            Ok(Opened::Respond(response)) => ResponseFuture::answered(response),
            Err(opening) => {
                // The service that is ready has to be the one that is called.
                let clone = self.inner.clone();
                let service = std::mem::replace(&mut self.inner, clone);
                ResponseFuture::opening(settings, opening, service, request)
            }
        }
    }
}

impl Settings {
    pub(crate) fn attach<B>(&self, session: LazySession, request: &mut Request<B>) {
        request.extensions_mut().insert(Attached { session, trusted_origins: self.trusted_origins.clone() });
    }
}

/// What the extractors find in the extensions of a request.
#[derive(Clone)]
pub(crate) struct Attached {
    pub(crate) session: LazySession,
    trusted_origins: Option<Arc<[Origin]>>,
}

impl Attached {
    pub(crate) fn find(extensions: &Extensions) -> Option<&Self> {
        extensions.get()
    }

    pub(crate) fn trusted_origins(&self) -> &[Origin] {
        self.trusted_origins.as_deref().unwrap_or_default()
    }
}

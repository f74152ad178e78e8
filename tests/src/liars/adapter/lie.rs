//! What a lie is, and the adapter that tells it.

use std::{future::Future, sync::Arc};

use bytes::Bytes;
use http::{Method, Request, Response};
use session_core::{LazySession, Opened, RequestHead, SessionManager};

use crate::{
    adapter::{Adapter, Persist},
    fixture,
};

/// One fault. Whatever a lie does not change is done as [`Direct`](crate::adapter::Direct) does it.
pub(super) trait Lie: Default + Send + Sync + 'static {
    /// How ids travel where the lie is told.
    const PERSIST: Persist = Persist::Cookie;

    /// Changes a request before anything looks at it.
    fn receive(&self, _request: &mut Request<Bytes>) {}

    fn open(
        &self,
        manager: &SessionManager,
        request: &Request<Bytes>,
    ) -> impl Future<Output = Opened> + Send {
        manager.open(&RequestHead::from(request))
    }

    /// What the application answers, errors included.
    fn handle(
        &self,
        manager: &SessionManager,
        session: &LazySession,
        request: &Request<Bytes>,
    ) -> impl Future<Output = Response<Bytes>> + Send {
        answer(manager, session, request)
    }

    fn close(
        &self,
        manager: &SessionManager,
        session: LazySession,
        response: Response<Bytes>,
    ) -> impl Future<Output = Response<Bytes>> + Send {
        close(manager, session, response)
    }

    /// Changes the response that leaves.
    fn respond(&self, _request: &Request<Bytes>, _response: &mut Response<Bytes>) {}
}

/// An adapter that tells the lie `L`.
pub(super) struct Liar<L> {
    manager: SessionManager,
    lie: Arc<L>,
}

impl<L: Lie> Adapter for Liar<L> {
    async fn start(manager: SessionManager) -> Self {
        Self { manager, lie: Arc::default() }
    }

    async fn send(&self, mut request: Request<Bytes>) -> Response<Bytes> {
        let Self { manager, lie } = self;
        lie.receive(&mut request);
        let session = match lie.open(manager, &request).await {
            Opened::Continue(session) => session,
            Opened::Respond(mut response) => {
                lie.respond(&request, &mut response);
                return response;
            }
        };
        let mut response = lie.handle(manager, &session, &request).await;
        if request.method() == Method::HEAD {
            *response.body_mut() = Bytes::new();
        }
        let mut response = lie.close(manager, session, response).await;
        lie.respond(&request, &mut response);
        response
    }
}

pub(super) async fn answer(
    manager: &SessionManager,
    session: &LazySession,
    request: &Request<Bytes>,
) -> Response<Bytes> {
    let answer = fixture::answer(session, request.method(), request.uri().path(), request.body()).await;
    answer.unwrap_or_else(|error| manager.respond(&error))
}

pub(super) async fn close(
    manager: &SessionManager,
    session: LazySession,
    mut response: Response<Bytes>,
) -> Response<Bytes> {
    match manager.close(session, response.status()).await {
        Ok(closed) => {
            closed.apply(response.headers_mut());
            response
        }
        Err(error) => error.into_response(),
    }
}

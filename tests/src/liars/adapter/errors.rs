//! Lies about what went wrong.

use http::header::RETRY_AFTER;

use super::prelude::*;

/// Answers what the application said, though it could not be stored.
#[derive(Default)]
pub(super) struct HidesFailedSaves;

impl Lie for HidesFailedSaves {
    async fn close(
        &self,
        manager: &SessionManager,
        session: LazySession,
        mut response: Response<Bytes>,
    ) -> Response<Bytes> {
        match manager.close(session, response.status()).await {
            Ok(closed) => {
                closed.apply(response.headers_mut());
                response
            }
            Err(_) => response,
        }
    }
}

/// Sends the error at the end of a request, without what the client has to learn.
#[derive(Default)]
pub(super) struct TellsNothingWithErrors;

impl Lie for TellsNothingWithErrors {
    async fn close(
        &self,
        manager: &SessionManager,
        session: LazySession,
        mut response: Response<Bytes>,
    ) -> Response<Bytes> {
        match manager.close(session, response.status()).await {
            Ok(closed) => {
                closed.apply(response.headers_mut());
                response
            }
            Err(error) => manager.respond(error.error()),
        }
    }
}

/// Takes a session that cannot be loaded for none (D12).
#[derive(Default)]
pub(super) struct TakesOutagesForStrangers;

impl Lie for TakesOutagesForStrangers {
    async fn open(&self, manager: &SessionManager, request: &Request<Bytes>) -> Opened {
        let opened = manager.open(&RequestHead::from(request)).await;
        if request.uri().path() != "/untouched"
            && let Opened::Continue(session) = &opened
            && session.load().await.is_err()
        {
            let mut stranger = Request::new(());
            *stranger.method_mut() = request.method().clone();
            return manager.open(&RequestHead::from(&stranger)).await;
        }
        opened
    }
}

/// Answers every error with an empty 500.
#[derive(Default)]
pub(super) struct MakesEveryErrorA500;

impl Lie for MakesEveryErrorA500 {
    async fn handle(
        &self,
        manager: &SessionManager,
        session: &LazySession,
        request: &Request<Bytes>,
    ) -> Response<Bytes> {
        let mut response = answer(manager, session, request).await;
        if response.status() == StatusCode::SERVICE_UNAVAILABLE
            && response.headers().contains_key(RETRY_AFTER)
        {
            response = Response::new(Bytes::new());
            *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        }
        response
    }
}

/// Makes its own answers to sessions that cannot be loaded, whatever the application has configured.
#[derive(Default)]
pub(super) struct IgnoresTheApplicationsAnswers;

impl Lie for IgnoresTheApplicationsAnswers {
    async fn handle(
        &self,
        manager: &SessionManager,
        session: &LazySession,
        request: &Request<Bytes>,
    ) -> Response<Bytes> {
        if request.uri().path() != "/untouched"
            && let Err(error) = session.load().await
        {
            return error.to_response();
        }
        answer(manager, session, request).await
    }
}

/// Leaves out when to try again.
#[derive(Default)]
pub(super) struct DropsRetryAfter;

impl Lie for DropsRetryAfter {
    fn respond(&self, _: &Request<Bytes>, response: &mut Response<Bytes>) {
        response.headers_mut().remove(RETRY_AFTER);
    }
}

/// Reports every response as a success, so the setting for failing ones has no effect.
#[derive(Default)]
pub(super) struct ClosesAsSuccess;

impl Lie for ClosesAsSuccess {
    async fn close(
        &self,
        manager: &SessionManager,
        session: LazySession,
        mut response: Response<Bytes>,
    ) -> Response<Bytes> {
        match manager.close(session, StatusCode::OK).await {
            Ok(closed) => {
                closed.apply(response.headers_mut());
                response
            }
            Err(error) => error.into_response(),
        }
    }
}

/// Drops what a failing request has changed, without being told to (D2, D31).
#[derive(Default)]
pub(super) struct DropsChangesOfFailures;

impl Lie for DropsChangesOfFailures {
    async fn close(
        &self,
        manager: &SessionManager,
        session: LazySession,
        response: Response<Bytes>,
    ) -> Response<Bytes> {
        if response.status().is_server_error() { response } else { close(manager, session, response).await }
    }
}

/// Puts ids into the answers to errors.
#[derive(Default)]
pub(super) struct ShowsIdsInErrors;

impl Lie for ShowsIdsInErrors {
    fn respond(&self, request: &Request<Bytes>, response: &mut Response<Bytes>) {
        if response.status().is_server_error() && response.headers().contains_key(RETRY_AFTER) {
            *response.body_mut() = Bytes::from(format!("{:?}", request.headers()));
        }
    }
}

//! The reference adapter: open, answer, close, apply, and no framework.

use bytes::Bytes;
use http::{Method, Request, Response};
use session_core::{Opened, RequestHead, SessionManager};

use super::application::Adapter;
use crate::fixture;

/// An adapter to no framework at all. It shows in a few lines what every adapter has to do, and in which order.
#[derive(Clone, Debug)]
pub struct Direct(SessionManager);

impl Adapter for Direct {
    async fn start(manager: SessionManager) -> Self {
        Self(manager)
    }

    async fn send(&self, request: Request<Bytes>) -> Response<Bytes> {
        let Self(manager) = self;
        let session = match manager.open(&RequestHead::from(&request)).await {
            Opened::Continue(session) => session,
            Opened::Respond(response) => return response,
        };
        let answer = fixture::answer(&session, request.method(), request.uri().path(), request.body()).await;
        let mut response = answer.unwrap_or_else(|error| manager.respond(&error));
        if request.method() == Method::HEAD {
            *response.body_mut() = Bytes::new();
        }
        match manager.close(session, response.status()).await {
            Ok(closed) => {
                closed.apply(response.headers_mut());
                response
            }
            Err(error) => error.into_response(),
        }
    }
}

//! What did not work, in the words of the shop.

use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{
    HeaderValue, StatusCode,
    header::{CONTENT_TYPE, RETRY_AFTER},
};
use session_adapter_axum::{Session, SessionError};

/// A title and a sentence, in the extensions of a response; the frame makes a page of it for browsers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Problem {
    pub(super) title: &'static str,
    pub(super) text: &'static str,
}

impl Problem {
    /// What is said about a status.
    pub(super) fn of(status: StatusCode) -> Self {
        let (title, text) = match status {
            StatusCode::FORBIDDEN => (
                "Was that you?",
                "The request did not prove that it comes from an open page of this shop, so nothing was changed. If it \
                 was you, reload the page and try again.",
            ),
            StatusCode::NOT_FOUND => ("Not on the shelf", "There is no such page in this shop."),
            StatusCode::METHOD_NOT_ALLOWED => ("Not like this", "This page does not take such a request."),
            StatusCode::CONFLICT => (
                "Somebody was faster",
                "Another request ended this session or changed its id while this one ran. Go back and try again.",
            ),
            StatusCode::PAYLOAD_TOO_LARGE => ("Too much tea", "This is more than a session may hold."),
            StatusCode::SERVICE_UNAVAILABLE => (
                "The kettle is off",
                "The session store does not answer. You are not signed out: try again in a moment.",
            ),
            status if status.is_client_error() => {
                ("That did not work", "The request is not one that this shop understands.")
            }
            _ => ("We spilled something", "This is our mistake, not yours."),
        };
        Self { title, text }
    }
}

/// For [`ManagerBuilder::error_response`](session_core::ManagerBuilder::error_response).
pub(crate) fn of_session_error(error: &session_core::SessionError) -> http::Response<Bytes> {
    let status = error.status();
    let problem = Problem::of(status);
    let mut response = http::Response::new(Bytes::from(format!("{}\n", problem.text)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response.extensions_mut().insert(problem);
    response
}

/// For paths that lead nowhere. Loads the session, so that the page shows who is signed in.
pub(super) async fn not_found(_: Session) -> Response {
    StatusCode::NOT_FOUND.into_response()
}

/// A tea that does not exist.
pub(super) fn no_such_tea() -> Result<Response, SessionError> {
    Ok(StatusCode::NOT_FOUND.into_response())
}

#[cfg(test)]
mod tests {
    use axum::{body::Body, extract::Request};
    use http::header::{ACCEPT, COOKIE};
    use http_body_util::BodyExt;
    use session_core::{
        Entry, Expect, Removed, SessionManager, Store, StoreError, StoreErrorKind, StoreKey, Stored, Version,
        Written,
    };
    use tower::ServiceExt;

    use super::*;
    use crate::{sessions::configured, site};

    /// A store that is out of order.
    #[derive(Debug)]
    struct Down;

    fn down<T>() -> Result<T, StoreError> {
        Err(StoreError::new(StoreErrorKind::Unavailable, "down"))
    }

    #[async_trait::async_trait]
    impl Store for Down {
        async fn load(&self, _: &StoreKey) -> Result<Option<Stored>, StoreError> {
            down()
        }

        async fn write(&self, _: &StoreKey, _: Entry, _: Expect) -> Result<Written, StoreError> {
            down()
        }

        async fn remove(&self, _: &StoreKey, _: Option<Version>) -> Result<Removed, StoreError> {
            down()
        }
    }

    #[tokio::test]
    async fn an_outage_is_a_page_and_no_sign_out() {
        let manager = configured(SessionManager::builder(Down)).build().unwrap();
        let site = site::router(site::Site { manager, store: "nowhere".into(), journal: Default::default() });
        let id = "id=abcdefghijklmnopqrstuvwxyzABCDEF";
        // Reading the session fails in the first, storing it in the second.
        for (path, cookie) in [("/", id), ("/sign-in", "")] {
            let request = Request::get(path).header(ACCEPT, "text/html").header(COOKIE, cookie);
            let response = site.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
            assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE, "{path}");
            assert_eq!(response.headers()["retry-after"], "1");
            assert_eq!(response.headers()["x-session-report"], "failed: the store did not answer");
            assert!(!response.headers().contains_key("set-cookie"));
            let page = response.into_body().collect().await.unwrap().to_bytes();
            let page = String::from_utf8_lossy(&page);
            assert!(page.contains("The kettle is off") && page.contains("store-failed"), "{page}");
        }
        let asset = Request::get("/assets/site.css").body(Body::empty()).unwrap();
        assert_eq!(site.oneshot(asset).await.unwrap().status(), StatusCode::OK, "needs no store");
    }
}

//! Lies that only some strategies notice.

use http::header::HeaderMap;

use super::prelude::*;

/// Turns the field of a client without cookies into a cookie, and answers it in one.
#[derive(Default)]
pub(super) struct CopiesTheFieldIntoACookie;

impl Lie for CopiesTheFieldIntoACookie {
    const PERSIST: Persist = Persist::Chain;

    fn receive(&self, request: &mut Request<Bytes>) {
        let headers = request.headers_mut();
        if let Some(id) = headers.remove(FIELD)
            && let Ok(id) = id.to_str()
            && let Ok(cookie) = HeaderValue::try_from(format!("__Host-id={id}"))
        {
            headers.append(COOKIE, cookie);
        }
    }
}

/// Keeps a cookie for an application that tells ids in its own way.
#[derive(Default)]
pub(super) struct KeepsCookiesForTheApplication;

impl Lie for KeepsCookiesForTheApplication {
    const PERSIST: Persist = Persist::External;

    fn respond(&self, _: &Request<Bytes>, response: &mut Response<Bytes>) {
        let told = response.headers().get(crate::fixture::OWN_ID).and_then(|id| id.to_str().ok());
        if let Some(id) = told.filter(|id| !id.is_empty())
            && let Ok(cookie) = HeaderValue::try_from(format!("__Host-id={id}; Path=/; Secure"))
        {
            response.headers_mut().append(SET_COOKIE, cookie);
        }
    }
}

/// Takes a sealed cookie that was just read for one that needs not be sent again, so that changes are lost.
#[derive(Default)]
pub(super) struct ReadsWhatIsSealedOnlyOnce;

impl Lie for ReadsWhatIsSealedOnlyOnce {
    const PERSIST: Persist = Persist::SealedEncrypted;

    fn respond(&self, request: &Request<Bytes>, response: &mut Response<Bytes>) {
        let presented = |headers: &HeaderMap| headers.contains_key(COOKIE);
        if presented(request.headers()) && response.status() == StatusCode::OK {
            response.headers_mut().remove(SET_COOKIE);
        }
    }
}

//! Lies about ids in the query.

use http::{
    Method, Uri,
    header::{LOCATION, REFERRER_POLICY},
};

use super::prelude::*;

/// Runs the route although the core has answered the request already.
#[derive(Default)]
pub(super) struct IgnoresRedirects;

impl Lie for IgnoresRedirects {
    const PERSIST: Persist = Persist::Query;

    async fn open(&self, manager: &SessionManager, request: &Request<Bytes>) -> Opened {
        match manager.open(&RequestHead::from(request)).await {
            Opened::Respond(_) => {
                // Other methods are not redirected.
                let (uri, headers) = (request.uri(), request.headers());
                manager.open(&RequestHead::new(&Method::POST, uri, headers)).await
            }
            opened => opened,
        }
    }
}

/// Takes a HEAD for a GET, so that looking costs a record.
#[derive(Default)]
pub(super) struct RedirectsHead;

impl Lie for RedirectsHead {
    const PERSIST: Persist = Persist::Query;

    async fn open(&self, manager: &SessionManager, request: &Request<Bytes>) -> Opened {
        let method = if request.method() == Method::HEAD { &Method::GET } else { request.method() };
        manager.open(&RequestHead::new(method, request.uri(), request.headers())).await
    }
}

/// Puts the path in front of a redirect, which makes another host of `//evil.example`.
#[derive(Default)]
pub(super) struct RepeatsThePath;

impl Lie for RepeatsThePath {
    const PERSIST: Persist = Persist::Query;

    fn respond(&self, request: &Request<Bytes>, response: &mut Response<Bytes>) {
        if let Some(location) = response.headers().get(LOCATION).and_then(|to| to.to_str().ok())
            && location.starts_with('?')
            && let Ok(longer) = HeaderValue::try_from(format!("{}{location}", request.uri().path()))
        {
            response.headers_mut().insert(LOCATION, longer);
        }
    }
}

/// Leaves the other parameters out of a redirect.
#[derive(Default)]
pub(super) struct DropsParameters;

impl Lie for DropsParameters {
    const PERSIST: Persist = Persist::Query;

    fn respond(&self, _: &Request<Bytes>, response: &mut Response<Bytes>) {
        if let Some(location) = response.headers().get(LOCATION).and_then(|to| to.to_str().ok())
            && let Some((_, id)) = location.rsplit_once("sid=")
            && let Ok(shorter) = HeaderValue::try_from(format!("?sid={id}"))
        {
            response.headers_mut().insert(LOCATION, shorter);
        }
    }
}

/// Lets the URL with the id be sent to other sites.
#[derive(Default)]
pub(super) struct LetsUrlsBeReferredFrom;

impl Lie for LetsUrlsBeReferredFrom {
    const PERSIST: Persist = Persist::Query;

    fn respond(&self, _: &Request<Bytes>, response: &mut Response<Bytes>) {
        response.headers_mut().remove(REFERRER_POLICY);
    }
}

/// Decodes the query before it looks for the id.
#[derive(Default)]
pub(super) struct DecodesTheQuery;

impl Lie for DecodesTheQuery {
    const PERSIST: Persist = Persist::Query;

    fn receive(&self, request: &mut Request<Bytes>) {
        // Only the name, and what ends it: one id in 32 begins with one of these letters.
        let target = request.uri().to_string();
        let decoded = target.replace("%73id", "sid").replace("s%69d", "sid").replace("sid%3d", "sid=");
        if let Ok(uri) = decoded.parse::<Uri>() {
            *request.uri_mut() = uri;
        }
    }
}

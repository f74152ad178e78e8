//! Between Rocket's types and those of the `http` crate.

use std::io::Cursor;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header};
use rocket::{
    Request, Response,
    http::{Header, Status},
};
use session_core::{LazySession, RequestHead};

/// A copy of what the core looks at in a request.
///
/// Rocket drops header fields that are not UTF-8 before anybody sees them.
pub(crate) struct Head {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
}

impl Head {
    pub(crate) fn of(request: &Request<'_>) -> Self {
        let mut headers = copy(request.headers());
        // In HTTP/2 the host is in the target, of which Rocket keeps the path.
        if !headers.contains_key(header::HOST)
            && let Some(host) = request.host().and_then(|host| HeaderValue::try_from(host.to_string()).ok())
        {
            headers.insert(header::HOST, host);
        }
        Self::with(headers, request)
    }

    /// With these header fields only.
    pub(crate) fn with_fields(fields: &[HeaderName], request: &Request<'_>) -> Self {
        let mut headers = HeaderMap::new();
        for name in fields {
            let values = request.headers().get(name.as_str());
            for value in values.filter_map(|value| HeaderValue::from_bytes(value.as_bytes()).ok()) {
                headers.append(name.clone(), value);
            }
        }
        Self::with(headers, request)
    }

    fn with(mut headers: HeaderMap, request: &Request<'_>) -> Self {
        if !request.headers().contains(header::COOKIE) {
            headers.extend(cookies_of_local_request(request));
        }
        Self {
            method: Method::from_bytes(request.method().as_str().as_bytes()).unwrap_or_default(),
            uri: Uri::try_from(request.uri().to_string()).unwrap_or_default(),
            headers,
        }
    }

    pub(crate) fn as_ref(&self) -> RequestHead<'_> {
        RequestHead::new(&self.method, &self.uri, &self.headers)
    }
}

/// Rocket's local client puts its cookies into the jar only. In a request from the network the jar is empty unless
/// there is a `Cookie` field.
fn cookies_of_local_request(request: &Request<'_>) -> Option<(HeaderName, HeaderValue)> {
    let pairs: Vec<String> =
        request.cookies().iter().map(|cookie| cookie.stripped().encoded().to_string()).collect();
    if pairs.is_empty() {
        return None;
    }
    Some((header::COOKIE, HeaderValue::try_from(pairs.join("; ")).ok()?))
}

/// The header fields of a response, for the core to add to.
pub(crate) struct Fields {
    headers: HeaderMap,
    /// Whether the fields of the response are among them.
    copied: bool,
}

impl Fields {
    /// Those of a session that nobody has asked for will not be needed, and are not copied.
    pub(crate) fn of(response: &Response<'_>, session: &LazySession) -> Self {
        let copied = !session.is_untouched();
        Self { headers: if copied { copy(response.headers()) } else { HeaderMap::new() }, copied }
    }

    pub(crate) fn as_mut(&mut self) -> &mut HeaderMap {
        &mut self.headers
    }

    /// Puts what has changed on the response, and leaves alone what has not.
    pub(crate) fn write_back(self, response: &mut Response<'_>) {
        for name in self.headers.keys() {
            let values = || self.headers.get_all(name).iter().map(HeaderValue::as_bytes);
            if values().eq(response.headers().get(name.as_str()).map(str::as_bytes)) {
                continue;
            }
            let mut replace = self.copied;
            for field in values().filter_map(|value| field(name, value)) {
                if std::mem::take(&mut replace) {
                    response.set_header(field);
                } else {
                    response.adjoin_header(field);
                }
            }
        }
    }
}

/// Sends `other` in the place of a response. Of the fields of that one only those stay that are about the server, and
/// not about what it has answered.
pub(crate) fn replace(response: &mut Response<'_>, other: http::Response<Bytes>) {
    let mut replacement = self::response(other);
    for name in KEPT {
        if let Some(value) = response.headers().get_one(name)
            && !replacement.headers().contains(name)
        {
            replacement.set_raw_header(name, value.to_owned());
        }
    }
    *response = replacement;
}

pub(crate) fn response(response: http::Response<Bytes>) -> Response<'static> {
    let (parts, body) = response.into_parts();
    let mut response = Response::new();
    response.set_status(Status::new(parts.status.as_u16()));
    for field in parts.headers.iter().filter_map(|(name, value)| field(name, value.as_bytes())) {
        response.adjoin_header(field);
    }
    response.set_sized_body(body.len(), Cursor::new(body));
    response
}

fn copy(fields: &rocket::http::HeaderMap<'_>) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(fields.len());
    for field in fields.iter() {
        if let (Ok(name), Ok(value)) = (
            HeaderName::from_bytes(field.name.as_str().as_bytes()),
            HeaderValue::from_bytes(field.value.as_bytes()),
        ) {
            headers.append(name, value);
        }
    }
    headers
}

fn field(name: &HeaderName, value: &[u8]) -> Option<Header<'static>> {
    Some(Header::new(name.as_str().to_owned(), std::str::from_utf8(value).ok()?.to_owned()))
}

/// What Rocket and its shield put on every response.
const KEPT: [&str; 9] = [
    "Server",
    "Expect-CT",
    "Permissions-Policy",
    "Referrer-Policy",
    "Strict-Transport-Security",
    "X-Content-Type-Options",
    "X-DNS-Prefetch-Control",
    "X-Frame-Options",
    "X-XSS-Protection",
];

//! Between Rocket's types and those of the `http` crate.

use std::{borrow::Cow, io::Cursor};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header};
use rocket::{
    Request, Response,
    http::{Header, Status},
};
use session_core::{LazySession, RequestHead, SessionManager};

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
        Self::with(headers, uri(request), request)
    }

    /// With no more than the manager looks at.
    pub(crate) fn for_manager(manager: &SessionManager, request: &Request<'_>) -> Self {
        let Some(fields) = manager.request_fields() else { return Self::of(request) };
        let headers = copy_of(fields, request.headers());
        let uri = if manager.reads_target() { uri(request) } else { Uri::default() };
        Self::with(headers, uri, request)
    }

    fn with(mut headers: HeaderMap, uri: Uri, request: &Request<'_>) -> Self {
        if !request.headers().contains(header::COOKIE) {
            headers.extend(cookies_of_local_request(request));
        }
        Self {
            method: Method::from_bytes(request.method().as_str().as_bytes()).unwrap_or_default(),
            uri,
            headers,
        }
    }

    pub(crate) fn as_ref(&self) -> RequestHead<'_> {
        RequestHead::new(&self.method, &self.uri, &self.headers)
    }
}

fn uri(request: &Request<'_>) -> Uri {
    Uri::try_from(request.uri().to_string()).unwrap_or_default()
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
pub(crate) struct Fields<'a> {
    headers: HeaderMap,
    copied: Copied<'a>,
}

/// Which fields of the response are among them.
enum Copied<'a> {
    All,
    These(&'a [HeaderName]),
}

impl<'a> Fields<'a> {
    /// No more than the manager looks at. Those of a session that nobody has asked for will not be needed.
    pub(crate) fn of(response: &Response<'_>, session: &LazySession, manager: &'a SessionManager) -> Self {
        let copied = match manager.response_fields() {
            _ if session.is_untouched() => Copied::These(&[]),
            Some(fields) => Copied::These(fields),
            None => Copied::All,
        };
        let headers = match copied {
            Copied::All => copy(response.headers()),
            Copied::These(fields) => copy_of(fields, response.headers()),
        };
        Self { headers, copied }
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
            let mut replace = match self.copied {
                Copied::All => true,
                Copied::These(fields) => fields.contains(name),
            };
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

fn copy_of(names: &[HeaderName], fields: &rocket::http::HeaderMap<'_>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for name in names {
        let values = fields.get(name.as_str());
        for value in values.filter_map(|value| HeaderValue::from_bytes(value.as_bytes()).ok()) {
            headers.append(name.clone(), value);
        }
    }
    headers
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

/// What nearly every response gets is not copied.
fn field(name: &HeaderName, value: &[u8]) -> Option<Header<'static>> {
    let name = match name {
        &header::VARY => Cow::Borrowed("vary"),
        &header::SET_COOKIE => Cow::Borrowed("set-cookie"),
        &header::CACHE_CONTROL => Cow::Borrowed("cache-control"),
        other => Cow::Owned(other.as_str().to_owned()),
    };
    let value = match value {
        b"cookie" => Cow::Borrowed("cookie"),
        b"no-store" => Cow::Borrowed("no-store"),
        other => Cow::Owned(std::str::from_utf8(other).ok()?.to_owned()),
    };
    Some(Header::new(name, value))
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

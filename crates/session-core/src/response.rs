//! Header fields that keep answers of one user from another (RFC 9110, RFC 9111).

use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Response, StatusCode,
    header::{CACHE_CONTROL, CONTENT_TYPE, Entry, RETRY_AFTER, VARY},
};

use crate::error::SessionError;

/// Request fields on which answers depend: each name, and the same as a value of `Vary`.
#[derive(Debug)]
pub(crate) struct Varying(Box<[(HeaderName, HeaderValue)]>);

impl Varying {
    pub(crate) fn on(fields: &[HeaderName]) -> Self {
        Self(fields.iter().map(|field| (field.clone(), HeaderValue::from(field.clone()))).collect())
    }

    /// Marks an answer as depending on the fields. What the application has put there stays.
    pub(crate) fn mark(&self, headers: &mut HeaderMap) {
        for (field, value) in &self.0 {
            let covers =
                |token: &[u8]| token == b"*" || token.eq_ignore_ascii_case(field.as_str().as_bytes());
            add(headers, VARY, covers, || value.clone());
        }
    }
}

/// Forbids caches to store an answer that carries an id: `Set-Cookie` alone does not keep them from it (RFC 9111
/// section 7.3). Directives of the application stay; `no-store` is stronger than all of them.
pub(crate) fn forbid_storing(headers: &mut HeaderMap) {
    let covers = |token: &[u8]| token.eq_ignore_ascii_case(b"no-store");
    add(headers, CACHE_CONTROL, covers, || HeaderValue::from_static("no-store"));
}

/// The response for an error: its status and a sentence, nothing about the session.
pub(crate) fn of_error(error: &SessionError) -> Response<Bytes> {
    let status = error.status();
    let mut response = Response::new(Bytes::from_static(match status {
        StatusCode::CONFLICT => b"The session was changed by another request. Please try again.\n",
        StatusCode::PAYLOAD_TOO_LARGE => b"The session would become too large.\n",
        StatusCode::SERVICE_UNAVAILABLE => b"The session store is not available. Please try again.\n",
        _ => b"Internal server error.\n",
    }));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if status == StatusCode::SERVICE_UNAVAILABLE {
        headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

/// Adds a value to a field unless one of its comma-separated members covers it.
fn add(
    headers: &mut HeaderMap,
    field: HeaderName,
    covers: impl Fn(&[u8]) -> bool,
    value: impl FnOnce() -> HeaderValue,
) {
    match headers.entry(field) {
        Entry::Vacant(vacant) => drop(vacant.insert(value())),
        Entry::Occupied(mut occupied) => {
            let mut members = occupied.iter().flat_map(|value| value.as_bytes().split(|&byte| byte == b','));
            if !members.any(|member| covers(member.trim_ascii())) {
                occupied.append(value());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use http::header::COOKIE;

    use super::*;

    fn headers(field: HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(field, HeaderValue::from_static(value))])
    }

    fn all(headers: &HeaderMap, field: HeaderName) -> Vec<&str> {
        headers.get_all(field).iter().map(|value| value.to_str().unwrap()).collect()
    }

    #[test]
    fn vary_is_added_once() {
        for (before, after) in [
            ("Accept", vec!["Accept", "cookie"]),
            ("accept, COOKIE", vec!["accept, COOKIE"]),
            ("*", vec!["*"]),
            ("x-cookie", vec!["x-cookie", "cookie"]),
        ] {
            let mut headers = headers(VARY, before);
            Varying::on(&[COOKIE]).mark(&mut headers);
            assert_eq!(all(&headers, VARY), after);
        }
    }

    #[test]
    fn no_store_is_never_weakened() {
        for (before, after) in [
            ("public, max-age=60", vec!["public, max-age=60", "no-store"]),
            ("private,No-Store", vec!["private,No-Store"]),
        ] {
            let mut headers = headers(CACHE_CONTROL, before);
            forbid_storing(&mut headers);
            assert_eq!(all(&headers, CACHE_CONTROL), after);
        }
    }
}

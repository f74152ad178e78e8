//! Lies about what a request presents.

use super::prelude::*;

/// Of several ids the last one counts (nine of thirteen frameworks, 'Cookie Crumbles', USENIX Security 2023).
#[derive(Default)]
pub(super) struct TakesTheLastId;

impl Lie for TakesTheLastId {
    fn receive(&self, request: &mut Request<Bytes>) {
        keep_one(request, |ids| ids.last().cloned());
    }
}

/// Of several ids the first one counts.
#[derive(Default)]
pub(super) struct TakesTheFirstId;

impl Lie for TakesTheFirstId {
    fn receive(&self, request: &mut Request<Bytes>) {
        keep_one(request, |ids| ids.first().cloned());
    }
}

/// Looks at the first of several fields only.
#[derive(Default)]
pub(super) struct ReadsOneField;

impl Lie for ReadsOneField {
    fn receive(&self, request: &mut Request<Bytes>) {
        for name in [COOKIE, FIELD] {
            if let Some(first) = request.headers().get(&name).cloned() {
                request.headers_mut().insert(name, first);
            }
        }
    }
}

/// Takes fields that are not text for absent, so one odd byte of a foreign cookie loses the session.
#[derive(Default)]
pub(super) struct ReadsTextOnly;

impl Lie for ReadsTextOnly {
    fn receive(&self, request: &mut Request<Bytes>) {
        let text = request.headers().get_all(COOKIE).iter().all(|field| field.to_str().is_ok());
        if !text {
            request.headers_mut().remove(COOKIE);
        }
    }
}

/// Decodes percent-encoding before it looks for the cookie (CVE-2020-7070).
#[derive(Default)]
pub(super) struct DecodesCookies;

impl Lie for DecodesCookies {
    fn receive(&self, request: &mut Request<Bytes>) {
        rewrite_cookies(request, |field| {
            let mut decoded = Vec::new();
            let mut rest = field;
            while let [first, behind @ ..] = rest {
                let code = behind.get(..2).filter(|_| *first == b'%');
                let byte = code.and_then(|code| u8::from_str_radix(std::str::from_utf8(code).ok()?, 16).ok());
                decoded.push(byte.unwrap_or(*first));
                rest = if byte.is_some() { &behind[2..] } else { behind };
            }
            decoded
        });
    }
}

/// Takes names of cookies without regard to case, so `__host-id` is read as `__Host-id`.
#[derive(Default)]
pub(super) struct IgnoresCase;

impl Lie for IgnoresCase {
    fn receive(&self, request: &mut Request<Bytes>) {
        rewrite_cookies(request, |field| {
            let at =
                |at: usize| field.get(at..at + 9).is_some_and(|name| name.eq_ignore_ascii_case(b"__Host-id"));
            let mut field = field.to_vec();
            for start in (0..field.len()).filter(|start| at(*start)).collect::<Vec<_>>() {
                field[start..start + 9].copy_from_slice(b"__Host-id");
            }
            field
        });
    }
}

/// Trims white space as Unicode knows it, in front of which browsers do not stop (PortSwigger 2025).
#[derive(Default)]
pub(super) struct TrimsUnicode;

impl Lie for TrimsUnicode {
    fn receive(&self, request: &mut Request<Bytes>) {
        rewrite_cookies(request, |field| {
            let text = String::from_utf8_lossy(field);
            let pairs: Vec<String> = text
                .split(';')
                .map(|pair| match pair.split_once('=') {
                    Some((name, value)) => format!("{}={}", name.trim(), value.trim()),
                    None => pair.to_owned(),
                })
                .collect();
            pairs.join("; ").into_bytes()
        });
    }
}

/// Takes quotes around a value for no part of it (RFC 2109).
#[derive(Default)]
pub(super) struct Unquotes;

impl Lie for Unquotes {
    fn receive(&self, request: &mut Request<Bytes>) {
        for name in [COOKIE, FIELD] {
            rewrite(request, &name, |field| field.iter().copied().filter(|byte| *byte != b'"').collect());
        }
    }
}

/// Takes an id from the query as well.
#[derive(Default)]
pub(super) struct ReadsTheQuery;

impl Lie for ReadsTheQuery {
    fn receive(&self, request: &mut Request<Bytes>) {
        let query = request.uri().query().unwrap_or_default();
        let Some(id) = query.split('&').find_map(|pair| pair.strip_prefix("id=")) else { return };
        let (cookie, field) = (HeaderValue::try_from(format!("__Host-id={id}")), HeaderValue::try_from(id));
        if let (Ok(cookie), Ok(field)) = (cookie, field) {
            request.headers_mut().insert(COOKIE, cookie);
            request.headers_mut().insert(FIELD, field);
        }
    }
}

/// Takes an id from the field of another strategy as well.
#[derive(Default)]
pub(super) struct ReadsTheOtherField;

impl Lie for ReadsTheOtherField {
    fn receive(&self, request: &mut Request<Bytes>) {
        let headers = request.headers_mut();
        if let Some(id) = headers.get(FIELD).and_then(|id| id.to_str().ok())
            && let Ok(cookie) = HeaderValue::try_from(format!("__Host-id={id}"))
        {
            headers.append(COOKIE, cookie);
        } else if let Some(cookie) = headers.get(COOKIE).and_then(|cookie| cookie.to_str().ok())
            && let Some(id) = cookie.split("; ").find_map(|pair| pair.strip_prefix("__Host-id="))
            && let Ok(id) = HeaderValue::try_from(id)
        {
            headers.insert(FIELD, id);
        }
    }
}

/// Drops all that the client presents but one id.
fn keep_one(request: &mut Request<Bytes>, choose: fn(&[Vec<u8>]) -> Option<Vec<u8>>) {
    for name in [COOKIE, FIELD] {
        let values: Vec<Vec<u8>> = request
            .headers()
            .get_all(&name)
            .iter()
            .flat_map(|field| field.as_bytes().split(|byte| *byte == b';' && name == COOKIE))
            .map(|value| value.trim_ascii().to_vec())
            .collect();
        if values.len() > 1
            && let Some(one) = choose(&values)
            && let Ok(one) = HeaderValue::from_bytes(&one)
        {
            request.headers_mut().insert(name, one);
        }
    }
}

fn rewrite_cookies(request: &mut Request<Bytes>, change: impl Fn(&[u8]) -> Vec<u8>) {
    rewrite(request, &COOKIE, change);
}

fn rewrite(request: &mut Request<Bytes>, name: &HeaderName, change: impl Fn(&[u8]) -> Vec<u8>) {
    let changed: Vec<HeaderValue> = request
        .headers()
        .get_all(name)
        .iter()
        .filter_map(|field| HeaderValue::from_bytes(&change(field.as_bytes())).ok())
        .collect();
    request.headers_mut().remove(name);
    for field in changed {
        request.headers_mut().append(name.clone(), field);
    }
}

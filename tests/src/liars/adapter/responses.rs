//! Lies about what a response says.

use super::prelude::*;

/// Forgets to say on what the response depends (CVE-2023-30861).
#[derive(Default)]
pub(super) struct DropsVary;

impl Lie for DropsVary {
    fn respond(&self, _: &Request<Bytes>, response: &mut Response<Bytes>) {
        response.headers_mut().remove(VARY);
    }
}

/// Says on what the response depends only when it sets a cookie (CVE-2026-27205).
#[derive(Default)]
pub(super) struct VariesOnlyWithAnId;

impl Lie for VariesOnlyWithAnId {
    fn respond(&self, _: &Request<Bytes>, response: &mut Response<Bytes>) {
        let headers = response.headers_mut();
        if !headers.contains_key(SET_COOKIE) && !headers.contains_key(FIELD) {
            headers.remove(VARY);
        }
    }
}

/// Replaces the `Vary` of the application.
#[derive(Default)]
pub(super) struct ReplacesVary;

impl Lie for ReplacesVary {
    fn respond(&self, _: &Request<Bytes>, response: &mut Response<Bytes>) {
        let last = response.headers().get_all(VARY).iter().next_back().cloned();
        if let Some(last) = last {
            response.headers_mut().insert(VARY, last);
        }
    }
}

/// Says on what the response depends without looking whether it has been said.
#[derive(Default)]
pub(super) struct VariesTwice;

impl Lie for VariesTwice {
    fn respond(&self, _: &Request<Bytes>, response: &mut Response<Bytes>) {
        let field = if response.headers().contains_key(FIELD) { FIELD } else { COOKIE };
        if response.headers().contains_key(VARY) {
            response.headers_mut().append(VARY, HeaderValue::from(field));
        }
    }
}

/// Marks every response as depending on the session.
#[derive(Default)]
pub(super) struct AlwaysVaries;

impl Lie for AlwaysVaries {
    fn respond(&self, _: &Request<Bytes>, response: &mut Response<Bytes>) {
        if !response.headers().contains_key(VARY) {
            response.headers_mut().insert(VARY, HeaderValue::from(COOKIE));
        }
    }
}

/// Lets caches store responses with an id (RFC 9111 section 7.3).
#[derive(Default)]
pub(super) struct LetsCachesStore;

impl Lie for LetsCachesStore {
    fn respond(&self, _: &Request<Bytes>, response: &mut Response<Bytes>) {
        if response.status().is_success() || response.status().is_redirection() {
            response.headers_mut().remove(CACHE_CONTROL);
        }
    }
}

/// Replaces the `Cache-Control` of the application.
#[derive(Default)]
pub(super) struct ReplacesCacheControl;

impl Lie for ReplacesCacheControl {
    fn respond(&self, _: &Request<Bytes>, response: &mut Response<Bytes>) {
        let last = response.headers().get_all(CACHE_CONTROL).iter().next_back().cloned();
        if let Some(last) = last {
            response.headers_mut().insert(CACHE_CONTROL, last);
        }
    }
}

/// Forbids caches to store anything.
#[derive(Default)]
pub(super) struct ForbidsCachesEverything;

impl Lie for ForbidsCachesEverything {
    fn respond(&self, _: &Request<Bytes>, response: &mut Response<Bytes>) {
        if !response.headers().contains_key(CACHE_CONTROL) {
            response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        }
    }
}

/// Keeps one value of each field, as frameworks do whose responses are maps of single values.
#[derive(Default)]
pub(super) struct KeepsOneValue;

impl Lie for KeepsOneValue {
    fn respond(&self, _: &Request<Bytes>, response: &mut Response<Bytes>) {
        let names: Vec<HeaderName> = response.headers().keys().cloned().collect();
        for name in names {
            let last = response.headers().get_all(&name).iter().next_back().cloned();
            if let Some(last) = last {
                response.headers_mut().insert(name, last);
            }
        }
    }
}

/// Tells the client nothing on responses that are no success.
#[derive(Default)]
pub(super) struct TellsOnSuccessOnly;

impl Lie for TellsOnSuccessOnly {
    fn respond(&self, _: &Request<Bytes>, response: &mut Response<Bytes>) {
        if !response.status().is_success() {
            response.headers_mut().remove(SET_COOKIE);
            response.headers_mut().remove(FIELD);
        }
    }
}

/// Withdraws the cookie without the attributes that it was set with, so browsers keep it (D9).
#[derive(Default)]
pub(super) struct WithdrawsWithoutAttributes;

impl Lie for WithdrawsWithoutAttributes {
    fn respond(&self, _: &Request<Bytes>, response: &mut Response<Bytes>) {
        let withdrawn = |field: &HeaderValue| {
            let text = field.to_str().ok()?;
            let name = text.split_once("=; Max-Age=0").map(|(name, _)| name)?;
            HeaderValue::try_from(format!("{name}=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT")).ok()
        };
        let fields: Vec<HeaderValue> = response.headers().get_all(SET_COOKIE).iter().cloned().collect();
        response.headers_mut().remove(SET_COOKIE);
        for field in fields {
            let field = withdrawn(&field).unwrap_or(field);
            response.headers_mut().append(SET_COOKIE, field);
        }
    }
}

/// Never withdraws an id.
#[derive(Default)]
pub(super) struct NeverWithdraws;

impl Lie for NeverWithdraws {
    fn respond(&self, _: &Request<Bytes>, response: &mut Response<Bytes>) {
        let withdrawn = |field: &HeaderValue| {
            field.is_empty() || field.to_str().is_ok_and(|text| text.contains("=; Max-Age=0"))
        };
        for name in [SET_COOKIE, FIELD] {
            let fields: Vec<HeaderValue> = response.headers().get_all(&name).iter().cloned().collect();
            response.headers_mut().remove(&name);
            for field in fields.into_iter().filter(|field| !withdrawn(field)) {
                response.headers_mut().append(&name, field);
            }
        }
    }
}

/// Logs the fields of each response.
#[derive(Default)]
pub(super) struct LogsResponses;

impl Lie for LogsResponses {
    fn respond(&self, _: &Request<Bytes>, response: &mut Response<Bytes>) {
        for (name, value) in response.headers() {
            tracing::trace!(%name, value = %String::from_utf8_lossy(value.as_bytes()), "session response");
        }
    }
}

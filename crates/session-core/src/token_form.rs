//! The token in an urlencoded form, for guards that read the body of a request.

use std::borrow::Cow;

use http::{HeaderMap, header::CONTENT_TYPE};

use crate::csrf::CSRF_FIELD;

/// The body of a request that may carry a CSRF token in the field [`CSRF_FIELD`], urlencoded
/// (<https://url.spec.whatwg.org/#application/x-www-form-urlencoded>).
///
/// ```
/// # use session_core::TokenForm;
/// let form = TokenForm::new(b"cake=apple&csrf_token=abc%2D1");
/// assert_eq!(form.token().as_deref(), Some("abc-1"));
/// assert_eq!(form.without_token(), b"cake=apple");
/// ```
#[derive(Clone, Copy)]
pub struct TokenForm<'a>(&'a [u8]);

impl<'a> TokenForm<'a> {
    /// Whether a request says that its body is such a form.
    #[must_use]
    pub fn is_declared(headers: &HeaderMap) -> bool {
        let media_type =
            headers.get(CONTENT_TYPE).and_then(|value| value.as_bytes().split(|&byte| byte == b';').next());
        media_type.is_some_and(|media_type| {
            media_type.trim_ascii().eq_ignore_ascii_case(b"application/x-www-form-urlencoded")
        })
    }

    /// The form with this body.
    #[must_use]
    pub const fn new(body: &'a [u8]) -> Self {
        Self(body)
    }

    /// The token, decoded; the first one if there are several.
    #[must_use]
    pub fn token(self) -> Option<Cow<'a, str>> {
        form_urlencoded::parse(self.0).find(|(name, _)| name == CSRF_FIELD).map(|(_, token)| token)
    }

    /// The form without the fields of tokens, for types that refuse fields which they do not know.
    #[must_use]
    pub fn without_token(self) -> Vec<u8> {
        let is_token = |field: &[u8]| form_urlencoded::parse(field).any(|(name, _)| name == CSRF_FIELD);
        let fields: Vec<&[u8]> =
            self.0.split(|&byte| byte == b'&').filter(|field| !is_token(field)).collect();
        fields.join(&b'&')
    }
}

/// The body is a person's input, and the token a secret.
impl std::fmt::Debug for TokenForm<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenForm").field("bytes", &self.0.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn the_token_is_found_and_taken_out_however_its_name_is_spelt() {
        for (body, token, rest) in [
            ("", None, ""),
            ("a=1&b=2", None, "a=1&b=2"),
            ("csrf_token=x", Some("x"), ""),
            ("a=1&csrf%5Ftoken=x%2By&b=2", Some("x+y"), "a=1&b=2"),
            ("csrf_token=x&csrf_token=y&a=%26", Some("x"), "a=%26"),
            ("csrf_tokens=x&xcsrf_token=y", None, "csrf_tokens=x&xcsrf_token=y"),
            ("csrf_token", Some(""), ""),
        ] {
            let form = TokenForm::new(body.as_bytes());
            assert_eq!(form.token().as_deref(), token, "{body}");
            assert_eq!(form.without_token(), rest.as_bytes(), "{body}");
        }
    }

    #[test]
    fn only_the_media_type_declares_a_form() {
        for (value, declared) in [
            ("application/x-www-form-urlencoded", true),
            ("Application/X-WWW-Form-Urlencoded ; charset=utf-8", true),
            ("application/x-www-form-urlencoded2", false),
            ("multipart/form-data; boundary=x", false),
            ("", false),
        ] {
            let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(value))]);
            assert_eq!(TokenForm::is_declared(&headers), declared, "{value}");
        }
        assert!(!TokenForm::is_declared(&HeaderMap::new()));
    }
}

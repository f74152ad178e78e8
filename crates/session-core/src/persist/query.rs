//! The id in a query parameter, for clients without cookies.

use http::{HeaderMap, HeaderName, HeaderValue, Uri, header};

use super::{Announcement, Persistence, Presented};
use crate::{error::ConfigError, id::SessionId, request::RequestHead};

/// Carries the id in the query of the URL.
///
/// A `GET` request without a live id is redirected, before the handler runs, to the same URL with a fresh id in place
/// of whatever was there; an id that this server has not given out is never used. Until something is stored in the
/// session the id is worth one minute from its last use. Other methods are never redirected.
///
/// URLs are logged, shared and sent to other sites, and their ids with them: OWASP ASVS 5.0 V14.2.1 advises against
/// this. Use it only where cookies are impossible. Answers forbid storing and referring (`Cache-Control: no-store`,
/// `Referrer-Policy: no-referrer`), and [`Session::link`](crate::Session::link) builds the links of a page.
#[derive(Clone, Debug)]
pub struct Query {
    parameter: String,
}

impl Query {
    /// A strategy that uses `parameter`.
    ///
    /// # Errors
    /// [`ConfigError`] unless the name is 1 to 64 of `A-Z a-z 0-9 - _`.
    pub fn new(parameter: impl Into<String>) -> Result<Self, ConfigError> {
        let parameter = parameter.into();
        let valid = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if parameter.is_empty() || parameter.len() > 64 || !parameter.bytes().all(valid) {
            return Err(ConfigError::new("query.parameter", "must be 1 to 64 of A-Z a-z 0-9 - _"));
        }
        Ok(Self { parameter })
    }
}

impl Default for Query {
    /// The parameter `sid`.
    fn default() -> Self {
        Self { parameter: "sid".into() }
    }
}

impl Persistence for Query {
    fn present(&self, head: &RequestHead<'_>) -> Presented {
        let mut presented = Presented::Nothing;
        for value in parameters(head.uri).filter_map(|parameter| value_of(parameter, &self.parameter)) {
            if let Some(id) = SessionId::parse(value.as_bytes()) {
                presented.add(id);
            }
        }
        presented
    }

    fn announce(&self, _: Announcement<'_>, _: &mut HeaderMap) {}

    fn vary(&self) -> &[HeaderName] {
        &[]
    }

    fn reads_other_fields(&self) -> bool {
        false
    }

    fn announces(&self) -> bool {
        false
    }

    fn query_parameter(&self) -> Option<&str> {
        Some(&self.parameter)
    }
}

/// The same URL with `id`, as a reference that consists of a query only: it cannot lead to another path, let alone to
/// another host (RFC 3986 section 5.2.2).
pub(crate) fn location(uri: &Uri, parameter: &str, id: &SessionId) -> Option<HeaderValue> {
    let mut location = String::from("?");
    for kept in parameters(uri).filter(|kept| !kept.is_empty() && value_of(kept, parameter).is_none()) {
        location += kept;
        location.push('&');
    }
    location += parameter;
    location.push('=');
    location += id.expose_secret();
    let mut location = HeaderValue::try_from(location).ok()?;
    location.set_sensitive(true);
    Some(location)
}

/// `target` with `id`, if it is a place of this application; any other is returned as it is, so that no id leaves.
pub(crate) fn link(target: &str, parameter: &str, id: &SessionId) -> String {
    if is_elsewhere(target) {
        return target.to_owned();
    }
    // Spaces at the end are no part of a reference (WHATWG URL, basic parser), and would be one before a query.
    let target = target.trim_end_matches(' ');
    let (rest, fragment) = target.split_at(target.find('#').unwrap_or(target.len()));
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let kept = query.split('&').filter(|kept| !kept.is_empty() && value_of(kept, parameter).is_none());
    let mut link = format!("{path}?");
    for kept in kept {
        link += kept;
        link.push('&');
    }
    link + parameter + "=" + id.expose_secret() + fragment
}

/// Forbids storing and referring.
pub(crate) fn guard(headers: &mut HeaderMap) {
    crate::response::forbid_storing(headers);
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
}

fn parameters(uri: &Uri) -> impl Iterator<Item = &str> {
    uri.query().unwrap_or_default().split('&')
}

/// The value of a parameter with exactly this name, undecoded.
fn value_of<'a>(parameter: &'a str, name: &str) -> Option<&'a str> {
    let rest = parameter.strip_prefix(name)?;
    if rest.is_empty() { Some("") } else { rest.strip_prefix('=') }
}

/// Whether a reference names another host, or a scheme. Browsers read a backslash as a slash and skip tabs and line
/// breaks, so references with any of these are not trusted either.
fn is_elsewhere(target: &str) -> bool {
    let suspicious = |byte: u8| byte == b'\\' || byte.is_ascii_control();
    let scheme = target.find(':').is_some_and(|colon| !target[..colon].contains(['/', '?', '#']));
    target.starts_with("//") || target.starts_with(' ') || target.bytes().any(suspicious) || scheme
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id() -> SessionId {
        SessionId::parse(&[b'a'; 32]).unwrap()
    }

    fn to(uri: &str) -> String {
        let location = location(&uri.parse().unwrap(), "sid", &id()).unwrap();
        location.to_str().unwrap().replace(&"a".repeat(32), "ID")
    }

    #[test]
    fn a_redirect_keeps_every_other_parameter_and_can_only_change_the_query() {
        for (uri, expected) in [
            ("/", "?sid=ID"),
            ("/p?x=1&y=%26", "?x=1&y=%26&sid=ID"),
            ("/p?sid=old&x=1&sid=older&sid", "?x=1&sid=ID"),
            ("/p?xsid=1&sidx=2&%73id=3", "?xsid=1&sidx=2&%73id=3&sid=ID"),
            ("//evil.example/p", "?sid=ID"),
            ("http://evil.example/p?x=//evil", "?x=//evil&sid=ID"),
        ] {
            assert_eq!(to(uri), expected, "{uri}");
        }
    }

    #[test]
    fn links_to_other_places_never_carry_the_id() {
        let link = |target| link(target, "sid", &id()).replace(&"a".repeat(32), "ID");
        for (target, expected) in [
            ("/cart", "/cart?sid=ID"),
            ("/cart?x=1#top", "/cart?x=1&sid=ID#top"),
            ("cart?sid=old", "cart?sid=ID"),
            ("?x=a:b", "?x=a:b&sid=ID"),
            ("#top", "?sid=ID#top"),
            ("/cart  ", "/cart?sid=ID"),
            ("/cart?x=1 #top ", "/cart?x=1 &sid=ID#top"),
        ] {
            assert_eq!(link(target), expected);
        }
        for elsewhere in [
            "//evil.example",
            "https://evil.example/",
            "javascript:x",
            "/\\evil",
            "\\\\evil",
            "/\t/evil",
            " //evil",
            "mailto:a@b",
        ] {
            assert_eq!(link(elsewhere), elsewhere);
        }
    }
}

//! Reads `Set-Cookie` fields as RFC 6265bis section 5.6 tells user agents to.

use http::HeaderValue;

use crate::{Result, failure::ensure};

/// One cookie as a server sent it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct SetCookie<'a> {
    pub(super) name: &'a str,
    pub(super) value: &'a str,
    pub(super) path: Option<&'a str>,
    pub(super) domain: Option<&'a str>,
    /// Seconds; zero and less remove the cookie.
    pub(super) max_age: Option<i64>,
    pub(super) secure: bool,
    pub(super) http_only: bool,
    pub(super) same_site: Option<&'a str>,
    pub(super) partitioned: bool,
}

impl<'a> SetCookie<'a> {
    /// What the field says.
    ///
    /// # Errors
    /// For a field that a user agent would ignore, or with an attribute it would ignore: a server has no reason to send
    /// such a thing.
    pub(super) fn parse(field: &'a HeaderValue) -> Result<Self> {
        let text = field.to_str()?;
        let mut parts = text.split(';').map(str::trim);
        let pair = parts.next().and_then(|pair| pair.split_once('='));
        ensure!(pair.is_some(), "a Set-Cookie without a name: {}", redact(text));
        let (name, value) = pair.unwrap_or_default();
        ensure!(!name.is_empty(), "a Set-Cookie with an empty name");
        ensure!(name.len() + value.len() <= 4_096, "a Set-Cookie of more than 4096 bytes for name and value");
        let mut cookie = Self { name, value, ..Self::default() };
        let mut seen = Vec::new();
        for attribute in parts {
            cookie.attribute(attribute, &mut seen)?;
        }
        Ok(cookie)
    }

    fn attribute(&mut self, attribute: &'a str, seen: &mut Vec<String>) -> Result {
        let (name, value) = match attribute.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (attribute, None),
        };
        let key = name.to_ascii_lowercase();
        ensure!(!seen.contains(&key), "a Set-Cookie has the attribute {name} twice");
        ensure!(value.is_none_or(|value| value.len() <= 1_024), "the attribute {name} is over 1024 bytes");
        match (key.as_str(), value) {
            ("path", Some(value)) => self.path = Some(value),
            ("domain", Some(value)) => self.domain = Some(value),
            ("max-age", Some(value)) => self.max_age = Some(value.parse()?),
            // Max-Age is always there where this is (RFC 6265bis section 5.6.2 prefers it).
            ("expires", Some(_)) => {}
            ("secure", None) => self.secure = true,
            ("httponly", None) => self.http_only = true,
            ("samesite", Some(value)) => self.same_site = Some(value),
            ("partitioned", None) => self.partitioned = true,
            _ => {
                return Err(crate::Failure::new(format!(
                    "a Set-Cookie has an attribute unknown to browsers: {name}"
                )));
            }
        }
        seen.push(key);
        Ok(())
    }

    /// Why a browser that got the cookie from `https` or not would drop it (RFC 6265bis section 5.7).
    pub(super) fn refusal(&self, https: bool) -> Option<&'static str> {
        let prefixed = |prefix: &str| {
            self.name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
        };
        if self.secure && !https {
            return Some("it is Secure and comes over plain http");
        }
        if prefixed("__Secure-") && !self.secure {
            return Some("its name begins with __Secure- and it is not Secure");
        }
        if prefixed("__Host-") && !(self.secure && self.path == Some("/") && self.domain.is_none()) {
            return Some("its name begins with __Host- and it is not Secure with Path=/ and no Domain");
        }
        if self.same_site == Some("None") && !self.secure {
            return Some("it has SameSite=None and is not Secure");
        }
        if self.partitioned && !self.secure {
            return Some("it is Partitioned and not Secure");
        }
        None
    }
}

fn redact(text: &str) -> &str {
    text.split_once('=').map_or("(no =)", |(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &'static str) -> HeaderValue {
        HeaderValue::from_static(text)
    }

    #[test]
    fn reads_every_attribute() {
        let field = parse("a=b; Path=/x; Domain=d; Max-Age=5; Secure; HttpOnly; SameSite=Lax; Partitioned");
        let cookie = SetCookie::parse(&field).unwrap();
        assert_eq!(
            cookie,
            SetCookie {
                name: "a",
                value: "b",
                path: Some("/x"),
                domain: Some("d"),
                max_age: Some(5),
                secure: true,
                http_only: true,
                same_site: Some("Lax"),
                partitioned: true,
            }
        );
    }

    #[test]
    fn refuses_what_browsers_ignore() {
        for field in ["a", "=b", "a=b; Path=/; path=/", "a=b; Vers=1", "a=b; Max-Age=soon", "a=b; Secure=1"] {
            assert!(SetCookie::parse(&parse(field)).is_err(), "{field}");
        }
    }

    #[test]
    fn refuses_what_browsers_drop() {
        for field in [
            "__Host-a=b; Path=/",
            "__host-a=b; Secure; Path=/x",
            "__Host-a=b; Secure; Path=/; Domain=d",
            "__Host-a=b; Secure",
            "__secure-a=b",
            "a=b; SameSite=None",
            "a=b; Partitioned",
        ] {
            assert!(SetCookie::parse(&parse(field)).unwrap().refusal(true).is_some(), "{field}");
        }
        let secure = parse("__Host-a=b; Path=/; Secure");
        assert_eq!(SetCookie::parse(&secure).unwrap().refusal(true), None);
        assert!(SetCookie::parse(&secure).unwrap().refusal(false).is_some());
    }
}

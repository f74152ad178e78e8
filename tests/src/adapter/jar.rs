//! The cookies of one browser, kept by the rules of RFC 6265bis as far as a session can notice.

use std::time::{Duration, SystemTime};

use http::{HeaderMap, HeaderValue, header};

use super::set_cookie::SetCookie;
use crate::{Result, failure::fail};

/// The cookies that a browser keeps for one host.
#[derive(Clone, Debug, Default)]
pub(super) struct Jar(Vec<Kept>);

#[derive(Clone, Debug)]
struct Kept {
    name: String,
    path: String,
    domain: Option<String>,
    value: String,
    secure: bool,
    ends: Option<SystemTime>,
}

impl Jar {
    /// Takes in what a response sets.
    ///
    /// # Errors
    /// For a cookie that browsers drop.
    pub(super) fn take(&mut self, headers: &HeaderMap, https: bool, now: SystemTime) -> Result {
        for field in headers.get_all(header::SET_COOKIE) {
            let set = SetCookie::parse(field)?;
            if let Some(refusal) = set.refusal(https) {
                fail!("a browser drops the cookie {}: {refusal}", set.name);
            }
            self.store(&set, now);
        }
        Ok(())
    }

    /// The `Cookie` field for a request, longest path first (RFC 6265bis section 5.8.3).
    pub(super) fn field(&self, path: &str, https: bool, now: SystemTime) -> Result<Option<HeaderValue>> {
        let mut sent: Vec<&Kept> = self
            .0
            .iter()
            .filter(|kept| kept.ends.is_none_or(|ends| now < ends))
            .filter(|kept| (https || !kept.secure) && path_matches(path, &kept.path))
            .collect();
        sent.sort_by_key(|kept| std::cmp::Reverse(kept.path.len()));
        if sent.is_empty() {
            return Ok(None);
        }
        let pairs: Vec<String> = sent.iter().map(|kept| format!("{}={}", kept.name, kept.value)).collect();
        Ok(Some(HeaderValue::try_from(pairs.join("; "))?))
    }

    /// The value of a cookie.
    pub(super) fn value(&self, name: &str, now: SystemTime) -> Option<&str> {
        let kept = self.0.iter().find(|kept| kept.name == name && kept.ends.is_none_or(|ends| now < ends));
        kept.map(|kept| kept.value.as_str())
    }

    /// Puts a cookie in that no response set, as a page on a sibling host can.
    pub(super) fn plant(&mut self, name: &str, path: &str, value: &str) {
        let set = SetCookie { name, value, path: Some(path), secure: true, ..SetCookie::default() };
        self.store(&set, SystemTime::UNIX_EPOCH);
    }

    fn store(&mut self, set: &SetCookie<'_>, now: SystemTime) {
        let path = set.path.filter(|path| path.starts_with('/')).unwrap_or("/");
        let domain = set.domain.map(|domain| domain.trim_start_matches('.').to_ascii_lowercase());
        self.0.retain(|kept| {
            (kept.name.as_str(), kept.path.as_str(), &kept.domain) != (set.name, path, &domain)
        });
        let ends = set.max_age.map(|seconds| now + Duration::from_secs(u64::try_from(seconds).unwrap_or(0)));
        if ends.is_some_and(|ends| ends <= now) {
            return;
        }
        self.0.push(Kept {
            name: set.name.to_owned(),
            path: path.to_owned(),
            domain,
            value: set.value.to_owned(),
            secure: set.secure,
            ends,
        });
    }
}

/// RFC 6265bis section 5.1.4.
fn path_matches(request: &str, cookie: &str) -> bool {
    request
        .strip_prefix(cookie)
        .is_some_and(|rest| rest.is_empty() || cookie.ends_with('/') || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    fn take(jar: &mut Jar, field: &'static str, now: SystemTime) -> Result {
        let headers = HeaderMap::from_iter([(header::SET_COOKIE, HeaderValue::from_static(field))]);
        jar.take(&headers, true, now)
    }

    fn sent(jar: &Jar, path: &str, now: SystemTime) -> String {
        let field = jar.field(path, true, now).unwrap();
        field.map(|field| field.to_str().unwrap().to_owned()).unwrap_or_default()
    }

    #[test]
    fn the_same_name_and_path_replaces() {
        let mut jar = Jar::default();
        take(&mut jar, "a=1; Path=/", UNIX_EPOCH).unwrap();
        take(&mut jar, "a=2; Path=/", UNIX_EPOCH).unwrap();
        take(&mut jar, "a=3; Path=/x", UNIX_EPOCH).unwrap();
        assert_eq!(sent(&jar, "/", UNIX_EPOCH), "a=2");
        assert_eq!(sent(&jar, "/x/y", UNIX_EPOCH), "a=3; a=2");
        assert_eq!(sent(&jar, "/xy", UNIX_EPOCH), "a=2");
    }

    #[test]
    fn a_cookie_ends_when_it_is_told_to() {
        let mut jar = Jar::default();
        take(&mut jar, "a=1; Max-Age=5", UNIX_EPOCH).unwrap();
        assert_eq!(sent(&jar, "/", UNIX_EPOCH + Duration::from_secs(4)), "a=1");
        assert_eq!(sent(&jar, "/", UNIX_EPOCH + Duration::from_secs(5)), "");
        take(&mut jar, "b=1", UNIX_EPOCH).unwrap();
        take(&mut jar, "b=; Max-Age=0", UNIX_EPOCH).unwrap();
        assert_eq!(sent(&jar, "/", UNIX_EPOCH), "a=1");
        assert_eq!(jar.value("b", UNIX_EPOCH), None);
    }

    #[test]
    fn what_a_browser_drops_is_a_failure() {
        assert!(take(&mut Jar::default(), "__Host-a=1; Path=/", UNIX_EPOCH).is_err());
    }

    #[test]
    fn a_secure_cookie_stays_off_plain_http() {
        let mut jar = Jar::default();
        take(&mut jar, "a=1; Secure", UNIX_EPOCH).unwrap();
        assert_eq!(jar.field("/", false, UNIX_EPOCH).unwrap(), None);
    }
}

//! What is compared of an answer.

use bytes::Bytes;
use http::{HeaderMap, StatusCode};

use crate::fixture::OWN_ID;

/// One thing that can differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Aspect {
    /// The status.
    Status,
    /// All values of a header field, in order.
    Field(&'static str),
    /// The body.
    Body,
}

/// The fields in which the session layer has a say, and the one that says what the body is.
const FIELDS: [&str; 9] = [
    "set-cookie",
    "vary",
    "cache-control",
    "location",
    "referrer-policy",
    "retry-after",
    "x-session-id",
    OWN_ID,
    "content-type",
];

/// An answer.
#[derive(Debug)]
pub(super) struct Observed {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Observed {
    /// Where `other` is not the same, as a sentence each.
    pub(super) fn differences(&self, other: &Self) -> Vec<(Aspect, String)> {
        let mut differences = Vec::new();
        if self.status != other.status {
            differences.push((Aspect::Status, format!("{} instead of {}", other.status, self.status)));
        }
        for name in FIELDS {
            let (expected, found) = (values(&self.headers, name), values(&other.headers, name));
            if expected != found {
                differences.push((Aspect::Field(name), format!("{name}: {found:?} instead of {expected:?}")));
            }
        }
        if self.body != other.body {
            differences.push((Aspect::Body, format!("the body {:?} instead of {:?}", other.body, self.body)));
        }
        differences
    }
}

fn values(headers: &HeaderMap, name: &str) -> Vec<String> {
    headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).collect()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn answer(fields: &[(&'static str, &'static str)]) -> Observed {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, HeaderValue::from_static(value));
        }
        Observed { status: StatusCode::OK, headers, body: Bytes::from_static(b"[]") }
    }

    fn aspects(one: &Observed, other: &Observed) -> Vec<Aspect> {
        one.differences(other).into_iter().map(|(aspect, _)| aspect).collect()
    }

    #[test]
    fn order_number_and_bytes_of_fields_count() {
        let one = answer(&[("set-cookie", "a=1"), ("set-cookie", "b=2"), ("vary", "cookie")]);
        for other in [
            answer(&[("set-cookie", "b=2"), ("set-cookie", "a=1"), ("vary", "cookie")]),
            answer(&[("set-cookie", "a=1"), ("vary", "cookie")]),
            answer(&[("set-cookie", "a=1"), ("set-cookie", "b=2 "), ("vary", "cookie")]),
        ] {
            assert_eq!(aspects(&one, &other), [Aspect::Field("set-cookie")]);
        }
        let other = answer(&[
            ("x-powered-by", "x"),
            ("vary", "cookie"),
            ("set-cookie", "a=1"),
            ("set-cookie", "b=2"),
        ]);
        assert_eq!(aspects(&one, &other), []);
    }

    #[test]
    fn status_and_body_count() {
        let one = answer(&[]);
        let other =
            Observed { status: StatusCode::CONFLICT, body: Bytes::from_static(b"[ ]"), ..answer(&[]) };
        assert_eq!(aspects(&one, &other), [Aspect::Status, Aspect::Body]);
    }
}

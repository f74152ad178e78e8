//! What happened to the session in one request.

use std::time::Duration;

use axum::response::Response;
use http::{HeaderValue, Method, StatusCode, header::SET_COOKIE};
use session_core::{CloseReport, EventKind, Fingerprint, Saved};

use super::notes::Notes;

/// Characters of a path that are kept.
const LONGEST_PATH: usize = 80;

/// One request, as the session library saw it. Has no id and no value in it.
#[derive(Clone, Debug)]
pub(crate) struct Story {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) status: StatusCode,
    pub(crate) took: Duration,
    /// What was done and why; `None` if the session was not used.
    pub(crate) report: Option<CloseReport>,
    pub(crate) events: Vec<EventKind>,
    /// The cookie that was sent, without its value.
    pub(crate) cookie: Option<String>,
    /// The session that the request came with.
    pub(super) before: Option<Fingerprint>,
    /// The session that the client has now.
    pub(crate) after: Option<Fingerprint>,
}

impl Story {
    /// Puts together what is known when the response is ready.
    pub(crate) fn new(
        (method, path): (Method, String),
        response: &Response,
        took: Duration,
        notes: &Notes,
        after: Option<Fingerprint>,
    ) -> Self {
        let loaded = notes.events.iter().find(|event| event.kind == EventKind::Loaded);
        Self {
            method,
            path: path.chars().take(LONGEST_PATH).collect(),
            status: response.status(),
            took,
            report: notes.report,
            events: notes.events.iter().map(|event| event.kind).collect(),
            cookie: response.headers().get(SET_COOKIE).and_then(without_value),
            before: loaded.and_then(|event| event.session),
            after,
        }
    }

    /// The names of the session, if the request was part of one: two if it changed the id.
    pub(super) fn names(&self) -> impl Iterator<Item = Fingerprint> {
        let renamed = self.report.is_some_and(|report| report.saved == Saved::Rotated);
        self.after.into_iter().chain(self.before.filter(|_| renamed))
    }

    /// Whether the client has a session after the request.
    pub(crate) fn leaves_session(&self) -> bool {
        self.after.is_some()
    }

    /// How many times the changes had to be made again on top of another request's.
    pub(crate) fn replays(&self) -> usize {
        self.events.iter().filter(|event| **event == EventKind::ConflictReplayed).count()
    }

    /// In one line, for a header field.
    pub(crate) fn summary(&self) -> String {
        match (self.failure(), &self.report) {
            (Some(failure), _) => format!("failed: {failure}"),
            (None, Some(report)) => report.to_string(),
            (None, None) => "the session was not used".to_owned(),
        }
    }

    /// Why the session could not be read or stored, if that is why the request failed.
    pub(crate) fn failure(&self) -> Option<&'static str> {
        if !self.status.is_server_error() && self.status != StatusCode::CONFLICT {
            return None;
        }
        self.events.iter().find_map(|event| match event {
            EventKind::StoreFailed => Some("the store did not answer"),
            EventKind::Corrupt => Some("the record is damaged"),
            EventKind::Contended => Some("too many requests changed the session at once"),
            EventKind::ChangesDropped => Some("another request ended the session or changed its id"),
            EventKind::SupersededUse => Some("the id was replaced by another request"),
            _ => None,
        })
    }

    /// Whether the two requests were answered alike.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        (&self.method, &self.path, self.status, self.report)
            == (&other.method, &other.path, other.status, other.report)
    }
}

/// The cookie with everything but the secret.
fn without_value(cookie: &HeaderValue) -> Option<String> {
    let (name, rest) = cookie.to_str().ok()?.split_once('=')?;
    let (value, attributes) = rest.split_once(';').unwrap_or((rest, ""));
    let hidden = if value.is_empty() { "" } else { "(secret)" };
    Some(format!("{name}={hidden};{attributes}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_shown_without_its_value() {
        for (sent, shown) in [
            ("id=abc; Path=/; HttpOnly", "id=(secret); Path=/; HttpOnly"),
            ("id=; Path=/; Max-Age=0", "id=; Path=/; Max-Age=0"),
            ("id=a=b", "id=(secret);"),
        ] {
            assert_eq!(without_value(&HeaderValue::from_static(sent)).as_deref(), Some(shown));
        }
    }
}

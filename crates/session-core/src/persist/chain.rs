//! Several strategies, in order of preference.

use http::{HeaderMap, HeaderName};

use super::{Announcement, Candidate, Persistence, Presented};
use crate::{error::ConfigError, request::RequestHead};

/// Tries several strategies: the first that presents a live session wins, and what the client has to learn about that
/// session goes back the same way. A new id goes to the first.
///
/// ```
/// # use session_core::persist::{Chain, Cookie, CookieOptions, Header};
/// // browsers use the cookie, other clients may send the header field instead
/// let browsers_and_tools = Chain::new(Cookie::new(CookieOptions::default())?).then(Header::default());
/// # Ok::<(), session_core::ConfigError>(())
/// ```
///
/// A [`Query`](super::Query) in a chain reads ids but does not redirect.
#[derive(Debug)]
pub struct Chain {
    strategies: Vec<Box<dyn Persistence>>,
    vary: Vec<HeaderName>,
}

impl Chain {
    /// A chain that begins with the strategy for new ids.
    pub fn new(first: impl Persistence) -> Self {
        Self { strategies: Vec::new(), vary: Vec::new() }.then(first)
    }

    /// The chain with one more strategy, to be tried after the others.
    #[must_use]
    pub fn then(mut self, next: impl Persistence) -> Self {
        for field in next.vary() {
            if !self.vary.contains(field) {
                self.vary.push(field.clone());
            }
        }
        self.strategies.push(Box::new(next));
        self
    }

    fn at(&self, source: u8) -> Option<&dyn Persistence> {
        self.strategies.get(usize::from(source)).map(AsRef::as_ref)
    }
}

impl Persistence for Chain {
    fn present(&self, head: &RequestHead<'_>) -> Presented {
        let mut presented = Presented::Nothing;
        for (strategy, source) in self.strategies.iter().zip(0..) {
            if let Presented::Ids(candidates) = strategy.present(head) {
                for candidate in candidates.iter() {
                    presented.push(Candidate { source, ..candidate.clone() });
                }
            }
        }
        presented
    }

    fn announce(&self, announcement: Announcement<'_>, headers: &mut HeaderMap) {
        let (Announcement::Issue { source, .. } | Announcement::Withdraw { source }) = announcement else {
            return;
        };
        if let Some(strategy) = self.at(source) {
            strategy.announce(announcement, headers);
        }
    }

    fn vary(&self) -> &[HeaderName] {
        &self.vary
    }

    fn reads_other_fields(&self) -> bool {
        self.strategies.iter().any(|strategy| strategy.reads_other_fields())
    }

    fn announces(&self) -> bool {
        self.strategies.iter().all(|strategy| strategy.announces())
    }

    fn bind(&mut self, realm: &str) {
        self.strategies.iter_mut().for_each(|strategy| strategy.bind(realm));
    }

    fn in_urls(&self) -> bool {
        self.strategies.iter().any(|strategy| strategy.in_urls())
    }

    fn validate(&self) -> Result<(), ConfigError> {
        if self.strategies.iter().any(|strategy| strategy.state_limit().is_some()) {
            return Err(ConfigError::new(
                "persist",
                "a chain carries ids; a sealed cookie carries the session itself",
            ));
        }
        self.strategies.iter().try_for_each(|strategy| strategy.validate())
    }

    fn expires_at_client(&self) -> bool {
        self.strategies.iter().any(|strategy| strategy.expires_at_client())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::persist::{Cookie, CookieOptions, External, Header, Query};

    #[test]
    fn a_chain_reads_other_fields_if_one_of_its_strategies_does() {
        let cookie = || Cookie::new(CookieOptions::default()).unwrap();
        let known = Chain::new(cookie()).then(Header::default()).then(Query::default());
        assert!(!known.reads_other_fields());
        assert_eq!(known.vary(), [http::header::COOKIE, HeaderName::from_static("x-session-id")]);
        assert!(Chain::new(cookie()).then(External::new(|_| None)).reads_other_fields());
    }

    #[test]
    fn a_chain_announces_only_if_all_of_its_strategies_do() {
        let cookie = || Cookie::new(CookieOptions::default()).unwrap();
        assert!(Chain::new(cookie()).then(Header::default()).announces());
        assert!(!Chain::new(cookie()).then(External::new(|_| None)).announces());
        assert!(!Chain::new(cookie()).then(Query::default()).announces());
    }
}

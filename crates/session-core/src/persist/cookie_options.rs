//! The attributes of the session cookie, and the rules a browser applies to them.

use std::time::Duration;

use serde::{Deserialize, Deserializer};

use crate::{error::ConfigError, span};

/// RFC 6265bis section 5.5: user agents cap a cookie's lifetime at 400 days.
const LONGEST_LIFETIME: Duration = Duration::from_secs(400 * 24 * 60 * 60);
/// RFC 6265bis section 5.6: user agents refuse a name and value of more than 4096 bytes.
const LONGEST_PAIR: usize = 4096;
/// RFC 6265bis section 5.6: user agents ignore an attribute value of more than 1024 bytes.
const LONGEST_ATTRIBUTE: usize = 1024;
/// Bytes left for the value when the name is as long as it may be.
const LONGEST_NAME: usize = LONGEST_PAIR - 256;

/// The attributes of the session cookie.
///
/// The default is the strictest cookie there is that still survives a link from another site: `__Host-id`, `Secure`,
/// `HttpOnly`, `SameSite=Lax`, `Path=/`, gone when the browser closes. Options are checked when the strategy is built.
///
/// ```
/// # use session_core::persist::{Cookie, CookieOptions};
/// let options = CookieOptions::default().with_path("/shop");
/// let error = Cookie::new(options).unwrap_err();      // a `__Host-` cookie must have Path=/
/// assert_eq!(error.field(), "cookie.path");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CookieOptions {
    pub(super) name: String,
    pub(super) path: String,
    pub(super) domain: Option<String>,
    pub(super) secure: bool,
    pub(super) http_only: bool,
    pub(super) same_site: SameSite,
    pub(super) partitioned: bool,
    pub(super) lifetime: CookieLifetime,
}

/// From which sites a browser sends the cookie (RFC 6265bis section 5.6.7).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SameSite {
    /// Only from pages of the same site: a link from elsewhere arrives signed out.
    #[serde(alias = "Strict")]
    Strict,
    /// From the same site, and when a link from elsewhere is followed.
    #[default]
    #[serde(alias = "Lax")]
    Lax,
    /// From everywhere; requires `Secure` and leaves request forgery to the application.
    #[serde(alias = "None")]
    None,
}

/// How long the browser keeps the cookie. Independent of how long the session lives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CookieLifetime {
    /// Until the browser closes.
    #[default]
    BrowserSession,
    /// For this long after it was last sent; it is sent again when the session is written down as active.
    Fixed(Duration),
}

impl CookieOptions {
    /// For development without TLS: the name `id`, no `Secure`. Browsers refuse `__Host-` names and `Secure` cookies
    /// over plain http; everywhere else this gives the session to whoever can listen.
    #[must_use]
    pub fn plain_http_for_development() -> Self {
        Self { name: "id".into(), secure: false, ..Self::default() }
    }

    /// The name; `__Host-id` unless set. The prefixes `__Host-` and `__Secure-` keep other hosts from setting it.
    #[must_use]
    pub fn with_name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// The path below which the cookie is sent; `/` unless set. No protection: pages of one host can read each other.
    #[must_use]
    pub fn with_path(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        self
    }

    /// Sends the cookie to all hosts of a domain, so that each of them can read and set it. A leading dot is accepted
    /// and dropped. Rules out a `__Host-` name.
    #[must_use]
    pub fn with_domain(mut self, domain: impl Into<String>) -> Self {
        self.domain = Some(domain.into());
        self
    }

    /// From which sites the cookie is sent; `Lax` unless set.
    #[must_use]
    pub const fn with_same_site(mut self, same_site: SameSite) -> Self {
        self.same_site = same_site;
        self
    }

    /// Keeps a jar for each top-level site (CHIPS); for sites that are embedded in others.
    #[must_use]
    pub const fn with_partitioned(mut self, partitioned: bool) -> Self {
        self.partitioned = partitioned;
        self
    }

    /// How long the browser keeps the cookie; until it closes unless set.
    #[must_use]
    pub const fn with_lifetime(mut self, lifetime: CookieLifetime) -> Self {
        self.lifetime = lifetime;
        self
    }

    /// Lets scripts read the cookie, and with it every script that an attacker gets into a page.
    #[must_use]
    pub const fn dangerous_readable_by_scripts(mut self) -> Self {
        self.http_only = false;
        self
    }

    /// Sends the cookie over plain http as well, where anybody on the way can read it.
    #[must_use]
    pub const fn dangerous_without_secure(mut self) -> Self {
        self.secure = false;
        self
    }

    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        let refuse = |field: &str, rule: &str| Err(ConfigError::new(format!("cookie.{field}"), rule));
        let domain = self.domain();
        if self.name.is_empty() || !self.name.bytes().all(is_token) {
            return refuse("name", "must be a token (RFC 9110 section 5.6.2)");
        }
        if self.name.len() > LONGEST_NAME {
            return refuse(
                "name",
                "is so long that browsers would refuse the cookie (4096 bytes with its value)",
            );
        }
        if !self.path.starts_with('/') || !self.path.bytes().all(is_attribute_octet) {
            return refuse("path", "must start with / and have no control character and no semicolon");
        }
        if self.path.len() > LONGEST_ATTRIBUTE {
            return refuse("path", "must not be longer than 1024 bytes");
        }
        if let Some(domain) = domain
            && !is_domain(domain)
        {
            return refuse("domain", "must be a host name: letters, digits, hyphens and dots");
        }
        if has_prefix(&self.name, "__Host-") {
            if domain.is_some() {
                return refuse(
                    "domain",
                    "a cookie with the prefix __Host- has no domain; use the prefix __Secure-",
                );
            }
            if self.path != "/" {
                return refuse(
                    "path",
                    "a cookie with the prefix __Host- has the path /; use the prefix __Secure-",
                );
            }
        }
        if !self.secure {
            if has_prefix(&self.name, "__Host-") || has_prefix(&self.name, "__Secure-") {
                return refuse("secure", "a cookie with the prefix __Host- or __Secure- must be Secure");
            }
            if self.same_site == SameSite::None {
                return refuse("same_site", "SameSite=None requires Secure");
            }
            if self.partitioned {
                return refuse("partitioned", "Partitioned requires Secure");
            }
        }
        match self.lifetime {
            CookieLifetime::Fixed(lifetime)
                if lifetime < Duration::from_secs(1) || lifetime > LONGEST_LIFETIME =>
            {
                refuse("lifetime", "must be from 1 second to 400 days")
            }
            _ => Ok(()),
        }
    }

    /// Everything behind the value but its lifetime. Removal repeats it, or browsers keep the cookie.
    pub(super) fn attributes(&self) -> String {
        let mut attributes = format!("; Path={}", self.path);
        if let Some(domain) = self.domain() {
            attributes += "; Domain=";
            attributes += domain;
        }
        if self.http_only {
            attributes += "; HttpOnly";
        }
        if self.secure {
            attributes += "; Secure";
        }
        attributes += match self.same_site {
            SameSite::Strict => "; SameSite=Strict",
            SameSite::Lax => "; SameSite=Lax",
            SameSite::None => "; SameSite=None",
        };
        if self.partitioned {
            attributes += "; Partitioned";
        }
        attributes
    }

    /// The domain without its leading dot; an empty one is none.
    fn domain(&self) -> Option<&str> {
        let domain = self.domain.as_deref()?;
        Some(domain.strip_prefix('.').unwrap_or(domain)).filter(|_| !domain.is_empty())
    }
}

impl Default for CookieOptions {
    fn default() -> Self {
        Self {
            name: "__Host-id".into(),
            path: "/".into(),
            domain: None,
            secure: true,
            http_only: true,
            same_site: SameSite::Lax,
            partitioned: false,
            lifetime: CookieLifetime::BrowserSession,
        }
    }
}

impl<'de> Deserialize<'de> for CookieLifetime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        span::optional(deserializer).map(|lifetime| lifetime.map_or(Self::BrowserSession, Self::Fixed))
    }
}

/// User agents match prefixes without regard to case (RFC 6265bis section 5.6), so a rule must as well.
fn has_prefix(name: &str, prefix: &str) -> bool {
    name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

/// RFC 9110 section 5.6.2.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// RFC 6265bis section 4.1.1: `av-octet`.
fn is_attribute_octet(byte: u8) -> bool {
    matches!(byte, 0x20..=0x7e) && byte != b';'
}

fn is_domain(domain: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    domain.len() <= 253 && domain.split('.').all(label)
}

//! Origins of other sites that are allowed to make requests.

use std::{fmt, str::FromStr};

use crate::error::ConfigError;

/// An origin exactly as browsers spell it in the `Origin` field (RFC 6454 section 6.2), such as
/// `https://admin.example.com`.
///
/// A spelling that no browser sends is refused instead of never matching:
///
/// ```
/// # use session_core::Origin;
/// assert!("https://admin.example.com".parse::<Origin>().is_ok());
/// assert!("http://localhost:8080".parse::<Origin>().is_ok());
/// for never_sent in ["admin.example.com", "https://a.example/", "https://A.example", "https://a.example:443", "*"] {
///     assert!(never_sent.parse::<Origin>().is_err());
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin(Box<str>);

impl Origin {
    /// The origin as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Origin {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, ConfigError> {
        let refuse = |rule| Err(ConfigError::new("trusted_origins", rule));
        let Some((scheme, authority)) = text.split_once("://") else {
            return refuse(
                "an origin is a scheme, '://' and a host, with a port if it is not the scheme's own",
            );
        };
        let scheme_only =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"+-.".contains(&byte);
        let host_or_port =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-._:[]".contains(&byte);
        if scheme.is_empty() || !scheme.bytes().all(scheme_only) {
            return refuse("the scheme of an origin is written in lower case");
        }
        if authority.is_empty() || !authority.bytes().all(host_or_port) {
            return refuse("an origin ends with its host or port, in lower case: no user, no path, no slash");
        }
        if matches!(
            (scheme, authority.rsplit_once(':')),
            ("https", Some((_, "443"))) | ("http", Some((_, "80")))
        ) {
            return refuse("browsers leave out the scheme's own port");
        }
        Ok(Self(text.into()))
    }
}

impl AsRef<str> for Origin {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

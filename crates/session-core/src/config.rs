//! Everything that can be set, as one value: from code, from serde, or from string pairs.

use std::time::Duration;

use serde::Deserialize;

#[cfg(feature = "signed")]
use crate::persist::SecretKeys;
use crate::{
    error::ConfigError,
    expiry::Expiry,
    limits::Limits,
    pairs,
    persist::{CookieOptions, Persistence},
    span,
    value::ValueFormat,
};

/// The settings of a [`SessionManager`](crate::SessionManager).
///
/// Lengths of time are whole seconds, or text with a unit: `90`, `"15m"`, `"12h"`, `"30d"`.
///
/// ```
/// # use session_core::{SessionConfig, SavePolicy};
/// let ini = [("session.expiry.idle", "20m"), ("session.cookie.name", "id"), ("session.cookie.secure", "false"),
///            ("session.save", "explicit"), ("other.key", "ignored")];
/// let config = SessionConfig::from_pairs("session.", ini)?;
/// assert_eq!(config.save, SavePolicy::Explicit);
///
/// let error = SessionConfig::from_pairs("session.", [("session.expiry.idel", "20m")]).unwrap_err();
/// assert_eq!(error.field(), "session.expiry.idel");
/// # Ok::<(), session_core::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct SessionConfig {
    /// Tells the applications of one store apart: an id of one realm names nothing in another. `default` unless set.
    pub realm: String,
    /// The timeouts; 30 minutes idle and 12 hours absolute unless set.
    pub expiry: Expiry,
    /// Replaces the id of a session in use after this time (OWASP 'renewal timeout'); never unless set.
    #[serde(deserialize_with = "span::optional")]
    pub renew_every: Option<Duration>,
    /// How long the old id still works after such a routine replacement; 10 seconds unless set. After a login or any
    /// other change of privileges it never does.
    #[serde(deserialize_with = "span::required")]
    pub renewal_grace: Duration,
    /// How long a replaced id is remembered, so that a late request under it changes nothing; 60 seconds unless set.
    #[serde(deserialize_with = "span::required")]
    pub superseded_for: Duration,
    /// When changes are stored.
    pub save: SavePolicy,
    /// Whether changes are stored when the response is a 5xx; they are unless set.
    pub save_on_server_error: bool,
    /// How new values are encoded.
    pub value_format: ValueFormat,
    /// How large a session may become.
    pub limits: Limits,
    /// How the id travels, unless a strategy is given in code.
    pub persist: PersistConfig,
    /// The attributes of the cookie.
    pub cookie: CookieOptions,
    /// The header field.
    pub header: HeaderConfig,
    /// The query parameter.
    pub query: QueryConfig,
    /// The secret keys, the one in use first: a list, or one text with commas in between.
    #[cfg(feature = "signed")]
    pub keys: SecretKeys,
    /// How long the sweeping loop waits between two sweeps; five minutes unless set.
    #[serde(deserialize_with = "span::required")]
    pub sweep_every: Duration,
    /// How likely a request that stores something also sweeps some expired records, from 0 to 1; 0 unless set.
    pub sweep_probability: f64,
    /// How many sessions a principal may have; any number unless set.
    pub max_sessions_per_principal: Option<usize>,
    /// What happens when a principal signs in once more than that.
    pub at_session_limit: SessionLimitPolicy,
}

/// When changes are stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum SavePolicy {
    /// At the end of a request that changed something.
    #[default]
    OnChange,
    /// Only when the handler calls [`Session::save`](crate::Session::save). Ending a session needs no saving.
    Explicit,
    /// At the end of every request that used an existing session.
    Always,
}

/// What happens when a principal has as many sessions as allowed and signs in again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum SessionLimitPolicy {
    /// The session that was used least recently ends.
    #[default]
    EndOldest,
    /// Signing in fails with [`SessionError::TooManySessions`](crate::SessionError::TooManySessions).
    Refuse,
}

/// The strategies that need no more than settings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum PersistConfig {
    /// A cookie.
    #[default]
    Cookie,
    /// A header field.
    Header,
    /// A query parameter.
    Query,
    /// A cookie with a signature; needs `keys`.
    #[cfg(feature = "signed")]
    SignedCookie,
    /// The session itself in a signed cookie; needs `keys` and no store.
    #[cfg(feature = "signed")]
    SealedSigned,
    /// The session itself in an encrypted cookie; needs `keys` and no store.
    #[cfg(feature = "encrypted")]
    SealedEncrypted,
}

/// The query parameter of [`Query`](crate::persist::Query).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct QueryConfig {
    /// Its name; `sid` unless set.
    pub parameter: String,
}

impl Default for QueryConfig {
    fn default() -> Self {
        Self { parameter: "sid".into() }
    }
}

/// The header field of [`Header`](crate::persist::Header).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct HeaderConfig {
    /// Its name; `x-session-id` unless set.
    pub name: String,
}

impl SessionConfig {
    /// Settings from string pairs, such as the lines of an ini file: dots lead into nested settings. Keys without
    /// `prefix` are ignored.
    ///
    /// # Errors
    /// [`ConfigError`] naming the key for one that does not exist or whose value does not fit.
    pub fn from_pairs<K: AsRef<str>, V: AsRef<str>>(
        prefix: &str,
        pairs: impl IntoIterator<Item = (K, V)>,
    ) -> Result<Self, ConfigError> {
        pairs::deserialize(prefix, pairs)
    }

    pub(crate) fn validate(&self) -> Result<(), ConfigError> {
        self.expiry.validate()?;
        self.limits.validate()?;
        let second = Duration::from_secs(1);
        let refuse = |field, rule| Err(ConfigError::new(field, rule));
        if self.realm.is_empty() {
            return refuse("realm", "must not be empty");
        }
        if self.renew_every.is_some_and(|every| every < second || every <= self.renewal_grace) {
            return refuse("renew_every", "must be at least one second, and longer than renewal_grace");
        }
        if self.superseded_for < second {
            return refuse("superseded_for", "must be at least one second");
        }
        if self.sweep_every < second {
            return refuse("sweep_every", "must be at least one second");
        }
        if !(0.0..=1.0).contains(&self.sweep_probability) {
            return refuse("sweep_probability", "must be from 0 to 1");
        }
        if self.max_sessions_per_principal == Some(0) {
            return refuse("max_sessions_per_principal", "must be at least 1");
        }
        Ok(())
    }
}

impl SessionConfig {
    /// Checks the settings against the strategy, and lowers limits to what it can carry.
    pub(crate) fn fit(&mut self, persistence: &dyn Persistence) -> Result<(), ConfigError> {
        if persistence.in_urls() && self.renew_every.is_some() {
            return Err(ConfigError::new(
                "renew_every",
                "pages hold links with the old id, so ids in queries cannot change",
            ));
        }
        if !persistence.announces() && self.renew_every.is_some() {
            return Err(ConfigError::new(
                "renew_every",
                "the application hands the ids out, so they cannot change by themselves",
            ));
        }
        if let Some(limit) = persistence.state_limit() {
            self.limits.record_bytes = self.limits.record_bytes.min(limit);
        }
        Ok(())
    }
}

impl Default for SessionConfig {
    fn default() -> Self {
        Self {
            realm: "default".into(),
            expiry: Expiry::default(),
            renew_every: None,
            renewal_grace: Duration::from_secs(10),
            superseded_for: Duration::from_secs(60),
            save: SavePolicy::default(),
            save_on_server_error: true,
            value_format: ValueFormat::default(),
            limits: Limits::default(),
            persist: PersistConfig::default(),
            cookie: CookieOptions::default(),
            header: HeaderConfig::default(),
            query: QueryConfig::default(),
            #[cfg(feature = "signed")]
            keys: SecretKeys::default(),
            sweep_every: Duration::from_secs(300),
            sweep_probability: 0.0,
            max_sessions_per_principal: None,
            at_session_limit: SessionLimitPolicy::default(),
        }
    }
}

impl Default for HeaderConfig {
    fn default() -> Self {
        Self { name: "x-session-id".into() }
    }
}

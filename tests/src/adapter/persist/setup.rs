//! How a manager is set up with a strategy.

use http::HeaderName;
use session_core::{
    ConfigError, ManagerBuilder, SessionConfig,
    persist::{
        Chain, Cookie, CookieOptions, External, ExternalId, Header, KeyRing, Query, SealedCookie, SecretKey,
    },
};

use super::Persist;
use crate::fixture::OWN_ID;

/// The key of every signature and seal of the suite, as a configuration spells it. It is published with the kit, so it
/// protects nothing.
const KEY: &str = "a2V5LW9mLXRoZS1jb25mb3JtYW5jZS1raXQtbm8tc2VjcmV0";

impl Persist {
    /// Whether there is a store. If not, the builder has to come from
    /// [`SessionManager::without_store`](session_core::SessionManager::without_store).
    #[must_use]
    pub const fn has_store(self) -> bool {
        !self.is_sealed()
    }

    /// Sets a manager up with this strategy; `cookie` is for those that use one. Signatures and seals are made with a
    /// key that the kit publishes: **for tests only**.
    ///
    /// # Errors
    /// For a cookie that browsers would drop.
    pub fn configure(
        self,
        builder: ManagerBuilder,
        cookie: CookieOptions,
    ) -> Result<ManagerBuilder, ConfigError> {
        let ring = || SecretKey::from_text(KEY).map(KeyRing::new);
        self.configure_with(builder, cookie, ring)
    }

    /// The same with other keys.
    pub(in crate::adapter) fn configure_with(
        self,
        builder: ManagerBuilder,
        cookie: CookieOptions,
        ring: impl FnOnce() -> Result<KeyRing, ConfigError>,
    ) -> Result<ManagerBuilder, ConfigError> {
        Ok(match self {
            Self::Cookie => builder.cookie(cookie),
            Self::SignedCookie => builder.persistence(Cookie::signed(cookie, ring()?)?),
            Self::Header => builder.persistence(Header::default()),
            Self::Query => builder.persistence(Query::default()),
            Self::Chain => builder.persistence(Chain::new(Cookie::new(cookie)?).then(Header::default())),
            Self::External => builder.persistence(external()),
            Self::SealedSigned => builder.persistence(SealedCookie::signed(cookie, ring()?)?),
            Self::SealedEncrypted => builder.persistence(SealedCookie::encrypted(cookie, ring()?)?),
        })
    }

    /// Settings from text pairs that begin with `session.`, and whether they name the strategy as well: some can only be
    /// given in code.
    pub(in crate::adapter) fn settings(
        self,
        pairs: &[(&str, &str)],
    ) -> Result<(SessionConfig, bool), ConfigError> {
        let named = [("session.persist", self.name()), ("session.keys", KEY)];
        let all = pairs.iter().copied().chain(named);
        match SessionConfig::from_pairs("session.", all) {
            Err(error) if error.field() == "session.persist" => {
                SessionConfig::from_pairs("session.", pairs.iter().copied()).map(|config| (config, false))
            }
            config => config.map(|config| (config, true)),
        }
    }
}

/// The fixture hands ids out in the field that it reads them from.
fn external() -> External {
    let own_id = |head: &session_core::RequestHead<'_>| {
        let id = head.headers.get(OWN_ID)?.to_str().ok()?;
        Some(ExternalId::Presented(id.to_owned()))
    };
    External::new(own_id).varying_on(HeaderName::from_static(OWN_ID))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_of_the_kit_is_one() {
        SecretKey::from_text(KEY).unwrap();
    }

    #[test]
    fn strategies_that_need_code_say_so() {
        for persist in Persist::ALL {
            let (_, named) = persist.settings(&[("session.expiry.idle", "20m")]).unwrap();
            assert_eq!(named, !matches!(persist, Persist::Chain | Persist::External), "{persist}");
        }
    }
}

//! Puts a manager together and refuses what would not work or would not be safe.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64},
    },
    time::Duration,
};

use bytes::Bytes;
use http::Response;

#[cfg(feature = "signed")]
use crate::persist::SealedCookie;
use http::header::{CACHE_CONTROL, REFERRER_POLICY, VARY};

use crate::{
    clock::{Clock, SystemClock},
    config::{PersistConfig, SavePolicy, SessionConfig, SessionLimitPolicy},
    digest::Realm,
    error::{ConfigError, SessionError},
    event::{Event, Events, Listener},
    expiry::Expiry,
    id::{OsRandom, Random},
    manager::{SessionManager, Shared},
    persist::{Cookie, CookieOptions, Header, Persistence, Query},
    report::CloseReport,
    response::Varying,
    sealed::NoStore,
    store::Store,
};

pub(crate) type ErrorResponse = dyn Fn(&SessionError) -> Option<Response<Bytes>> + Send + Sync;
pub(crate) type CloseListener = dyn Fn(&CloseReport) + Send + Sync;

/// Builds a [`SessionManager`]. Everything has a safe default; see [`SessionConfig`] for what each setting means.
///
/// ```
/// # use std::{sync::Arc, time::Duration};
/// # use session_core::{Expiry, SessionManager, Store};
/// # fn manager(store: impl Store) -> Result<(), session_core::ConfigError> {
/// let sessions = SessionManager::builder(store)
///     .expiry(Expiry::NIST_AAL2)
///     .renew_every(Duration::from_secs(15 * 60))
///     .build()?;
/// # Ok(())
/// # }
/// ```
#[must_use]
pub struct ManagerBuilder {
    store: Option<Arc<dyn Store>>,
    config: SessionConfig,
    persistence: Option<Box<dyn Persistence>>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    required: Vec<&'static str>,
    on_event: Option<Arc<Listener>>,
    on_close: Option<Arc<CloseListener>>,
    error_response: Option<Arc<ErrorResponse>>,
}

impl ManagerBuilder {
    pub(crate) fn new(store: Option<Arc<dyn Store>>) -> Self {
        Self {
            store,
            config: SessionConfig::default(),
            persistence: None,
            clock: Arc::new(SystemClock),
            random: Arc::new(OsRandom),
            required: Vec::new(),
            on_event: None,
            on_close: None,
            error_response: None,
        }
    }

    /// Replaces all settings.
    pub fn config(mut self, config: SessionConfig) -> Self {
        self.config = config;
        self
    }

    /// Tells the applications of one store apart.
    pub fn realm(mut self, realm: impl Into<String>) -> Self {
        self.config.realm = realm.into();
        self
    }

    /// The timeouts.
    pub fn expiry(mut self, expiry: Expiry) -> Self {
        self.config.expiry = expiry;
        self
    }

    /// Replaces the id of a session in use after this time.
    pub fn renew_every(mut self, every: Duration) -> Self {
        self.config.renew_every = Some(every);
        self
    }

    /// When changes are stored.
    pub fn save_policy(mut self, policy: SavePolicy) -> Self {
        self.config.save = policy;
        self
    }

    /// Whether changes are stored when the response is a 5xx.
    pub fn save_on_server_error(mut self, save: bool) -> Self {
        self.config.save_on_server_error = save;
        self
    }

    /// Carries the id in a cookie with these attributes.
    pub fn cookie(mut self, options: CookieOptions) -> Self {
        self.config.persist = PersistConfig::Cookie;
        self.config.cookie = options;
        self
    }

    /// Carries the id with another strategy.
    pub fn persistence(mut self, persistence: impl Persistence) -> Self {
        self.persistence = Some(Box::new(persistence));
        self
    }

    /// Allows a principal this many sessions. Requires a store with [`PrincipalIndex`](crate::PrincipalIndex).
    pub fn max_sessions_per_principal(mut self, most: usize, at_limit: SessionLimitPolicy) -> Self {
        self.config.max_sessions_per_principal = Some(most);
        self.config.at_session_limit = at_limit;
        self
    }

    /// Sweeps some expired records at this share of the requests that store something, from 0 to 1. Requires a store
    /// with [`Sweep`](crate::Sweep).
    pub fn sweep_probability(mut self, probability: f64) -> Self {
        self.config.sweep_probability = probability;
        self
    }

    /// How long [`SessionManager::sweep_forever`] waits between two sweeps. Requires a store with
    /// [`Sweep`](crate::Sweep).
    pub fn sweep_every(mut self, every: Duration) -> Self {
        self.config.sweep_every = every;
        self.require("Sweep")
    }

    /// Refuses a store without [`PrincipalIndex`](crate::PrincipalIndex): sessions will be listed and ended by
    /// principal.
    pub fn require_principal_index(self) -> Self {
        self.require("PrincipalIndex")
    }

    /// Another clock, for tests.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Another source of random bytes, for tests of its failure.
    pub fn random(mut self, random: impl Random) -> Self {
        self.random = Arc::new(random);
        self
    }

    /// Is told of everything that happens to sessions. Must not block.
    pub fn on_event(mut self, listener: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        self.on_event = Some(Arc::new(listener));
        self
    }

    /// Is told at the end of each request that used the session what was done and why. Must not block.
    pub fn on_close(mut self, listener: impl Fn(&CloseReport) + Send + Sync + 'static) -> Self {
        self.on_close = Some(Arc::new(listener));
        self
    }

    /// Replaces the response an error becomes; `None` leaves it as it is. Status and body are the application's;
    /// header fields the session layer must send are added.
    pub fn error_response(
        mut self,
        respond: impl Fn(&SessionError) -> Option<Response<Bytes>> + Send + Sync + 'static,
    ) -> Self {
        self.error_response = Some(Arc::new(respond));
        self
    }

    /// The manager.
    ///
    /// # Errors
    /// [`ConfigError`] naming the field and the rule; a setting that needs an ability the store lacks names the trait.
    pub fn build(mut self) -> Result<SessionManager, ConfigError> {
        self.config.validate()?;
        if self.config.sweep_probability > 0.0 {
            self.required.push("Sweep");
        }
        if self.config.max_sessions_per_principal.is_some() {
            self.required.push("PrincipalIndex");
        }
        let (store, needs_state): (Arc<dyn Store>, _) = match self.store {
            Some(store) => (store, false),
            None => (Arc::new(NoStore), true),
        };
        for ability in &self.required {
            let present = match *ability {
                "Sweep" => store.as_sweep().is_some(),
                _ => store.as_principal_index().is_some(),
            };
            if !present {
                return Err(ConfigError::new(
                    "store",
                    format!("must implement {ability} for this configuration"),
                ));
            }
        }
        let mut persistence: Box<dyn Persistence> = match self.persistence {
            Some(persistence) => persistence,
            None => match self.config.persist {
                PersistConfig::Query => Box::new(Query::new(&*self.config.query.parameter)?),
                #[cfg(feature = "signed")]
                PersistConfig::SignedCookie => {
                    Box::new(Cookie::signed(self.config.cookie.clone(), self.config.keys.ring()?)?)
                }
                #[cfg(feature = "signed")]
                PersistConfig::SealedSigned => {
                    Box::new(SealedCookie::signed(self.config.cookie.clone(), self.config.keys.ring()?)?)
                }
                #[cfg(feature = "encrypted")]
                PersistConfig::SealedEncrypted => {
                    Box::new(SealedCookie::encrypted(self.config.cookie.clone(), self.config.keys.ring()?)?)
                }
                PersistConfig::Cookie => Box::new(Cookie::new(self.config.cookie.clone())?),
                PersistConfig::Header => Box::new(Header::new(&self.config.header.name)?),
            },
        };
        match (persistence.state_limit(), needs_state) {
            (None, true) => return Err(ConfigError::new("persist", "this strategy needs a store")),
            (Some(_), false) => {
                let rule = "the sessions travel with their clients; build with SessionManager::without_store";
                return Err(ConfigError::new("store", rule));
            }
            _ => {}
        }
        persistence.validate()?;
        persistence.bind(&self.config.realm);
        self.config.fit(&*persistence)?;
        let (mut fingerprint_key, mut first_attempt) = ([0; 16], [0; 8]);
        self.random
            .fill(&mut fingerprint_key)
            .and_then(|()| self.random.fill(&mut first_attempt))
            .map_err(|error| ConfigError::new("random", error.to_string()))?;
        Ok(SessionManager(Arc::new(Shared {
            realm: Realm::new(&self.config.realm),
            config: self.config,
            store,
            varying: Varying::on(persistence.vary()),
            // Strategies that answer in a field of their own answer in the one that they read.
            response_fields: [VARY, CACHE_CONTROL]
                .iter()
                .chain(persistence.in_urls().then_some(&REFERRER_POLICY))
                .chain(persistence.vary())
                .cloned()
                .collect(),
            in_urls: persistence.in_urls(),
            redirects: persistence.query_parameter().is_some(),
            is_sealed: persistence.state_limit().is_some(),
            persistence: persistence.into(),
            clock: self.clock,
            random: self.random,
            events: Events::new(fingerprint_key, self.on_event),
            gates: Default::default(),
            logins: Default::default(),
            attempts: AtomicU64::new(u64::from_le_bytes(first_attempt)),
            writes_now: AtomicBool::new(true),
            reserved: Default::default(),
            on_close: self.on_close,
            error_response: self.error_response,
        })))
    }

    fn require(mut self, ability: &'static str) -> Self {
        self.required.push(ability);
        self
    }
}

impl fmt::Debug for ManagerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ManagerBuilder")
            .field("store", &self.store)
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

//! The fairing: opens the session part of a request before it is routed and closes it when the response is ready.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use http::StatusCode;
use rocket::{
    Build, Catcher, Data, Request, Response, Rocket,
    fairing::{self, Fairing, Info, Kind},
    figment::Figment,
    http::{ContentType, Status},
};
use serde::Deserialize;
use session_core::{ConfigError, LazySession, Opened, Origin, SessionConfig, SessionManager};

use crate::{
    answer,
    local::Local,
    translate::{self, Head},
};

/// Gives every request of the application a session.
///
/// A request that does not ask for its session costs no store call, and its response gets no header field. Of several
/// such fairings the one that is attached last counts.
///
/// The manager is put under Rocket's management: handlers that list or end sessions take `&State<SessionManager>`.
pub struct SessionFairing {
    manager: OnceLock<SessionManager>,
    configure: Mutex<Option<Box<Configure>>>,
    trusted_origins: Arc<[Origin]>,
}

type Configure = dyn FnOnce(SessionConfig) -> Result<SessionManager, ConfigError> + Send;

impl SessionFairing {
    /// A fairing for the sessions of `manager`.
    #[must_use]
    pub fn new(manager: SessionManager) -> Self {
        Self { manager: manager.into(), configure: Mutex::default(), trusted_origins: Arc::default() }
    }

    /// A fairing whose manager is made of the table `sessions` in Rocket's own configuration: `Rocket.toml`, or
    /// `ROCKET_SESSIONS='{realm="shop"}'`. Without one the defaults apply.
    ///
    /// A setting that does not exist or does not fit aborts the launch, and the log names it and says where it came
    /// from.
    ///
    /// ```
    /// use session_adapter_rocket::SessionFairing;
    /// use session_core::SessionManager;
    /// use session_store_memory::MemoryStore;
    ///
    /// let fairing = SessionFairing::configured(|config| SessionManager::builder(MemoryStore::new()).config(config).build());
    /// # let _ = rocket::build().attach(fairing);
    /// ```
    #[must_use]
    pub fn configured(
        build: impl FnOnce(SessionConfig) -> Result<SessionManager, ConfigError> + Send + 'static,
    ) -> Self {
        Self {
            manager: OnceLock::new(),
            configure: Mutex::new(Some(Box::new(build))),
            trusted_origins: Arc::default(),
        }
    }

    /// Lets pages of these origins make requests that [`Csrf`](crate::Csrf) and [`CsrfForm`](crate::CsrfForm) guard,
    /// beside the application's own. Their requests still need a token of the session.
    ///
    /// # Errors
    /// [`ConfigError`] for a spelling that no browser sends; see [`Origin`].
    pub fn with_trusted_origins<O: AsRef<str>>(
        mut self,
        origins: impl IntoIterator<Item = O>,
    ) -> Result<Self, ConfigError> {
        let origins: Result<Vec<Origin>, _> =
            origins.into_iter().map(|origin| origin.as_ref().parse()).collect();
        self.trusted_origins = origins?.into();
        Ok(self)
    }

    /// The manager, or what is wrong with its configuration.
    fn manager(&self, figment: &Figment) -> Result<SessionManager, Vec<String>> {
        if let Some(manager) = self.manager.get() {
            return Ok(manager.clone());
        }
        let configure = self.configure.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(configure) = configure else { return Err(vec!["already failed".into()]) };
        let Tables { sessions } = figment
            .extract()
            .map_err(|errors| errors.into_iter().map(|error| error.to_string()).collect::<Vec<_>>())?;
        let manager = configure(sessions).map_err(|error| vec![error.to_string()])?;
        Ok(self.manager.get_or_init(|| manager).clone())
    }

    async fn close<'r>(&self, manager: &SessionManager, session: LazySession, response: &mut Response<'r>) {
        let status = StatusCode::from_u16(response.status().code).unwrap_or_default();
        let mut headers = translate::Fields::of(response, &session, manager);
        match manager.close(session, status).await {
            Ok(closed) => {
                closed.apply(headers.as_mut());
                headers.write_back(response);
            }
            Err(failed) => translate::replace(response, failed.into_response()),
        }
    }
}

#[rocket::async_trait]
impl Fairing for SessionFairing {
    fn info(&self) -> Info {
        Info { name: "Sessions", kind: Kind::Ignite | Kind::Request | Kind::Response | Kind::Singleton }
    }

    async fn on_ignite(&self, rocket: Rocket<Build>) -> fairing::Result {
        match self.manager(rocket.figment()) {
            Ok(manager) => {
                let attached =
                    Attached { manager: manager.clone(), trusted_origins: self.trusted_origins.clone() };
                let managed = rocket.state::<SessionManager>().is_some();
                let rocket = rocket.manage(attached).mount("/", [answer::route()]);
                Ok(if managed { rocket } else { rocket.manage(manager) })
            }
            Err(errors) => {
                for error in errors {
                    log::error!("the configuration of the sessions does not work: {error}");
                }
                Err(rocket)
            }
        }
    }

    async fn on_request(&self, request: &mut Request<'_>, _: &mut Data<'_>) {
        let Some(manager) = self.manager.get() else { return };
        let head = Head::for_manager(manager, request);
        let opened = match manager.open(&head.as_ref()).into_ready() {
            Ok(opened) => opened,
            Err(opening) => opening.await,
        };
        match opened {
            Opened::Continue(session) => Local::of(request).begin(session),
            Opened::Respond(response) => answer::instead_of_routing(request, response),
        }
    }

    async fn on_response<'r>(&self, request: &'r Request<'_>, response: &mut Response<'r>) {
        let Some(manager) = self.manager.get() else { return };
        let local = Local::of(request);
        if let Some(failed) = local.failed()
            && failed.status().as_u16() == response.status().code
            && is_from_built_in_catcher(request, looks(response)).await
        {
            translate::replace(response, failed);
        }
        if let Some(session) = local.session() {
            self.close(manager, session, response).await;
        }
    }
}

impl std::fmt::Debug for SessionFairing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SessionFairing").field("manager", &self.manager.get()).finish_non_exhaustive()
    }
}

/// What guards and responders find under Rocket's management.
#[derive(Debug)]
pub(crate) struct Attached {
    pub(crate) manager: SessionManager,
    pub(crate) trusted_origins: Arc<[Origin]>,
}

/// What of Rocket's configuration is ours.
#[derive(Deserialize)]
struct Tables {
    #[serde(default)]
    sessions: SessionConfig,
}

/// What is visible of a response without reading its body.
type Looks = (Status, Option<ContentType>, Option<usize>);

fn looks(response: &Response<'_>) -> Looks {
    (response.status(), response.content_type(), response.body().preset_size())
}

/// Whether nobody but Rocket itself has made this error response. Errors of guards reach the client through catchers;
/// one that the application has registered has the last word.
async fn is_from_built_in_catcher(request: &Request<'_>, looks: Looks) -> bool {
    let built_in = Catcher::default().handler.handle(looks.0, request).await;
    built_in.is_ok_and(|built_in| self::looks(&built_in) == looks)
}

#[cfg(test)]
mod tests {
    use rocket::figment::providers::{Format as _, Toml};
    use session_store_memory::MemoryStore;

    use super::*;

    #[test]
    fn what_is_wrong_with_a_setting_is_said_with_its_place() {
        for (settings, says) in [
            ("[sessions]\nrelam = 'shop'", &["`relam`", "one of", "default.sessions.relam", "TOML"][..]),
            ("[sessions.expiry]\nidle = 'soon'", &["\"soon\"", "seconds", "default.sessions.expiry.idle"]),
            ("sessions = 7", &["signed int `7`", "SessionConfig", "default.sessions"]),
            ("[sessions.cookie]\nsecure = false", &["__Host-", "secure"]),
        ] {
            let fairing = SessionFairing::configured(|config| {
                SessionManager::builder(MemoryStore::new()).config(config).build()
            });
            let errors = fairing.manager(&Figment::from(Toml::string(settings))).unwrap_err();
            let [error] = &errors[..] else { panic!("{errors:?}") };
            for word in says {
                assert!(error.contains(word), "{word} is missing in: {error}");
            }
        }
    }
}

//! What a case is given: an adapter that it can start with managers of its own, a store, and a clock.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use session_core::{
    Clock, CloseReport, ConfigError, Event, EventKind, ManagerBuilder, ManualClock, SessionManager,
    persist::Cookie,
};

use super::{
    application::Starter,
    client::{Client, Way},
    dice::Dice,
    persist::Persist,
    probe::Probe,
};
use crate::Result;

/// The place where a case happens. One case gets one site, and may do with it what it likes.
pub struct Site {
    pub(super) starter: Starter,
    pub(super) persist: Persist,
    pub(super) store: Probe,
    pub(super) clock: Arc<ManualClock>,
    pub(super) dice: Dice,
    pub(super) scale: u64,
}

/// The application, running.
pub(super) struct App {
    pub(super) manager: SessionManager,
    pub(super) store: Probe,
    pub(super) clock: Arc<ManualClock>,
    pub(super) log: Log,
    way: Arc<Way>,
}

impl Site {
    /// Starts the application with every setting at its default.
    pub(super) async fn start(&self) -> Result<App> {
        self.start_with(|builder| builder).await
    }

    /// Starts the application with a manager that `configure` has changed.
    pub(super) async fn start_with(
        &self,
        configure: impl FnOnce(ManagerBuilder) -> ManagerBuilder,
    ) -> Result<App> {
        self.start_at(true, configure).await
    }

    /// Starts the application where browsers reach it over plain http.
    pub(super) async fn start_at(
        &self,
        https: bool,
        configure: impl FnOnce(ManagerBuilder) -> ManagerBuilder,
    ) -> Result<App> {
        let log = Log::default();
        let manager = configure(log.listen(self.builder())).build()?;
        let cookie = Cookie::new(manager.config().cookie.clone())?.name().to_owned();
        let app = self.starter.start(manager.clone()).await;
        let way = Way { app, persist: self.persist, clock: self.clock.clone(), cookie, https };
        let (store, clock) = (self.store.clone(), self.clock.clone());
        Ok(App { manager, store, clock, log, way: Arc::new(way) })
    }

    /// A manager with these settings, without an application.
    pub(super) fn manager(
        &self,
        configure: impl FnOnce(ManagerBuilder) -> ManagerBuilder,
    ) -> Result<SessionManager, ConfigError> {
        configure(self.builder()).build()
    }

    /// How often a case of `rounds` rounds is to go round.
    pub(super) fn rounds(&self, rounds: u64) -> u64 {
        rounds.saturating_mul(self.scale)
    }

    fn builder(&self) -> ManagerBuilder {
        let builder = SessionManager::builder(self.store.clone());
        self.persist.configure(builder.clock(self.clock.clone()).random(self.dice.clone()))
    }
}

impl App {
    /// A client that remembers nothing yet.
    pub(super) fn client(&self) -> Client {
        Client::new(self.way.clone())
    }

    /// A client with a session that holds `k` = 1.
    pub(super) async fn visitor(&self) -> Result<Client> {
        let client = self.client();
        client.run([super::ops::set("k", 1)]).await?;
        client.known_id()?;
        Ok(client)
    }

    /// A client with a session in which `principal` is signed in.
    pub(super) async fn member(&self, principal: &str) -> Result<Client> {
        let client = self.visitor().await?;
        client.run([super::ops::authenticate(principal)]).await?;
        client.known_id()?;
        Ok(client)
    }

    pub(super) fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// What the clock shows, in seconds since 1970.
    pub(super) fn now(&self) -> u64 {
        unix(self.clock.now())
    }
}

/// What the library reports.
#[derive(Clone, Debug, Default)]
pub(super) struct Log(Arc<Mutex<Reported>>);

#[derive(Debug, Default)]
pub(super) struct Reported {
    pub(super) events: Vec<Event>,
    pub(super) closes: Vec<CloseReport>,
}

impl Log {
    fn listen(&self, builder: ManagerBuilder) -> ManagerBuilder {
        let (events, closes) = (self.clone(), self.clone());
        builder
            .on_event(move |event| events.reported().events.push(*event))
            .on_close(move |report| closes.reported().closes.push(*report))
    }

    pub(super) fn reported(&self) -> MutexGuard<'_, Reported> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How often something happened.
    pub(super) fn count(&self, kind: EventKind) -> usize {
        self.reported().events.iter().filter(|event| event.kind == kind).count()
    }

    /// What the last request that used the session did.
    pub(super) fn last_close(&self) -> Option<CloseReport> {
        self.reported().closes.last().copied()
    }
}

impl fmt::Debug for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Site")
            .field("persist", &self.persist)
            .field("store", &self.store)
            .finish_non_exhaustive()
    }
}

pub(super) fn unix(instant: SystemTime) -> u64 {
    instant.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

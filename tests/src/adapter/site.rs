//! What a case is given: an adapter that it can start with managers of its own, a store, and a clock.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use session_core::{
    Clock, CloseReport, ConfigError, Event, EventKind, ManagerBuilder, ManualClock, SessionManager, Status,
    persist::{Cookie, CookieOptions},
};

use super::{
    application::Starter,
    case::Need,
    client::{Client, Way},
    dice::Dice,
    persist::Persist,
    probe::{Calls, Probe},
};
use crate::Result;

/// The place where a case happens. One case gets one site, and may do with it what it likes.
#[derive(Clone)]
pub struct Site {
    pub(super) starter: Starter,
    pub(super) persist: Persist,
    /// The name of the cookie, where it is not this library's to choose.
    pub(super) cookie: Option<&'static str>,
    pub(super) store: Probe,
    pub(super) clock: Arc<ManualClock>,
    pub(super) dice: Dice,
    pub(super) scale: u64,
    pub(super) brief: bool,
    /// There is less time than usual.
    pub(super) hurried: bool,
}

/// The application, running.
pub(super) struct App {
    pub(super) manager: SessionManager,
    pub(super) store: Probe,
    pub(super) clock: Arc<ManualClock>,
    pub(super) log: Log,
    persist: Persist,
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
        let cookie = CookieOptions::default();
        let builder = self.persist.configure(self.builder(), cookie.clone())?;
        self.launch(true, &cookie, configure(builder)).await
    }

    /// Starts the application with a cookie that has these attributes, for strategies that use one.
    pub(super) async fn start_with_cookie(&self, https: bool, cookie: CookieOptions) -> Result<App> {
        self.launch(https, &cookie, self.persist.configure(self.builder(), cookie.clone())?).await
    }

    /// Starts the application over plain http with settings from text, the strategy too if text can name it.
    pub(super) async fn start_with_settings(&self, pairs: &[(&str, &str)]) -> Result<App> {
        let (config, named) = self.persist.settings(pairs)?;
        let cookie = config.cookie.clone();
        let builder = self.builder().config(config);
        let builder = if named { builder } else { self.persist.configure(builder, cookie.clone())? };
        self.launch(false, &cookie, builder).await
    }

    /// Starts the application with exactly this manager, whose cookie is `cookie`.
    pub(super) async fn launch(
        &self,
        https: bool,
        cookie: &CookieOptions,
        builder: ManagerBuilder,
    ) -> Result<App> {
        let log = Log::default();
        let manager = log.listen(builder).build()?;
        let (persist, clock, store) = (self.persist, self.clock.clone(), self.store.clone());
        let cookie = match self.cookie {
            Some(name) => name.to_owned(),
            None => Cookie::new(cookie.clone())?.name().to_owned(),
        };
        let app = self.starter.start(manager.clone(), cookie.clone(), Arc::new(store.clone())).await;
        let way = Way { app, persist, clock: clock.clone(), cookie, https };
        Ok(App { manager, store, clock, log, persist, way: Arc::new(way) })
    }

    /// A manager with these settings, without an application.
    pub(super) fn manager(
        &self,
        configure: impl FnOnce(ManagerBuilder) -> ManagerBuilder,
    ) -> Result<SessionManager, ConfigError> {
        configure(self.persist.configure(self.builder(), CookieOptions::default())?).build()
    }

    /// A manager whose strategy is still to be set.
    pub(super) fn builder(&self) -> ManagerBuilder {
        let builder = match self.persist.has_store() {
            true => SessionManager::builder(self.store.clone()),
            false => SessionManager::without_store(),
        };
        builder.clock(self.clock.clone()).random(self.dice.clone())
    }

    /// Whether the strategy can do this.
    pub(super) fn can(&self, need: Need) -> bool {
        self.persist.can(need)
    }

    /// The status of a session whose request presents something that looks right and leads nowhere.
    pub(super) fn status_of_a_stranger(&self) -> Status {
        // Where it can be seen that the library did not make it, it is as good as nothing.
        if self.persist.is_authentic() { Status::New } else { Status::Unknown }
    }

    /// A length that a value may have, or the largest one that the strategy carries.
    pub(super) fn room(&self, length: usize) -> usize {
        if self.persist.is_sealed() { length.min(1_000) } else { length }
    }

    /// How often a case of `rounds` rounds is to go round.
    pub(super) fn rounds(&self, rounds: u64) -> u64 {
        let rounds = rounds.saturating_mul(self.scale);
        if self.brief { rounds.div_ceil(10) } else { rounds }
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

    /// Ids that look right, all different, and name nothing: made up, or where that can be seen, of sessions that ended.
    pub(super) async fn dead_ids(&self, number: usize) -> Result<Vec<String>> {
        let mut ids = Vec::new();
        for number in 0..number {
            ids.push(match self.persist {
                Persist::SignedCookie => {
                    let visitor = self.visitor().await?;
                    let id = visitor.known_id()?;
                    visitor.run([super::ops::op("destroy")]).await?;
                    id
                }
                _ => format!("{number:032}"),
            });
        }
        Ok(ids)
    }

    /// An id that looks right and names nothing.
    pub(super) async fn dead_id(&self) -> Result<String> {
        self.dead_ids(1).await?.pop().ok_or_else(|| crate::Failure::new("no id"))
    }

    /// What the store is asked for something, where there is one.
    pub(super) fn calls(&self, calls: Calls) -> Calls {
        if self.persist.has_store() { calls } else { Calls::default() }
    }

    /// The records of so many sessions, where there is a store.
    pub(super) fn records(&self, records: usize) -> usize {
        if self.persist.has_store() { records } else { 0 }
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

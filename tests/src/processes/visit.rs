//! Requests, each through a manager of this process, as an adapter makes them.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use http::{HeaderMap, Request, StatusCode};
use session_core::{
    Clock, LazySession, Opened, RequestHead, Session, SessionConfig, SessionError, SessionManager, Status,
    Store, SystemClock, persist::Header,
};

use crate::{
    Result,
    failure::{ensure, fail},
};

/// An application in one process: a manager over the store, and a clock that may be ahead of the system's.
#[derive(Clone, Debug)]
pub(super) struct Application {
    pub(super) manager: SessionManager,
    clock: Arc<Ahead>,
}

impl Application {
    /// With the settings that there are without any.
    pub(super) fn new(store: Arc<dyn Store>) -> Result<Self> {
        Self::with(store, SessionConfig::default())
    }

    /// Replaces ids after eight minutes; the old one works for another five.
    pub(super) fn renewing(store: Arc<dyn Store>) -> Result<Self> {
        let mut config = SessionConfig::default();
        config.renew_every = Some(Duration::from_secs(480));
        config.renewal_grace = GRACE;
        Self::with(store, config)
    }

    fn with(store: Arc<dyn Store>, config: SessionConfig) -> Result<Self> {
        let clock = Arc::new(Ahead::default());
        let manager = SessionManager::builder(store).config(config).persistence(Header::default());
        Ok(Self { manager: manager.clock(Arc::clone(&clock)).build()?, clock })
    }

    /// Sets the clock this much ahead of the system's.
    pub(super) fn ahead(&self, by: Duration) {
        self.clock.0.store(by.as_secs(), Ordering::SeqCst);
    }

    /// A request with this id, or none: its session is loaded.
    pub(super) async fn begin(&self, id: Option<&str>) -> Result<Visit> {
        let mut request = Request::builder().uri("/");
        if let Some(id) = id {
            request = request.header(FIELD, id);
        }
        let request = request.body(())?;
        let Opened::Continue(lazy) = self.manager.open(&RequestHead::from(&request)).await else {
            fail!("a header redirects");
        };
        let session = lazy.load().await?;
        Ok(Visit { manager: self.manager.clone(), lazy, session })
    }

    /// A whole request without an id. Answers the id of the session that it begins.
    pub(super) async fn create(
        &self,
        handler: impl FnOnce(&Session) -> std::result::Result<(), SessionError>,
    ) -> Result<String> {
        let visit = self.begin(None).await?;
        handler(&visit.session)?;
        match visit.end().await? {
            Some(id) => Ok(id),
            None => fail!("a new session is announced to nobody"),
        }
    }

    /// What a request with this id finds.
    pub(super) async fn status(&self, id: &str) -> Result<Status> {
        Ok(self.begin(Some(id)).await?.session.status())
    }

    /// The number under that key in the session of this id, which must be alive.
    pub(super) async fn number(&self, id: &str, key: &'static str) -> Result<u64> {
        let visit = self.begin(Some(id)).await?;
        let status = visit.session.status();
        ensure!(status == Status::Active, "a session that must be alive is {}", status.as_str());
        Ok(visit.session.get(key)?.unwrap_or_default())
    }
}

/// A request whose session is loaded.
#[derive(Debug)]
pub(super) struct Visit {
    manager: SessionManager,
    lazy: LazySession,
    pub(super) session: Session,
}

impl Visit {
    /// Adds one to the number under that key.
    pub(super) fn add(&self, key: &'static str) -> std::result::Result<u64, SessionError> {
        self.session.update(key, |number: &mut u64| *number += 1)
    }

    /// Ends the request. Answers the id that the client is told, if it is told one.
    pub(super) async fn end(self) -> std::result::Result<Option<String>, SessionError> {
        let Self { manager, lazy, session } = self;
        drop(session);
        let mut headers = HeaderMap::new();
        let closed = manager.close(lazy, StatusCode::OK).await.map_err(|failed| failed.into_parts().0)?;
        closed.apply(&mut headers);
        let told = headers.get(FIELD).and_then(|value| value.to_str().ok());
        Ok(told.filter(|id| !id.is_empty()).map(str::to_owned))
    }
}

/// The system's clock, set ahead: servers have clocks of their own, and records have to live by those.
#[derive(Debug, Default)]
struct Ahead(AtomicU64);

impl Clock for Ahead {
    fn now(&self) -> SystemTime {
        SystemClock.now() + Duration::from_secs(self.0.load(Ordering::SeqCst))
    }
}

/// How long an id that was replaced by and by still works.
pub(super) const GRACE: Duration = Duration::from_secs(300);
/// That of [`Header`], unless set otherwise.
const FIELD: &str = "x-session-id";

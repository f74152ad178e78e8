//! Requests of one application, without a framework.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use http::{HeaderMap, HeaderValue, Request, StatusCode};
use session_core::{
    LazySession, ManagerBuilder, ManualClock, Opened, Random, RandomError, RequestHead, Session,
    SessionError, SessionManager, persist::Header,
};

use crate::Shelf;

/// The application. Clones are the same one.
#[derive(Clone, Debug)]
pub struct Site {
    /// Its manager.
    pub manager: SessionManager,
    /// Its store.
    pub shelf: Shelf,
    /// Its clock.
    pub clock: Arc<ManualClock>,
}

/// A request that was begun.
#[derive(Debug)]
pub struct Visit {
    manager: SessionManager,
    /// Its session.
    pub session: LazySession,
}

impl Site {
    /// An application whose manager `configure` has changed.
    ///
    /// # Panics
    /// If the settings cannot work.
    #[must_use]
    pub fn new(configure: impl FnOnce(ManagerBuilder) -> ManagerBuilder) -> Self {
        let (shelf, clock) = (Shelf::default(), Arc::new(ManualClock::at_unix(1_700_000_000)));
        let builder = SessionManager::builder(shelf.clone()).clock(clock.clone()).random(Counter::default());
        let built = configure(builder.persistence(Header::default())).build();
        let manager = built.unwrap_or_else(|error| panic!("{error}"));
        Self { manager, shelf, clock }
    }

    /// Begins a request that presents this id, if any.
    ///
    /// # Panics
    /// If it is answered without its handler, which no request here is.
    pub async fn visit(&self, id: Option<&str>) -> Visit {
        let mut request = Request::new(());
        if let Some(id) = id.and_then(|id| HeaderValue::from_str(id).ok()) {
            request.headers_mut().insert(FIELD, id);
        }
        match self.manager.open(&RequestHead::from(&request)).await {
            Opened::Continue(session) => Visit { manager: self.manager.clone(), session },
            Opened::Respond(_) => panic!("a request is answered without its handler"),
        }
    }

    /// One whole request; `handler` is what the application does with the session. Answers the id that the client has
    /// afterwards, `None` if it is told to forget it.
    ///
    /// # Errors
    /// Those of loading, of the handler, and of storing.
    pub async fn request(
        &self,
        id: Option<&str>,
        handler: impl FnOnce(&Session) -> Result<(), SessionError>,
    ) -> Result<Option<String>, SessionError> {
        let visit = self.visit(id).await;
        handler(&visit.session.load().await?)?;
        let told = visit.close().await?;
        Ok(told.map_or_else(|| id.map(str::to_owned), |told| Some(told).filter(|id| !id.is_empty())))
    }

    /// What a request with this id finds under `key`; `None` also if there is no session.
    ///
    /// # Panics
    /// If it cannot be read.
    pub async fn look(&self, id: &str, key: &str) -> Option<u64> {
        let visit = self.visit(Some(id)).await;
        let session = visit.session.load().await.unwrap_or_else(|error| panic!("{error}"));
        session.get::<u64>(key).unwrap_or_else(|error| panic!("{error}"))
    }
}

impl Visit {
    /// Ends the request. Answers what the client is told.
    ///
    /// # Errors
    /// Those of storing.
    pub async fn close(self) -> Result<Option<String>, SessionError> {
        let mut headers = HeaderMap::new();
        match self.manager.close(self.session, StatusCode::OK).await {
            Ok(closed) => drop(closed.apply(&mut headers)),
            Err(error) => return Err(error.into_parts().0),
        }
        Ok(headers.get(FIELD).and_then(|id| id.to_str().ok()).map(str::to_owned))
    }
}

const FIELD: &str = "x-session-id";

/// Ids that differ, and are the same in every run of a schedule.
#[derive(Debug, Default)]
struct Counter(AtomicU64);

impl Random for Counter {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomError> {
        let number = self.0.fetch_add(1, Ordering::Relaxed).to_le_bytes();
        bytes.iter_mut().zip(number.iter().cycle()).for_each(|(byte, digit)| *byte = *digit);
        Ok(())
    }
}

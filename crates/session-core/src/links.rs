//! Ids in URLs: the redirect that hands one out, and the links that carry it on.

use std::time::Duration;

use bytes::Bytes;
use http::{Response, StatusCode, Uri, header};

use crate::{
    changes::Changes,
    commit::{Moment, Task},
    config::SavePolicy,
    error::SessionError,
    event::EventKind,
    expiry::Override,
    id::SessionId,
    lazy::LazySession,
    manager::{SessionManager, Shared},
    open::{Opened, Opening},
    persist::query,
    record::Meta,
    report::Announced,
    session::Session,
    store::{Expect, Written},
};

/// How long an id is kept that was handed out and under which nothing was stored; every use begins the time anew. It
/// bounds what clients can make the store hold that never come back.
const CLAIM_WINDOW: Duration = Duration::from_secs(60);

impl SessionManager {
    /// Hands the request on if its id is alive, and otherwise redirects it to the same URL with a fresh one.
    pub(crate) fn redirect_unless_live(&self, session: LazySession, uri: &Uri, parameter: &str) -> Opening {
        let (manager, uri, parameter) = (self.clone(), uri.clone(), parameter.to_owned());
        Opening::pending(async move {
            match manager.live_or_location(&session, &uri, &parameter).await {
                Ok(None) => Opened::Continue(session),
                Ok(Some(redirect)) => Opened::Respond(redirect),
                Err(error) => Opened::Respond(manager.respond(&error)),
            }
        })
    }

    async fn live_or_location(
        &self,
        session: &LazySession,
        uri: &Uri,
        parameter: &str,
    ) -> Result<Option<Response<Bytes>>, SessionError> {
        session.load().await?;
        if session.0.state().live.is_some() {
            return Ok(None);
        }
        let id = self.0.hand_out().await?;
        let Some(location) = query::location(uri, parameter, &id) else { return Ok(None) };
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = StatusCode::FOUND;
        response.headers_mut().insert(header::LOCATION, location);
        query::guard(response.headers_mut());
        Ok(Some(response))
    }
}

/// Links of pages whose sessions travel in the URL.
impl Session {
    /// `target` with the id of this session, for strategies that carry it in the URL; for all others, and for targets
    /// on other hosts, `target` as it is.
    ///
    /// After [`authenticate`](Self::authenticate) and the like, and in a session that is not stored yet, the link has
    /// the id that will be issued when the session is stored.
    ///
    /// # Errors
    /// [`SessionError::Random`].
    pub fn link(&self, target: &str) -> Result<String, SessionError> {
        let Some(parameter) = self.0.shared.persistence.query_parameter() else {
            return Ok(target.to_owned());
        };
        Ok(query::link(target, parameter, &self.next_id()?))
    }

    /// The id that the application has to tell the client, because the strategy cannot: to be asked when the handler has
    /// done everything else. `None` where the strategy tells ids itself, and where the client has the right one already.
    ///
    /// It is the id under which the session is stored when the request ends; if that fails, the client gets the
    /// response of the error instead.
    ///
    /// ```
    /// # use session_core::{Session, SessionError};
    /// # use http::{HeaderMap, HeaderValue};
    /// fn hand_out(session: &Session, headers: &mut HeaderMap) -> Result<(), SessionError> {
    ///     if let Some(id) = session.id_to_hand_out()?
    ///         && let Ok(id) = HeaderValue::try_from(id.expose_secret())
    ///     {
    ///         headers.insert("x-my-id", id);
    ///     }
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    /// [`SessionError::Random`].
    pub fn id_to_hand_out(&self) -> Result<Option<SessionId>, SessionError> {
        let shared = &self.0.shared;
        if shared.persistence.announces() || self.0.presented.supplied().is_some() {
            return Ok(None);
        }
        let untold = {
            let state = self.0.state();
            let task = Task::of(&state, &state.pending, shared, Moment::Close, shared.now());
            let renames = matches!(task, Task::Create | Task::Rotate(_));
            let saved = matches!(state.announced, Announced::New | Announced::Rotated);
            saved || renames && shared.config.save != SavePolicy::Explicit
        };
        untold.then(|| self.next_id()).transpose()
    }

    fn next_id(&self) -> Result<SessionId, SessionError> {
        let mut state = self.0.state();
        if let (Some(live), false) = (&state.live, state.intents().any(|intent| intent.renew)) {
            return Ok(live.id.clone());
        }
        if let Some(id) = state.intents().find_map(|intent| intent.next_id.clone()) {
            return Ok(id);
        }
        let (id, _) = self.0.shared.draw()?;
        state.pending.intent.next_id = Some(id.clone());
        Ok(id)
    }
}

impl Shared {
    /// A fresh id under which an empty session is kept for a short time, so that it can be recognized as our own.
    async fn hand_out(&self) -> Result<SessionId, SessionError> {
        let (id, csrf_secret) = self.draw()?;
        let key = self.realm.store_key(&id);
        let window = u64::try_from(CLAIM_WINDOW.as_millis()).unwrap_or(u64::MAX);
        let fresh = Meta::new(self.now(), csrf_secret);
        let meta = Meta { unclaimed: true, idle: Override::Value(window), ..fresh };
        let record = Changes::default().encode(None, &meta, "");
        match self.write(&key, &record, Expect::Absent).await? {
            Written::Stored(_) => {
                self.events.emit(EventKind::Created, Some(&key));
                Ok(id)
            }
            Written::Conflict => Err(SessionError::Contended),
        }
    }
}

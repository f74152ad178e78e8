//! warp-sessions with async-session's `MemoryStore`: the two filters as its documentation shows them. `Secure` and
//! `Path=/`, which its example leaves out, are added to the cookie, and it lives for a day instead of a minute.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use serde_json::Value;
use session_conformance::adapter::Stranger;
use session_core::{SessionConfig, Store};
use tower::ServiceExt;
use warp::{Filter, Rejection, Reply, filters::BoxedFilter};
use warp_sessions::{
    CookieOptions, MemoryStore, SameSiteCookieOption, Session, SessionStore, SessionWithStore,
};

use super::{collected, settings};
use crate::compare::{
    fixture::{self, Known, Outcome, Visit},
    toll::Toll,
};

/// The application.
pub(crate) struct WarpSessions(BoxedFilter<(warp::reply::Response,)>, Known);

impl Stranger for WarpSessions {
    async fn start(config: SessionConfig, cookie: String, store: Arc<dyn Store>) -> Self {
        settings(&config);
        let known = Known::new(cookie.clone());
        let store = Tolled { toll: Toll::new(store), store: MemoryStore::new() };
        let options = CookieOptions {
            // It takes a name that lives for ever.
            cookie_name: cookie.leak(),
            cookie_value: None,
            max_age: Some(86_400),
            domain: None,
            path: Some("/".to_owned()),
            secure: true,
            http_only: true,
            same_site: Some(SameSiteCookieOption::Strict),
        };
        let shared = known.clone();
        let with_session = move |route: BoxedFilter<(String,)>| {
            let known = shared.clone();
            route
                .and(warp::header::headers_cloned())
                .and(warp::body::bytes())
                .and(warp_sessions::request::with_session(store.clone(), Some(options.clone())))
                .and_then(move |path, headers, body, session| {
                    handle(known.clone(), path, headers, body, session)
                })
                .untuple_one()
                .and_then(warp_sessions::reply::with_session)
                .map(Reply::into_response)
        };
        let root = warp::get().and(warp::path::end()).map(|| "/".to_owned()).boxed();
        let ops = warp::post().and(warp::path!("ops")).map(|| "/ops".to_owned()).boxed();
        let untouched = warp::get().and(warp::path!("untouched")).map(|| "ok".into_response());
        let routes = untouched.or(with_session(root)).unify().or(with_session(ops)).unify();
        Self(routes.boxed(), known)
    }

    async fn send(&self, request: Request<Bytes>) -> Response<Bytes> {
        let presented = self.1.presented(request.headers());
        let request = request.map(http_body_util::Full::new);
        let Ok(response) = warp::service(self.0.clone()).oneshot(request).await;
        self.1.leave(collected(response).await, presented.as_deref())
    }
}

async fn handle(
    known: Known,
    path: String,
    headers: HeaderMap,
    body: Bytes,
    mut session: SessionWithStore<Tolled>,
) -> Result<(warp::reply::Response, SessionWithStore<Tolled>), Rejection> {
    let answer = fixture::answer(&mut Visitor(&mut session.session), &known, &path, &headers, &body).await;
    Ok((answer.map(Into::into), session))
}

struct Visitor<'a>(&'a mut Session);

#[async_trait]
impl Visit for Visitor<'_> {
    async fn get(&mut self, key: &str) -> Outcome<Option<Value>> {
        Ok(self.0.get(key))
    }

    async fn set(&mut self, key: &str, value: Value) -> Outcome<()> {
        // It fails for a value that serde_json cannot encode: none of these.
        self.0.insert(key, value).map_err(|_| fixture::Trouble::Failed)
    }

    async fn remove(&mut self, key: &str) -> Outcome<()> {
        self.0.remove(key);
        Ok(())
    }

    async fn clear(&mut self, keys: &[String]) -> Outcome<()> {
        keys.iter().for_each(|key| self.0.remove(key));
        Ok(())
    }

    async fn renew(&mut self) -> Outcome<()> {
        self.0.regenerate();
        Ok(())
    }

    async fn destroy(&mut self) -> Outcome<()> {
        self.0.destroy();
        Ok(())
    }
}

/// Its own store, with the kit's in front.
#[derive(Clone, Debug)]
struct Tolled {
    toll: Toll,
    store: MemoryStore,
}

#[async_trait]
impl SessionStore for Tolled {
    async fn load_session(&self, cookie_value: String) -> anyhow::Result<Option<Session>> {
        let id = Session::id_from_cookie_value(&cookie_value)?;
        self.toll.load(id.as_bytes(), anyhow::Error::from, self.store.load_session(cookie_value)).await
    }

    async fn store_session(&self, session: Session) -> anyhow::Result<Option<String>> {
        let (id, bytes) = (session.id().to_owned(), serde_json::to_vec(&session)?);
        let work = self.store.store_session(session);
        self.toll.write(id.as_bytes(), &bytes, anyhow::Error::from, work).await
    }

    async fn destroy_session(&self, session: Session) -> anyhow::Result<()> {
        let id = session.id().to_owned();
        self.toll.remove(id.as_bytes(), anyhow::Error::from, self.store.destroy_session(session)).await
    }

    async fn clear_store(&self) -> anyhow::Result<()> {
        self.store.clear_store().await
    }
}

//! Lies about when a session is opened, used and closed.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use super::prelude::*;

/// Forgets to tell the client anything.
#[derive(Default)]
pub(super) struct ForgetsToApply;

impl Lie for ForgetsToApply {
    async fn close(
        &self,
        manager: &SessionManager,
        session: LazySession,
        response: Response<Bytes>,
    ) -> Response<Bytes> {
        match manager.close(session, response.status()).await {
            Ok(_) => response,
            Err(error) => error.into_response(),
        }
    }
}

/// Stores after the response has left, where it has nothing to tell (PE, express #309).
#[derive(Default)]
pub(super) struct AnswersBeforeItStores;

impl Lie for AnswersBeforeItStores {
    async fn close(
        &self,
        manager: &SessionManager,
        session: LazySession,
        response: Response<Bytes>,
    ) -> Response<Bytes> {
        let plain = session.loaded().is_some_and(|loaded| loaded.is_new() || loaded.principal().is_some());
        if plain || response.status() != StatusCode::OK {
            return close(manager, session, response).await;
        }
        let (manager, mut left) = (manager.clone(), Response::new(response.body().clone()));
        *left.headers_mut() = response.headers().clone();
        tokio::spawn(async move { close(&manager, session, response).await });
        left
    }
}

/// Closes a request twice and says everything twice.
#[derive(Default)]
pub(super) struct ClosesTwice;

impl Lie for ClosesTwice {
    async fn close(
        &self,
        manager: &SessionManager,
        session: LazySession,
        response: Response<Bytes>,
    ) -> Response<Bytes> {
        let once = close(manager, session.clone(), response).await;
        close(manager, session, once).await
    }
}

/// Loads the session of every request, needed or not (D22).
#[derive(Default)]
pub(super) struct LoadsEagerly;

impl Lie for LoadsEagerly {
    async fn handle(
        &self,
        manager: &SessionManager,
        session: &LazySession,
        request: &Request<Bytes>,
    ) -> Response<Bytes> {
        match session.load().await {
            Ok(_) => answer(manager, session, request).await,
            Err(error) => manager.respond(&error),
        }
    }
}

/// Stores a session for every visitor, needed or not (Pesto, CVE-2015-5143).
#[derive(Default)]
pub(super) struct StoresEveryVisitor;

impl Lie for StoresEveryVisitor {
    async fn handle(
        &self,
        manager: &SessionManager,
        session: &LazySession,
        request: &Request<Bytes>,
    ) -> Response<Bytes> {
        let response = answer(manager, session, request).await;
        if let Some(loaded) = session.loaded() {
            let _ = loaded.mark_changed();
        }
        response
    }
}

/// Gives a request without an id the session of the one before, as a pool that is not cleaned does (Puma 2022).
#[derive(Default)]
pub(super) struct KeepsTheLastSession(Mutex<Option<(HeaderName, HeaderValue)>>);

impl Lie for KeepsTheLastSession {
    fn receive(&self, request: &mut Request<Bytes>) {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for name in [COOKIE, FIELD] {
            if let Some(value) = request.headers().get(&name).cloned() {
                *last = Some((name, value));
                return;
            }
        }
        if let Some((name, value)) = last.take() {
            request.headers_mut().insert(name, value);
        }
    }
}

/// Keeps sessions under the ids that clients bring along (session fixation, D11, CVE-2024-38513).
#[derive(Default)]
pub(super) struct AdoptsIds(Mutex<HashMap<String, String>>);

impl Lie for AdoptsIds {
    fn receive(&self, request: &mut Request<Bytes>) {
        let adopted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((name, id)) = presented(request) else { return };
        if let Some(real) = adopted.get(&id) {
            let value = if name == COOKIE { format!("__Host-id={real}") } else { real.clone() };
            if let Ok(value) = HeaderValue::try_from(value) {
                request.headers_mut().insert(name, value);
            }
        }
    }

    async fn handle(
        &self,
        manager: &SessionManager,
        session: &LazySession,
        request: &Request<Bytes>,
    ) -> Response<Bytes> {
        let mut response = answer(manager, session, request).await;
        if let Some((name, id)) = presented(request) {
            // For `respond`, which sees no request that was changed.
            let unknown =
                session.loaded().is_some_and(|loaded| loaded.status() == session_core::Status::Unknown);
            if unknown && let Ok(id) = HeaderValue::try_from(format!("{name} {id}")) {
                response.headers_mut().insert(ADOPT, id);
            }
        }
        response
    }

    fn respond(&self, _: &Request<Bytes>, response: &mut Response<Bytes>) {
        let Some(adopt) = response.headers_mut().remove(ADOPT) else { return };
        let adopt = adopt.to_str().unwrap_or_default().to_owned();
        let Some((name, presented)) = adopt.split_once(' ') else { return };
        let told = if name == COOKIE.as_str() { SET_COOKIE } else { FIELD };
        let Some(field) = response.headers().get(&told).and_then(|field| field.to_str().ok()) else { return };
        let field = field.strip_prefix("__Host-id=").unwrap_or(field);
        let Some(real) = field.get(..32).map(str::to_owned) else { return };
        let field = response.headers()[&told].to_str().unwrap_or_default().replace(&real, presented);
        if let Ok(field) = HeaderValue::try_from(field) {
            response.headers_mut().insert(told, field);
        }
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(presented.to_owned(), real);
    }
}

/// Withdraws every id that names nothing, also while a login is on its way.
#[derive(Default)]
pub(super) struct WithdrawsUnknownIds;

impl Lie for WithdrawsUnknownIds {
    async fn close(
        &self,
        manager: &SessionManager,
        session: LazySession,
        response: Response<Bytes>,
    ) -> Response<Bytes> {
        use session_core::Status::{Superseded, Unknown};

        let names_nothing =
            session.loaded().is_some_and(|loaded| matches!(loaded.status(), Unknown | Superseded));
        let mut response = close(manager, session, response).await;
        let headers = response.headers_mut();
        if names_nothing && !headers.contains_key(SET_COOKIE) && !headers.contains_key(FIELD) {
            let removal = "__Host-id=; Max-Age=0; Path=/; Secure; HttpOnly; SameSite=Lax";
            headers.insert(SET_COOKIE, HeaderValue::from_static(removal));
            headers.insert(FIELD, HeaderValue::from_static(""));
        }
        response
    }
}

/// Tells the client the id that it has with every response (D16).
#[derive(Default)]
pub(super) struct RepeatsTheId;

impl Lie for RepeatsTheId {
    fn respond(&self, request: &Request<Bytes>, response: &mut Response<Bytes>) {
        let headers = response.headers_mut();
        if !headers.contains_key(VARY) || headers.contains_key(SET_COOKIE) || headers.contains_key(FIELD) {
            return;
        }
        if let Some((name, id)) = presented(request)
            && let Ok(cookie) =
                HeaderValue::try_from(format!("__Host-id={id}; Path=/; Secure; HttpOnly; SameSite=Lax"))
            && let Ok(id) = HeaderValue::try_from(id)
        {
            headers.insert(
                if name == COOKIE { SET_COOKIE } else { FIELD },
                if name == COOKIE { cookie } else { id },
            );
        }
    }
}

/// The id that a request presents, and where.
fn presented(request: &Request<Bytes>) -> Option<(HeaderName, String)> {
    let text = |name: &HeaderName| Some(request.headers().get(name)?.to_str().ok()?.to_owned());
    let cookie = text(&COOKIE).and_then(|field| field.strip_prefix("__Host-id=").map(str::to_owned));
    let of = |name: HeaderName| move |id: String| Some((name, id)).filter(|(_, id)| id.len() == 32);
    cookie.and_then(of(COOKIE)).or_else(|| text(&FIELD).and_then(of(FIELD)))
}

const ADOPT: HeaderName = HeaderName::from_static("x-adopt");

//! A client that keeps cookies and follows no redirect by itself.

use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Request, StatusCode, header},
};
use http_body_util::BodyExt as _;
use session_core::ManualClock;
use session_store_file::{Durability, FileStore};
use tempfile::TempDir;
use tower::ServiceExt as _;

/// A clock, shared with whoever moves it.
pub(crate) fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::at_unix(NOW))
}

/// What the clocks show at the beginning.
pub(crate) const NOW: u64 = 1_700_000_000;

pub(crate) struct Browser {
    app: Router,
    pub(crate) jar: BTreeMap<String, String>,
}

pub(crate) struct Page {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Browser {
    pub(crate) fn new(app: &Router) -> Self {
        Self { app: app.clone(), jar: BTreeMap::new() }
    }

    pub(crate) async fn get(&mut self, uri: &str) -> Page {
        self.send(Request::get(uri).body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn post(&mut self, uri: &str, form: &[(&str, &str)]) -> Page {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let request = Request::post(uri)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(body.into());
        self.send(request.unwrap()).await
    }

    pub(crate) async fn send(&mut self, mut request: Request<Body>) -> Page {
        for (name, value) in &self.jar {
            let pair = format!("{name}={value}").parse().unwrap();
            request.headers_mut().append(header::COOKIE, pair);
        }
        let (head, body) = self.app.clone().oneshot(request).await.unwrap().into_parts();
        for field in head.headers.get_all(header::SET_COOKIE) {
            let field = field.to_str().unwrap();
            let (name, value) = field.split(';').next().unwrap().split_once('=').unwrap();
            if field.contains("; Max-Age=0") {
                self.jar.remove(name);
            } else {
                self.jar.insert(name.to_owned(), value.to_owned());
            }
        }
        let text = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
        Page { status: head.status, headers: head.headers, text }
    }
}

impl Page {
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The `Set-Cookie` fields.
    pub(crate) fn cookies(&self) -> Vec<&str> {
        self.headers.get_all(header::SET_COOKIE).iter().map(|field| field.to_str().unwrap()).collect()
    }

    /// The value of the hidden field of the page's form.
    pub(crate) fn token(&self) -> String {
        let (_, rest) = self.text.split_once(r#"name="csrf_token" value=""#).expect("a form with a token");
        rest.split('"').next().unwrap().to_owned()
    }

    /// Where the page redirects to, seen from `path`.
    pub(crate) fn location(&self, path: &str) -> String {
        assert!(self.status.is_redirection(), "{}", self.status);
        let location = self.field("location").unwrap();
        if location.starts_with('?') { format!("{path}{location}") } else { location.to_owned() }
    }
}

/// A file store that is quick to set up and waits for a busy disk.
pub(crate) fn store(folder: &TempDir, clock: &Arc<ManualClock>) -> FileStore {
    let builder = FileStore::builder(folder.path().join("sessions")).clock(clock.clone());
    builder.durability(Durability::Process).deadline(Duration::from_secs(60)).open().unwrap()
}

/// How many sessions the file store keeps in a folder.
pub(crate) fn files(root: &Path) -> usize {
    let shards = std::fs::read_dir(root).unwrap().map(|shard| shard.unwrap().path());
    let shards = shards.filter(|shard| shard.file_name().is_some_and(|name| name.len() == 2));
    shards.map(|shard| std::fs::read_dir(shard).unwrap().count()).sum()
}

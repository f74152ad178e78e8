//! Pylons and Beaker: login and logout, flash messages, a language, forms with tokens, several applications under one
//! layer, an id from a function, and settings from an ini file.

use std::{error::Error, path::Path, time::Duration};

use axum::{
    Extension, Router,
    extract::Request,
    http::StatusCode,
    middleware::{Next, from_fn},
    response::{Html, IntoResponse, Redirect, Response},
    routing::{get, post},
};
use configparser::ini::Ini;
use serde::{Deserialize, Serialize};
use session_adapter_axum::{CsrfForm, Session, SessionError, SessionLayer};
use session_core::{
    Key, ManagerBuilder, RequestHead, SessionConfig, SessionManager,
    persist::{External, ExternalId, SecretKey},
};
use session_store_file::FileStore;

/// How long a page may wait for the disk.
const LONGEST_WAIT: Duration = Duration::from_secs(20);

const LOGGED_IN: Key<bool> = Key::new("logged_in");
const FRED: Key<u32> = Key::new("fred");
const LANG: Key<Language> = Key::new("lang");

/// An ini file with a secret of its own (`paster make-config`).
///
/// # Errors
/// [`session_core::SessionError::Random`] if the generator fails.
pub fn make_config() -> Result<String, session_core::SessionError> {
    Ok(include_str!("pylons.ini").replace("${secret}", &SecretKey::generate()?.expose_secret()))
}

/// What a section of an ini file says: the pairs that start with `session.`, and `cache_dir`, below which the sessions
/// are kept in `sessions/`. Without it they travel with their clients.
///
/// # Errors
/// For a text that is no ini file, a section that is not there, a setting that does not exist, a folder that cannot be
/// used.
pub fn sessions(ini: &str, section: &str, here: &Path) -> Result<ManagerBuilder, Box<dyn Error>> {
    let sections = Ini::new_cs().read(ini.to_owned())?;
    let section = sections.get(section).ok_or("there is no such section")?;
    let value = |value: &Option<String>| value.clone().unwrap_or_default();
    let config = SessionConfig::from_pairs("session.", section.iter().map(|(key, text)| (key, value(text))))?;
    let builder = match section.get("cache_dir").map(value) {
        Some(cache_dir) => {
            let store = FileStore::builder(here.join(cache_dir).join("sessions"));
            SessionManager::builder(store.deadline(LONGEST_WAIT).open()?)
        }
        None => SessionManager::without_store(),
    };
    Ok(builder.config(config))
}

/// The application.
pub fn app(sessions: SessionManager) -> Router {
    Router::new()
        .route("/", get(index))
        .route("/login", get(login_form).post(authenticate))
        .route("/logout", post(logout))
        .route("/lang", post(set_lang))
        .route("/broken", post(broken))
        .route("/keys", get(keys))
        .route_layer(from_fn(before))
        .route("/about", get(|| async { "no session here" }))
        .layer(from_fn(error_page)) // may replace the response; the session's fields are added after it
        .layer(SessionLayer::new(sessions))
}

#[derive(Deserialize)]
struct Credentials {
    name: String,
    password: String,
}

async fn login_form(session: Session) -> Result<Html<String>, SessionError> {
    let flashes = session.take_flashes()?.join(" ");
    let token = session.csrf_token()?;
    session.save().await?;
    Ok(Html(format!(
        r#"<p>{flashes}</p><form method="post"><input type="hidden" name="csrf_token" value="{token}">
           <input name="name"><input name="password" type="password"></form>"#
    )))
}

async fn authenticate(
    session: Session,
    CsrfForm(login): CsrfForm<Credentials>,
) -> Result<Redirect, SessionError> {
    let location = if login.name == "ann" && login.password == "basil" {
        session.authenticate(&login.name)?;
        session.insert(LOGGED_IN, true)?;
        session.flash(format!("Successfully logged in as {}", login.name))?;
        "/"
    } else {
        session.flash("Invalid username/password")?;
        "/login"
    };
    session.save().await?;
    Ok(Redirect::to(location))
}

#[derive(Deserialize)]
struct Nothing {}

async fn logout(session: Session, _: CsrfForm<Nothing>) -> Result<Redirect, SessionError> {
    session.clear()?;
    session.deauthenticate()?; // the next page gets a new id
    session.save().await?;
    Ok(Redirect::to("/"))
}

async fn index(session: Session, Extension(language): Extension<Language>) -> Result<Response, SessionError> {
    if !session.get(LOGGED_IN)?.unwrap_or_default() {
        session.flash_once("", "Please login")?; // once, however often somebody tries
        session.save().await?;
        return Ok(Redirect::to("/login").into_response());
    }
    let flashes = session.take_flashes()?.join(" ");
    let token = session.csrf_token()?;
    session.save().await?;
    Ok(Html(format!(
        r#"<h1>{}</h1><p>{flashes}</p><form method="post" action="/logout">
           <input type="hidden" name="csrf_token" value="{token}"></form>"#,
        language.greeting()
    ))
    .into_response())
}

/// The language a visitor has chosen.
#[derive(Clone, Copy, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Language {
    #[default]
    En,
    De,
}

impl Language {
    fn greeting(self) -> &'static str {
        match self {
            Self::En => "Welcome",
            Self::De => "Willkommen",
        }
    }
}

#[derive(Deserialize)]
struct Choice {
    lang: Language,
}

async fn set_lang(
    session: Session,
    CsrfForm(choice): CsrfForm<Choice>,
) -> Result<&'static str, SessionError> {
    session.insert(LANG, choice.lang)?;
    session.save().await?;
    Ok(choice.lang.greeting())
}

/// Runs before each action (`__before__`).
async fn before(session: Session, mut request: Request, next: Next) -> Result<Response, SessionError> {
    let language: Language = session.get(LANG)?.unwrap_or_default();
    request.extensions_mut().insert(language);
    Ok(next.run(request).await)
}

/// Fails after it has counted and saved, for the page below.
async fn broken(session: Session) -> Result<StatusCode, SessionError> {
    session.update("failures", |failures: &mut u32| *failures += 1)?;
    session.save().await?;
    session.insert("unsaved", true)?;
    Ok(StatusCode::INTERNAL_SERVER_ERROR)
}

async fn keys(session: Session) -> Result<String, SessionError> {
    let failures: u32 = session.get("failures")?.unwrap_or_default();
    Ok(format!("failures={failures} unsaved={}", session.contains_key("unsaved")))
}

/// Replaces responses that are errors, header and all.
async fn error_page(request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    if response.status().is_server_error() {
        return (response.status(), "Something went wrong. We are looking into it.").into_response();
    }
    response
}

/// Sessions without cookies: the id of each request comes from `find_id` (`use_cookies = False`).
pub fn without_cookies(sessions: ManagerBuilder) -> ManagerBuilder {
    sessions.persistence(External::new(find_id))
}

/// Where this application's clients put their id. It is used only if it was drawn here.
fn find_id(head: &RequestHead<'_>) -> Option<ExternalId> {
    let id = head.headers.get("x-client")?.to_str().ok()?;
    Some(ExternalId::Presented(id.to_owned()))
}

/// The application of those clients: it hands out new ids itself.
pub fn api(sessions: SessionManager) -> Router {
    Router::new().route("/fred", post(fred)).layer(SessionLayer::new(sessions))
}

async fn fred(session: Session) -> Result<String, SessionError> {
    let before = session.get(FRED)?;
    session.insert(FRED, 42)?;
    session.save().await?;
    Ok(match session.id() {
        Some(id) if session.is_new() => id.expose_secret().to_owned(), // to make sure it is around next time
        _ => format!("fred was {before:?}"),
    })
}

/// Three applications that share their sessions (`composite:sessioned`).
pub fn composite(sessions: SessionManager) -> Router {
    let home = Router::new().route("/", post(arrive));
    let service_broker = Router::new().route("/", get(broker));
    let cross_domain_proxy = Router::new().route("/", post(proxy).get(proxied));
    home.nest("/servicebroker", service_broker)
        .nest("/proxy", cross_domain_proxy)
        .layer(SessionLayer::new(sessions))
}

async fn arrive(session: Session) -> Result<(), SessionError> {
    session.insert("user", "ann")?;
    Ok(session.save().await?)
}

async fn broker(session: Session) -> Result<String, SessionError> {
    Ok(format!("brokering for {}", session.get::<String>("user")?.unwrap_or_default()))
}

async fn proxy(session: Session) -> Result<(), SessionError> {
    session.namespace("proxy")?.insert("user", "proxy of ann")?; // its own keys, in the same session
    Ok(session.save().await?)
}

async fn proxied(session: Session) -> Result<String, SessionError> {
    Ok(session.namespace("proxy")?.get::<String>("user")?.unwrap_or_default())
}

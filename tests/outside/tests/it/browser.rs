//! Headless Chromium agrees with what the library says of browsers: which cookies they drop, when they send them, which of
//! several they send, and what takes them away.
//!
//! `localhost` and the hosts below it are on loopback and count as secure. `shop.localhost` and `evil.localhost` are two
//! sites, because nothing is registered below `localhost` but each name itself; `user.shop.localhost` is of the first.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    extract::{Path, Query, State},
    http::{HeaderMap, header},
    response::{AppendHeaders, Html, IntoResponse},
    routing::{any, get},
};
use http::Request;
use serde_json::json;
use session_adapter_axum::{Session, SessionError, SessionLayer};
use session_core::{
    RequestHead, SessionManager,
    persist::{Announcement, Cookie, CookieLifetime, CookieOptions, Persistence, Presented, SameSite},
};
use session_store_memory::MemoryStore;
use tempfile::tempdir;
use thirtyfour::{WebDriver, error::WebDriverResult};
use tokio::net::TcpListener;

use crate::webdriver::ChromeDriver;

#[tokio::test(flavor = "multi_thread")]
async fn chromium_agrees() {
    // Shows: A8, A9, A35, A44
    let driver = match ChromeDriver::start() {
        Ok(driver) => driver,
        Err(missing) => return session_conformance::skip(missing),
    };
    let site = Site::start().await;
    let profile = tempdir().unwrap();
    // Or nothing of another site is ever sent, whatever its SameSite.
    std::fs::create_dir(profile.path().join("Default")).unwrap();
    let settings = json!({ "profile": { "cookie_controls_mode": 0, "block_third_party_cookies": false } });
    std::fs::write(profile.path().join("Default/Preferences"), settings.to_string()).unwrap();
    let browser = driver.browser(profile.path()).await.unwrap();
    // On a task of its own, so that the browser is closed whatever happens.
    let outcome = tokio::spawn(everything(browser.clone(), site)).await;
    let closed = browser.quit().await;
    outcome.unwrap().unwrap();
    closed.unwrap();
}

async fn everything(browser: WebDriver, site: Site) -> WebDriverResult<()> {
    let browser = &browser;
    drops_what_the_library_refuses(browser, &site).await?;
    removes_what_the_library_removes(browser, &site).await?;
    sends_by_site(browser, &site).await?;
    keeps_a_jar_for_each_site(browser, &site).await?;
    keeps_planted_cookies_apart(browser, &site).await
}

/// A cookie is kept if and only if its options are accepted.
async fn drops_what_the_library_refuses(browser: &WebDriver, site: &Site) -> WebDriverResult<()> {
    let mut kept = 0;
    site.visit(browser, "shop", "/look/page").await?;
    for (options, field) in cookies() {
        let name = field.split('=').next().unwrap().to_owned();
        let accepted = Cookie::new(options.clone());
        if let Ok(strategy) = &accepted {
            assert_eq!(announced(strategy), field, "the corpus says what is sent");
        }
        site.part(browser, "shop", &format!("/set/deep?field={}", escaped(&field))).await?;
        let sent = site.sent(browser, "/look/deep").await?;
        let found = sent.split("; ").any(|pair| pair.starts_with(&format!("{name}=")));
        assert_eq!(found, accepted.is_ok(), "{field}: Chromium sends {sent:?}, the library {accepted:?}");
        kept += usize::from(found);
        site.forget(browser).await?;
    }
    assert!(kept > 5, "{kept} cookies were kept");
    for field in ["=__Host-id=x; Secure; Path=/", "=__Secure-id=x; Secure", "__Host-id; Secure; Path=/"] {
        site.part(browser, "shop", &format!("/set/deep?field={}", escaped(field))).await?;
        let sent = site.sent(browser, "/look/deep").await?;
        assert!(!is_read(&sent), "{field} is sent as {sent:?} and taken for the session's");
        site.forget(browser).await?;
    }
    Ok(())
}

/// What a session has set it takes away, whatever the attributes.
async fn removes_what_the_library_removes(browser: &WebDriver, site: &Site) -> WebDriverResult<()> {
    site.visit(browser, "shop", "/look/page").await?;
    for number in 0..accepted().len() {
        let at = |page: &str| format!("/app/{number}/{page}");
        for (page, expected) in [("who", "nobody"), ("in", "welcome"), ("who", "ann"), ("out", "gone")] {
            assert_eq!(site.text(browser, &at(page)).await?, expected, "{:?}", accepted()[number]);
        }
        let left = site.sent(browser, &at("look")).await?;
        assert_eq!(left, "", "{:?} is still sent", accepted()[number]);
        assert_eq!(site.text(browser, &at("who")).await?, "nobody");
    }
    Ok(())
}

/// From another site: with a link, with a form that posts, and as a part of its page.
async fn sends_by_site(browser: &WebDriver, site: &Site) -> WebDriverResult<()> {
    for same_site in [SameSite::Strict, SameSite::Lax, SameSite::None] {
        let field = announced(&Cookie::new(CookieOptions::default().with_same_site(same_site)).unwrap());
        site.visit(browser, "shop", &format!("/set/deep?field={}", escaped(&field))).await?;
        let (strict, none) = (same_site == SameSite::Strict, same_site == SameSite::None);
        for (from, how, sent) in [
            ("shop", "link", true),
            ("shop", "post", true),
            ("shop", "part", true),
            ("user.shop", "post", true),
            ("evil", "link", !strict),
            ("evil", "post", none),
            ("evil", "part", none),
        ] {
            let cookies = site.request_from(browser, from, how).await?;
            assert_eq!(is_read(&cookies), sent, "{same_site:?}, {how} from {from}: {cookies:?}");
        }
        site.forget(browser).await?;
    }
    Ok(())
}

/// `Partitioned`: what is set inside a page of another site is there only.
async fn keeps_a_jar_for_each_site(browser: &WebDriver, site: &Site) -> WebDriverResult<()> {
    for partitioned in [true, false] {
        let options = CookieOptions::default().with_same_site(SameSite::None).with_partitioned(partitioned);
        let field = announced(&Cookie::new(options).unwrap());
        site.visit(browser, "evil", "/look/page").await?;
        site.part(browser, "shop", &format!("/set/deep?field={}", escaped(&field))).await?;
        let inside = site.request_from(browser, "evil", "part").await?;
        let elsewhere = site.request_from(browser, "other", "part").await?;
        let by_itself = site.cookies(browser, "shop", "/look/deep").await?;
        let found = [&inside, &elsewhere, &by_itself].map(|sent| is_read(sent));
        assert_eq!(found, [true, !partitioned, !partitioned], "partitioned: {partitioned}");
        site.forget(browser).await?;
    }
    Ok(())
}

/// A host below the user's plants a cookie of the same name, with a live id of its own. With the prefix it cannot; without
/// it the user is nobody where both come, and never somebody else.
async fn keeps_planted_cookies_apart(browser: &WebDriver, site: &Site) -> WebDriverResult<()> {
    site.visit(browser, "shop", "/look/page").await?;
    for (number, options) in accepted().into_iter().enumerate() {
        let strategy = Cookie::new(options.clone()).unwrap();
        if announced(&strategy).contains("Domain") {
            continue;
        }
        let at = |page: &str| format!("/app/{number}/{page}");
        let attacker = site.id_of(number, "eve").await;
        assert_eq!(site.text(browser, &at("in")).await?, "welcome");
        let name = strategy.name();
        let planted =
            format!("{name}={attacker}; Domain=shop.localhost; Path=/app/{number}; Secure; SameSite=Lax");
        site.part(browser, "user.shop", &format!("/set/deep?field={}", escaped(&planted))).await?;
        let sent = site.sent(browser, &at("look")).await?;
        let several = sent.split("; ").filter(|pair| pair.starts_with(&format!("{name}="))).count();
        let is_host = name.starts_with("__Host-");
        assert_eq!(several, if is_host { 1 } else { 2 }, "{options:?}: {sent:?}");
        let who = site.text(browser, &at("who")).await?;
        assert_eq!(who, if is_host { "ann" } else { "nobody" }, "{options:?}: {sent:?}");
        site.forget(browser).await?;
    }
    Ok(())
}

/// Whether the library finds the id of the corpus in what a browser sends.
fn is_read(cookies: &str) -> bool {
    let request = Request::builder().header(header::COOKIE, cookies).body(()).unwrap();
    let found = Cookie::new(CookieOptions::default()).unwrap().present(&RequestHead::from(&request));
    !matches!(found, Presented::Nothing)
}

/// The field that tells a client its id.
fn announced(strategy: &Cookie) -> String {
    let id = session_core::SessionId::parse(ID.as_bytes()).unwrap();
    let mut fields = HeaderMap::new();
    let issue = Announcement::Issue { id: &id, source: 0, lifetime: Duration::from_secs(1_800) };
    strategy.announce(issue, &mut fields);
    fields[header::SET_COOKIE].to_str().unwrap().to_owned()
}

const ID: &str = "AbcdefghijklmnopqrstuvwxyzABCDEF";

/// Options, and the field that they make or would make.
fn cookies() -> Vec<(CookieOptions, String)> {
    let mut all = Vec::new();
    for name in ["__Host-id", "__Secure-id", "__host-id", "__HOST-id", "__sEcUrE-id", "id"] {
        for path in ["/", "/look"] {
            for domain in [None, Some("shop.localhost")] {
                for secure in [true, false] {
                    all.push(attributes(name, path, domain, secure, SameSite::Lax, false));
                }
            }
        }
    }
    for secure in [true, false] {
        for same_site in [SameSite::Strict, SameSite::Lax, SameSite::None] {
            for partitioned in [true, false] {
                all.push(attributes("id", "/", None, secure, same_site, partitioned));
            }
        }
    }
    all.push(attributes(&"n".repeat(4_096), "/", None, true, SameSite::Lax, false));
    all
}

fn attributes(
    name: &str,
    path: &str,
    domain: Option<&str>,
    secure: bool,
    same_site: SameSite,
    partitioned: bool,
) -> (CookieOptions, String) {
    let mut options = CookieOptions::default().with_name(name).with_path(path).with_same_site(same_site);
    options = options.with_partitioned(partitioned);
    let mut field = format!("{name}={ID}; Path={path}");
    if let Some(domain) = domain {
        options = options.with_domain(domain);
        field += &format!("; Domain={domain}");
    }
    field += "; HttpOnly";
    if secure {
        field += "; Secure";
    } else {
        options = options.dangerous_without_secure();
    }
    field += &format!("; SameSite={same_site:?}");
    if partitioned {
        field += "; Partitioned";
    }
    (options, field)
}

/// Options that the library accepts, one for each attribute.
fn accepted() -> Vec<CookieOptions> {
    let secure = || CookieOptions::default().with_name("__Secure-id");
    vec![
        CookieOptions::default(),
        CookieOptions::default().with_lifetime(CookieLifetime::Fixed(Duration::from_secs(86_400))),
        CookieOptions::default().with_same_site(SameSite::Strict),
        CookieOptions::default().with_same_site(SameSite::None).with_partitioned(true),
        secure(),
        secure().with_path("/app"),
        secure().with_domain(".shop.localhost"),
        CookieOptions::default().with_name("id").dangerous_readable_by_scripts(),
        CookieOptions::plain_http_for_development(),
    ]
}

/// Where everything happens: pages that set cookies and look at them, and an application for each of [`accepted`].
struct Site {
    port: u16,
    seen: Seen,
    managers: Vec<SessionManager>,
}

/// What `Cookie` was the last time that a request with a tag came.
type Seen = Arc<Mutex<HashMap<String, String>>>;

impl Site {
    async fn start() -> Self {
        let seen = Seen::default();
        let mut routes = Router::new()
            .route("/set/{page}", get(set))
            .route("/look/{page}", any(look))
            .with_state(seen.clone());
        let mut managers = Vec::new();
        for (number, options) in accepted().into_iter().enumerate() {
            let manager = SessionManager::builder(MemoryStore::new()).cookie(options).build().unwrap();
            managers.push(manager.clone());
            let pages = Router::new().route("/{page}", get(application)).layer(SessionLayer::new(manager));
            let look = Router::new().route("/look", any(look)).with_state(seen.clone());
            routes = routes.nest(&format!("/app/{number}"), look.merge(pages));
        }
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async { axum::serve(listener, routes).await.unwrap() });
        Self { port, seen, managers }
    }

    fn url(&self, host: &str, path: &str) -> String {
        format!("http://{host}.localhost:{}{path}", self.port)
    }

    async fn visit(&self, browser: &WebDriver, host: &str, path: &str) -> WebDriverResult<()> {
        browser.goto(self.url(host, path)).await
    }

    /// What the shop answers to a request of its own page.
    async fn text(&self, browser: &WebDriver, path: &str) -> WebDriverResult<String> {
        let script = "const done = arguments[1]; \
                      fetch(arguments[0]).then((answer) => answer.text()).then(done, done)";
        browser.execute_async(script, vec![json!(self.url("shop", path))]).await?.convert()
    }

    /// What the browser sends with a request of the shop's own page.
    async fn sent(&self, browser: &WebDriver, path: &str) -> WebDriverResult<String> {
        self.part(browser, "shop", &format!("{path}?tag=own")).await?;
        Ok(self.take("own").await)
    }

    /// What the browser sends when its user goes to a page.
    async fn cookies(&self, browser: &WebDriver, host: &str, path: &str) -> WebDriverResult<String> {
        self.visit(browser, host, &format!("{path}?tag=visit")).await?;
        Ok(self.take("visit").await)
    }

    /// What the browser sends to the shop when a page of `from` makes it send a request.
    async fn request_from(&self, browser: &WebDriver, from: &str, how: &str) -> WebDriverResult<String> {
        self.visit(browser, from, "/look/page").await?;
        let target = format!("/look/deep?tag={how}");
        match how {
            "part" => self.part(browser, "shop", &target).await?,
            _ => {
                let script = "const form = document.createElement('form'); form.method = arguments[0]; \
                              form.action = arguments[1]; const tag = document.createElement('input'); \
                              tag.name = 'tag'; tag.value = arguments[2]; form.append(tag); \
                              document.body.append(form); form.submit()";
                let link = "location.href = arguments[1]";
                let arguments = vec![json!("post"), json!(self.url("shop", &target)), json!(how)];
                browser.execute(if how == "post" { script } else { link }, arguments).await?;
            }
        }
        Ok(self.take(how).await)
    }

    /// Makes the page that is open ask a host for a part of itself.
    async fn part(&self, browser: &WebDriver, host: &str, path: &str) -> WebDriverResult<()> {
        let script = "const done = arguments[1]; \
                      fetch(arguments[0], { mode: 'no-cors', credentials: 'include' }).then(() => done(null), done)";
        let failed = browser.execute_async(script, vec![json!(self.url(host, path))]).await?;
        assert!(failed.json().is_null(), "{:?}", failed.json());
        Ok(())
    }

    /// Waits for a request.
    async fn take(&self, tag: &str) -> String {
        for _ in 0..1_000 {
            if let Some(cookies) = self.seen.lock().unwrap().remove(tag) {
                return cookies;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the browser sends no request `{tag}`")
    }

    /// Takes all cookies of all sites away.
    async fn forget(&self, browser: &WebDriver) -> WebDriverResult<()> {
        browser.cdp().send_raw("Network.clearBrowserCookies", json!({})).await.map(drop)
    }

    /// The id of a session of somebody else in an application.
    async fn id_of(&self, number: usize, user: &str) -> String {
        use session_core::{Opened, RequestHead};

        let request = Request::builder().body(()).unwrap();
        let manager = &self.managers[number];
        let Opened::Continue(lazy) = manager.open(&RequestHead::from(&request)).await else { panic!() };
        lazy.load().await.unwrap().authenticate(user).unwrap();
        let mut fields = HeaderMap::new();
        manager.close(lazy, http::StatusCode::OK).await.unwrap().apply(&mut fields);
        let field = fields[header::SET_COOKIE].to_str().unwrap();
        field.split(['=', ';']).nth(1).unwrap().to_owned()
    }
}

#[derive(serde::Deserialize)]
struct Asked {
    field: Option<String>,
    tag: Option<String>,
}

async fn set(Query(asked): Query<Asked>) -> impl IntoResponse {
    (AppendHeaders([(header::SET_COOKIE, asked.field.unwrap())]), Html("<body>set</body>"))
}

async fn look(
    State(seen): State<Seen>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Html<&'static str> {
    if let Some(tag) = asked.tag {
        let cookies = headers.get(header::COOKIE).map(|field| field.to_str().unwrap().to_owned());
        seen.lock().unwrap().insert(tag, cookies.unwrap_or_default());
    }
    Html("<body>seen</body>")
}

async fn application(Path(page): Path<String>, session: Session) -> Result<String, SessionError> {
    let text = match &*page {
        "in" => {
            session.authenticate("ann")?;
            "welcome".to_owned()
        }
        "out" => {
            session.destroy()?;
            "gone".to_owned()
        }
        _ => session.principal().map_or("nobody".to_owned(), |principal| principal.to_string()),
    };
    Ok(text)
}

fn escaped(field: &str) -> String {
    field.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

//! The site in headless Chromium: clicked through as a visitor would, and photographed.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod support;

use support::{
    program::Demo,
    webdriver::{ChromeDriver, Screen, look, screenshot},
};
use tempfile::tempdir;
use thirtyfour::{
    By, WebDriver, WebElement, error::WebDriverResult, prelude::ElementQueryable,
    stringmatch::StringMatchable,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_visitor_clicks_through_the_shop() {
    let driver = match ChromeDriver::start() {
        Ok(driver) => driver,
        Err(missing) => return session_conformance::skip(missing),
    };
    let profiles = tempdir().unwrap();
    let laptop = driver.browser(&profiles.path().join("laptop")).await.unwrap();
    let phone = driver.browser(&profiles.path().join("phone")).await.unwrap();
    // On a task of its own, so that the browsers are closed whatever happens.
    let outcome = tokio::spawn(click_through(laptop.clone(), phone.clone())).await;
    let closed = [laptop.quit().await, phone.quit().await];
    outcome.unwrap().unwrap();
    closed.into_iter().for_each(|closed| closed.unwrap());
}

async fn click_through(laptop: WebDriver, phone: WebDriver) -> WebDriverResult<()> {
    let (laptop, phone) = (&laptop, &phone);
    let folder = tempdir().unwrap();
    let demo = Demo::with_files(folder.path());
    look(laptop, Screen::Desktop, "light").await?;
    look(phone, Screen::Phone, "dark").await?;

    looks_around(laptop, &demo).await?;
    signs_in(laptop, &demo).await?;
    fills_the_cart(laptop).await?;
    is_safe_from_forgery(laptop).await?;
    let demo = survives_sigkill(laptop, demo, folder.path()).await?;
    ends_the_other_device(laptop, phone, &demo).await?;
    photograph(laptop, &demo).await?;
    signs_out(laptop, &demo).await
}

/// A visitor gets no cookie for looking, and one for the first tin.
async fn looks_around(browser: &WebDriver, demo: &Demo) -> WebDriverResult<()> {
    for (path, name) in [("/", "visitor-shelf"), ("/cart", "visitor-cart"), ("/devices", "visitor-devices")] {
        browser.goto(format!("{}{path}", demo.url)).await?;
        sees(browser, "#session-panel", "nothing is stored for a visitor").await?;
        screenshot(browser, name).await?;
    }
    assert!(browser.get_all_cookies().await?.is_empty());

    browser.goto(&demo.url).await?;
    click(browser, ".card:first-child button").await?;
    sees(browser, "#flashes", "Sencha is in your cart.").await?;
    sees(browser, "#cart-count", "1").await?;
    sees(browser, "#session-panel", "POST /cart/add").await?;
    sees(browser, "#script-cookies", "cannot read it").await?;
    screenshot(browser, "visitor-added").await
}

async fn signs_in(browser: &WebDriver, demo: &Demo) -> WebDriverResult<()> {
    let before = cookie(browser).await?;
    click(browser, "a[href='/sign-in']").await?;
    find(browser, "#name").await?.send_keys("Ada").await?;
    screenshot(browser, "sign-in").await?;
    click(browser, "main form button").await?;
    sees(browser, "#signed-in", "Ada").await?;
    sees(browser, "#flashes", "Your session has a new id.").await?;
    sees(browser, "#cart-count", "1").await?;
    screenshot(browser, "signed-in").await?;
    assert_ne!(cookie(browser).await?, before);
    browser.goto(&demo.url).await?;
    assert!(browser.find_all(By::Css(".flash")).await?.is_empty(), "a message is shown once");
    Ok(())
}

/// Twenty requests at once, by the script of the page itself.
async fn fills_the_cart(browser: &WebDriver) -> WebDriverResult<()> {
    click(browser, "a[href='/cart']").await?;
    click(browser, "#burst").await?;
    sees(browser, "#burst-result", "20 accepted, the cart went from 1 to 21, none lost.").await?;
    sees(browser, "#cart-count", "21").await?;
    sees(browser, "#session-panel", "POST /cart/add").await?;
    assert_eq!(find(browser, "#total").await?.attr("data-count").await?.as_deref(), Some("21"));
    screenshot(browser, "cart-after-burst").await
}

async fn is_safe_from_forgery(browser: &WebDriver) -> WebDriverResult<()> {
    click(browser, "a[href='/delivery']").await?;
    find(browser, "#address").await?.send_keys("12 Kettle Lane").await?;
    click(browser, "main .form button").await?;
    sees(browser, "#flashes", "We know where you live now.").await?;
    for (number, reason) in [(1, "carries no CSRF token"), (2, "is not one of this session")] {
        click(browser, &format!(".experiment form:nth-child({number}) button")).await?;
        sees(browser, ".problem-status", "403").await?;
        sees(browser, ".reason", reason).await?;
        sees(browser, "#signed-in", "Ada").await?;
        screenshot(browser, &format!("forgery-{number}")).await?;
        click(browser, "a[href='/delivery']").await?;
        assert_eq!(find(browser, "#address").await?.prop("value").await?.as_deref(), Some("12 Kettle Lane"));
    }
    Ok(())
}

async fn survives_sigkill(
    browser: &WebDriver,
    demo: Demo,
    folder: &std::path::Path,
) -> WebDriverResult<Demo> {
    demo.kill();
    let demo = Demo::with_files(folder);
    browser.goto(format!("{}/cart", demo.url)).await?;
    sees(browser, "#signed-in", "Ada").await?;
    sees(browser, "#cart-count", "21").await?;
    Ok(demo)
}

async fn ends_the_other_device(laptop: &WebDriver, phone: &WebDriver, demo: &Demo) -> WebDriverResult<()> {
    phone.goto(format!("{}/sign-in", demo.url)).await?;
    find(phone, "#name").await?.send_keys("Ada").await?;
    click(phone, "main form button").await?;
    sees(phone, "#signed-in", "Ada").await?;
    screenshot(phone, "phone-signed-in").await?;

    click(laptop, "a[href='/devices']").await?;
    sees(laptop, ".device.own", "This device").await?;
    assert_eq!(laptop.find_all(By::Css(".device")).await?.len(), 2);
    screenshot(laptop, "devices-two").await?;
    click(laptop, "form[action='/devices/end-others'] button").await?;
    sees(laptop, "#flashes", "Signed out on one other device.").await?;
    assert_eq!(laptop.find_all(By::Css(".device")).await?.len(), 1);

    phone.goto(format!("{}/devices", demo.url)).await?;
    sees(phone, ".account", "Sign in").await?;
    sees(phone, "#session-panel", "unknown").await?;
    screenshot(phone, "phone-ended").await
}

/// Every page in every look, and whether all of it came from the site itself.
async fn photograph(browser: &WebDriver, demo: &Demo) -> WebDriverResult<()> {
    let pages = [
        ("/", "shelf"),
        ("/tea/oolong", "tea"),
        ("/cart", "cart"),
        ("/delivery", "delivery"),
        ("/devices", "devices"),
        ("/sign-in", "sign-in-again"),
        ("/nowhere", "not-found"),
    ];
    for (screen, width) in [(Screen::Desktop, "desktop"), (Screen::Phone, "phone")] {
        for scheme in ["light", "dark"] {
            look(browser, screen, scheme).await?;
            for (path, name) in pages {
                browser.goto(format!("{}{path}", demo.url)).await?;
                screenshot(browser, &format!("{name}-{width}-{scheme}")).await?;
                let overflow = "return document.documentElement.scrollWidth > innerWidth";
                let overflows: bool = browser.execute(overflow, Vec::new()).await?.convert()?;
                assert!(!overflows, "{path} is wider than the {width}");
                let loaded = "return performance.getEntriesByType('resource').map((entry) => entry.name)";
                let loaded: Vec<String> = browser.execute(loaded, Vec::new()).await?.convert()?;
                assert!(loaded.iter().all(|name| name.starts_with(&demo.url)), "{loaded:?}");
            }
        }
    }
    look(browser, Screen::Desktop, "light").await
}

async fn signs_out(browser: &WebDriver, demo: &Demo) -> WebDriverResult<()> {
    let before = cookie(browser).await?;
    browser.goto(&demo.url).await?;
    click(browser, "form[action='/sign-out'] button").await?;
    sees(browser, "#flashes", "You are signed out.").await?;
    sees(browser, ".account", "Sign in").await?;
    assert_ne!(cookie(browser).await?, before, "what is shown is the message of another session");
    screenshot(browser, "signed-out").await
}

/// The secret, which the browser keeps from scripts.
async fn cookie(browser: &WebDriver) -> WebDriverResult<String> {
    let cookie = browser.get_named_cookie("id").await?;
    assert_eq!((cookie.http_only, cookie.path.as_deref()), (Some(true), Some("/")));
    let readable: String = browser.execute("return document.cookie", Vec::new()).await?.convert()?;
    assert_eq!(readable, "");
    Ok(cookie.value)
}

async fn find(browser: &WebDriver, css: &str) -> WebDriverResult<WebElement> {
    browser.query(By::Css(css)).first().await
}

async fn click(browser: &WebDriver, css: &str) -> WebDriverResult<()> {
    find(browser, css).await?.click().await
}

/// Waits until a part of the page has a text. A page that changes meanwhile is looked at again.
async fn sees(browser: &WebDriver, css: &str, text: &str) -> WebDriverResult<()> {
    let query = browser.query(By::Css(css)).ignore_errors(true).desc(text);
    query.with_text(text.match_partial()).first().await.map(drop)
}

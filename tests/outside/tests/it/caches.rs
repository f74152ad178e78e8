//! Caches that serve whatever HTTP lets them, in front of each adapter: no user ever gets the page of another, nor a
//! cookie that was handed out before, and what is for everybody is still cached (CVE-2023-30861, RFC 9111).

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::atomic::Ordering,
};

use session_test_servers::{NginxCache, StartError, VarnishCache};

use crate::{
    apps::{self, Site},
    crowd::{Seen, walk},
};

/// Four requests in a round, and one to sign in.
const USERS: usize = 20;
const ROUNDS: usize = 4;

#[tokio::test(flavor = "multi_thread")]
async fn nginx_gives_nobody_the_page_of_another() {
    // Shows: A18
    for site in [apps::on_axum().await, apps::on_warp().await, apps::on_rocket().await] {
        let Some(cache) = started(NginxCache::start(site.address)) else { return };
        nobody_gets_the_page_of_another(&site, cache.port()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn varnish_gives_nobody_the_page_of_another() {
    // Shows: A18
    for site in [apps::on_axum().await, apps::on_warp().await, apps::on_rocket().await] {
        let Some(cache) = started(VarnishCache::start(site.address)) else { return };
        nobody_gets_the_page_of_another(&site, cache.port()).await;
    }
}

/// Without what the library adds, the same caches mix users up: the tests above can fail.
#[tokio::test(flavor = "multi_thread")]
async fn a_site_that_says_nothing_is_mixed_up() {
    let site = apps::by_hand().await;
    let Some(nginx) = started(NginxCache::start(site.address)) else { return };
    mixes_users_up(nginx.port()).await;
    let Some(varnish) = started(VarnishCache::start(site.address)) else { return };
    mixes_users_up(varnish.port()).await;
}

async fn nobody_gets_the_page_of_another(site: &Site, port: u16) {
    let scale = std::env::var("SESSION_CONFORMANCE_SCALE").ok().and_then(|scale| scale.parse().ok());
    let seen = walk(at(port), USERS * scale.unwrap_or(1).max(1), ROUNDS).await;
    println!("FIGURE requests through a cache: {}", seen.requests);
    println!("FIGURE answers of others: {}", seen.crossed);
    assert_eq!((seen.crossed, seen.cookies_twice), (0, 0), "{seen:?}");
    // For everybody, with a cookie and without, the page was made once, or a few times while it was not there yet.
    let pages = site.pages.load(Ordering::Relaxed);
    assert!(pages <= 16 && seen.from_the_cache > seen.requests / 4, "made {pages} times: {seen:?}");
}

async fn mixes_users_up(port: u16) {
    let seen: Seen = walk(at(port), USERS, ROUNDS).await;
    assert!(seen.crossed > 0 && seen.cookies_twice > 0, "{seen:?}");
}

fn at(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

/// The cache, or `None` if it is not installed.
fn started<T>(cache: Result<T, StartError>) -> Option<T> {
    match cache {
        Ok(cache) => Some(cache),
        Err(error) if error.is_missing() => {
            session_conformance::skip(error);
            None
        }
        Err(error) => panic!("{error}"),
    }
}

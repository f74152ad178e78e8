//! Serves Pyramid's program; with the argument `own-store` the sessions are in a store written here.

use std::{env, error::Error};

use founding::{own_store::OwnStore, pyramid, serve};
use session_core::persist::{CookieOptions, KeyRing, SecretKey};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let cookie = CookieOptions::plain_http_for_development();
    let sessions = match env::args().nth(1).as_deref() {
        Some("own-store") => pyramid::stored_sessions(OwnStore::default()).cookie(cookie),
        // A key that is drawn here ends all sessions with the process; a site reads its keys from its configuration.
        _ => pyramid::signed_cookie_sessions(cookie, KeyRing::new(SecretKey::generate()?))?,
    };
    Ok(serve(pyramid::app(sessions.build()?)).await?)
}

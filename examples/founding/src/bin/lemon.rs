//! Serves lemon's program.

use std::{env, error::Error};

use founding::{lemon, serve};
use session_core::persist::CookieOptions;
use session_store_file::FileStore;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let store = FileStore::open(env::temp_dir().join("founding-lemon"))?;
    let cookie = CookieOptions::plain_http_for_development();
    let sessions = lemon::sessions(store, cookie, 1.0).build()?;
    let auth = lemon::Auth::new(&sessions)?;
    Ok(serve(lemon::app(sessions, Some(auth))).await?)
}

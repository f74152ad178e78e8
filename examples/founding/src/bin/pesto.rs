//! Serves Pesto's program; with the argument `query` ids travel in links.

use std::{env, error::Error};

use founding::{pesto, serve};
use session_core::persist::CookieOptions;
use session_store_file::FileStore;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let store = FileStore::open(env::temp_dir().join("founding-pesto"))?;
    let sessions = match env::args().nth(1).as_deref() {
        Some("query") => pesto::sessions_in_queries(store)?.build()?,
        _ => pesto::sessions(store).cookie(CookieOptions::plain_http_for_development()).build()?,
    };
    let purged = sessions.clone();
    tokio::spawn(async move { purged.sweep_forever(tokio::time::sleep).await });
    Ok(serve(pesto::app(sessions)).await?)
}

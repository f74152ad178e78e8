//! Serves PythonWeb's program.

use std::{env, error::Error};

use founding::{pythonweb, serve};
use session_core::persist::CookieOptions;
use session_store_file::FileStore;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let store = FileStore::open(env::temp_dir().join("founding-pythonweb"))?;
    if let Err(errors) = pythonweb::set_up_environment(&store).await {
        errors.iter().for_each(|error| eprintln!("{error}"));
        return Err("the environment could not be set up".into());
    }
    let cookie = CookieOptions::plain_http_for_development();
    let sessions = pythonweb::sessions(store).cookie(cookie).build()?;
    Ok(serve(pythonweb::app(sessions)).await?)
}

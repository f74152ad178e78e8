//! Serves Pylons' program. `pylons make-config` prints an ini file with a secret of its own instead.

use std::{env, error::Error};

use founding::{pylons, serve};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let ini = pylons::make_config()?;
    if env::args().nth(1).as_deref() == Some("make-config") {
        print!("{ini}");
        return Ok(());
    }
    let here = env::temp_dir().join("founding-pylons");
    let sessions = pylons::sessions(&ini, "development", &here)?.build()?;
    Ok(serve(pylons::app(sessions)).await?)
}

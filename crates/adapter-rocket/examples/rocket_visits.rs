//! Counts visits. Try `curl -c jar -b jar` with the address it prints.

use rocket::{Build, Rocket, get, launch, routes};
use session_adapter_rocket::{Session, SessionError, SessionFairing};
use session_core::{Key, SessionManager, persist::CookieOptions};
use session_store_memory::MemoryStore;

const VISITS: Key<u32> = Key::new("visits");

#[get("/")]
fn visit(session: Session) -> Result<String, SessionError> {
    let visits = session.update(VISITS, |visits| *visits += 1)?;
    Ok(format!("visit {visits}\n"))
}

#[launch]
fn rocket() -> Rocket<Build> {
    let sessions = SessionFairing::configured(|config| {
        let cookie = CookieOptions::plain_http_for_development();
        SessionManager::builder(MemoryStore::new()).config(config).cookie(cookie).build()
    });
    rocket::custom(rocket::Config::figment().merge(("port", 0))).attach(sessions).mount("/", routes![visit])
}

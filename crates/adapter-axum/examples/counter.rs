//! Counts the visits of each visitor.

use axum::{Router, routing::get};
use session_adapter_axum::{Session, SessionError, SessionLayer};
use session_core::{Key, SessionManager, persist::CookieOptions};
use session_store_memory::MemoryStore;

const VISITS: Key<u32> = Key::new("visits");

async fn visit(session: Session) -> Result<String, SessionError> {
    let visits = session.update(VISITS, |visits| *visits += 1)?; // counts every parallel request
    Ok(format!("visit {visits}\n"))
}

async fn leave(session: Session) -> Result<&'static str, SessionError> {
    session.destroy()?;
    Ok("good bye\n")
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let cookie = CookieOptions::plain_http_for_development(); // for production leave this out
    let sessions = SessionManager::builder(MemoryStore::new()).cookie(cookie).build()?;
    let routes = Router::new().route("/", get(visit).delete(leave)).route("/about", get("no session here\n"));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("http://{}", listener.local_addr()?);
    axum::serve(listener, routes.layer(SessionLayer::new(sessions))).await?;
    Ok(())
}

//! Counts visits. Try `curl -c jar -b jar` with the address it prints.

use session_adapter_warp::{Session, SessionError, SessionLayer, serve, session};
use session_core::{SessionManager, persist::CookieOptions};
use session_store_memory::MemoryStore;
use tokio::net::TcpListener;
use warp::Filter;

async fn visit(session: Session) -> Result<String, SessionError> {
    let visits: u32 = session.update("visits", |visits| *visits += 1)?;
    Ok(format!("visit {visits}\n"))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let cookie = CookieOptions::plain_http_for_development();
    let manager = SessionManager::builder(MemoryStore::new()).cookie(cookie).build()?;
    let routes = warp::path::end().and(session()).then(visit);
    let service = SessionLayer::new(manager).wrap(routes);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("http://{}/", listener.local_addr()?);
    serve(listener, service, async { drop(tokio::signal::ctrl_c().await) }).await;
    Ok(())
}

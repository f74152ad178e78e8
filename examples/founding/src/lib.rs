#![doc = include_str!("../README.md")]

pub mod lemon;
pub mod own_store;
pub mod pesto;
pub mod pylons;
pub mod pyramid;
pub mod pythonweb;

/// Serves an application on a free port of this machine.
///
/// # Errors
/// Those of the socket.
pub async fn serve(app: axum::Router) -> std::io::Result<()> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("http://{}", listener.local_addr()?);
    axum::serve(listener, app).await
}

//! A server for wrapped routes, as `warp::serve` is one for bare ones.

use std::{convert::Infallible, io::ErrorKind, net::SocketAddr, pin::pin, time::Duration};

use http::Request;
use hyper::body::Incoming;
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::{conn::auto, graceful::GracefulShutdown},
    service::TowerToHyperService,
};
use tokio::net::TcpListener;
use tower_service::Service;
use warp::{Filter, reply::Response};

/// Serves a service, such as [`SessionLayer::wrap`](crate::SessionLayer::wrap) makes of routes, over HTTP/1 and HTTP/2
/// until `shutdown` is ready; then finishes the requests that are under way.
///
/// `std::future::pending()` serves for ever. Dropped, the future leaves its connections to their tasks.
pub async fn serve<S>(listener: TcpListener, service: S, shutdown: impl Future<Output = ()>)
where
    S: Service<Request<Incoming>, Response = Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    let connections = GracefulShutdown::new();
    let mut shutdown = pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut shutdown => break,
        };
        let (stream, address) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                refused(&error).await;
                continue;
            }
        };
        let service = TowerToHyperService::new(Addressed { service: service.clone(), address });
        let watcher = connections.watcher();
        tokio::spawn(async move {
            let server = auto::Builder::new(TokioExecutor::new());
            let connection = server.serve_connection_with_upgrades(TokioIo::new(stream), service);
            if let Err(error) = watcher.watch(connection).await {
                tracing::debug!(error, "connection failed");
            }
        });
    }
    drop(listener);
    connections.shutdown().await;
}

/// The address of the client, in place of `warp::addr::remote`, which only `warp::serve` can fill. `None` unless the
/// routes are served by [`serve`].
pub fn remote_address()
-> impl Filter<Extract = (Option<SocketAddr>,), Error = Infallible> + Copy + Send + Sync + 'static {
    warp::ext::optional::<RemoteAddress>()
        .map(|address: Option<RemoteAddress>| address.map(|RemoteAddress(address)| address))
}

/// Gives the client's address to every request of a connection.
#[derive(Clone)]
struct Addressed<S> {
    service: S,
    address: SocketAddr,
}

impl<S: Service<Request<Incoming>>> Service<Request<Incoming>> for Addressed<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), S::Error>> {
        self.service.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<Incoming>) -> S::Future {
        request.extensions_mut().insert(RemoteAddress(self.address));
        self.service.call(request)
    }
}

#[derive(Clone, Copy)]
struct RemoteAddress(SocketAddr);

/// Waits a little if no connection can be accepted for a reason that lasts, such as too many open files.
async fn refused(error: &std::io::Error) {
    let of_one_client = matches!(
        error.kind(),
        ErrorKind::ConnectionRefused | ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset
    );
    if !of_one_client {
        tracing::error!(error = error as &dyn std::error::Error, "cannot accept connections");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

//! What an adapter's author writes: how to start the fixture application, and how to hand it a request.

use std::{fmt, future::Future, pin::Pin, sync::Arc};

use bytes::Bytes;
use http::{Request, Response};
use session_core::SessionManager;

/// The [fixture application](crate::fixture) behind an adapter.
///
/// ```
/// # use bytes::Bytes;
/// # use http::{Request, Response};
/// # use session_core::SessionManager;
/// use session_conformance::adapter::{Adapter, Direct};
///
/// struct MyFramework(Direct); // the framework's router, with the adapter in front of the three routes
///
/// impl Adapter for MyFramework {
///     async fn start(manager: SessionManager) -> Self {
///         Self(Direct::start(manager).await)
///     }
///
///     async fn send(&self, request: Request<Bytes>) -> Response<Bytes> {
///         self.0.send(request).await
///     }
/// }
/// ```
pub trait Adapter: Send + Sync + Sized + 'static {
    /// Whether header fields reach the adapter byte for byte. Not so with frameworks that drop those that are not UTF-8;
    /// cases about such fields are then skipped.
    const RAW_FIELDS: bool = true;

    /// Builds the application with this manager.
    fn start(manager: SessionManager) -> impl Future<Output = Self> + Send;

    /// Lets the application answer one request, without a socket, and waits for the whole answer. Many requests are
    /// sent at once, and some of these futures are dropped half way, as when a client goes away.
    fn send(&self, request: Request<Bytes>) -> impl Future<Output = Response<Bytes>> + Send;
}

/// Starts the application of one adapter: the adapter as a value.
#[derive(Clone, Copy)]
pub struct Starter {
    start: fn(SessionManager) -> Boxed<Started>,
    pub(super) raw_fields: bool,
}

/// An application that has been started.
pub(super) type Started = Arc<dyn Application>;

pub(super) trait Application: Send + Sync {
    fn send(&self, request: Request<Bytes>) -> Boxed<Response<Bytes>>;
}

type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

impl Starter {
    /// The starter of `A`.
    #[must_use]
    pub fn of<A: Adapter>() -> Self {
        Self {
            start: |manager| {
                Box::pin(async move { Arc::new(Running(Arc::new(A::start(manager).await))) as Started })
            },
            raw_fields: A::RAW_FIELDS,
        }
    }

    pub(super) async fn start(self, manager: SessionManager) -> Started {
        (self.start)(manager).await
    }
}

impl fmt::Debug for Starter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Starter")
    }
}

struct Running<A>(Arc<A>);

impl<A: Adapter> Application for Running<A> {
    fn send(&self, request: Request<Bytes>) -> Boxed<Response<Bytes>> {
        let adapter = Arc::clone(&self.0);
        Box::pin(async move { adapter.send(request).await })
    }
}

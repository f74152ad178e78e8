//! What an adapter's author writes: how to start the fixture application, and how to hand it a request.

use std::{fmt, future::Future, pin::Pin, sync::Arc};

use bytes::Bytes;
use http::{Request, Response};
use session_core::{SessionConfig, SessionManager, Store};

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

/// Another library in place of the core and an adapter, to see which of the cases it passes: an application that keeps the
/// protocol of the [fixture application](crate::fixture) with the sessions of that library.
pub trait Stranger: Send + Sync + Sized + 'static {
    /// As [`Adapter::RAW_FIELDS`].
    const RAW_FIELDS: bool = true;

    /// Builds the application. `settings` are those that the case has chosen, and `cookie` is the name of the cookie that
    /// the client looks for; every call of the library for whatever it keeps sessions in has to make the like call of
    /// `store` first, so that the case can count it, hold it back and make it fail.
    fn start(
        settings: SessionConfig,
        cookie: String,
        store: Arc<dyn Store>,
    ) -> impl Future<Output = Self> + Send;

    /// As [`Adapter::send`].
    fn send(&self, request: Request<Bytes>) -> impl Future<Output = Response<Bytes>> + Send;
}

/// Starts the application of one adapter: the adapter as a value.
#[derive(Clone, Copy)]
pub struct Starter {
    start: fn(SessionManager, String, Arc<dyn Store>) -> Boxed<Started>,
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
            start: |manager, _, _| {
                Box::pin(async move { Arc::new(Running(Arc::new(A::start(manager).await))) as Started })
            },
            raw_fields: A::RAW_FIELDS,
        }
    }

    /// The starter of `S`.
    #[must_use]
    pub fn of_stranger<S: Stranger>() -> Self {
        Self {
            start: |manager, cookie, store| {
                let settings = manager.config().clone();
                Box::pin(async move {
                    Arc::new(Foreign(Arc::new(S::start(settings, cookie, store).await))) as Started
                })
            },
            raw_fields: S::RAW_FIELDS,
        }
    }

    pub(super) async fn start(
        self,
        manager: SessionManager,
        cookie: String,
        store: Arc<dyn Store>,
    ) -> Started {
        (self.start)(manager, cookie, store).await
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

struct Foreign<S>(Arc<S>);

impl<S: Stranger> Application for Foreign<S> {
    fn send(&self, request: Request<Bytes>) -> Boxed<Response<Bytes>> {
        let stranger = Arc::clone(&self.0);
        Box::pin(async move { stranger.send(request).await })
    }
}

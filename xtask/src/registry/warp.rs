//! The fixture application behind session-adapter-warp.

use std::convert::Infallible;

use anyhow::Result;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use session_adapter_warp::{Session, SessionLayer, session};
use session_conformance::{adapter::Adapter, fixture};
use session_core::SessionManager;
use tower::{ServiceExt, util::BoxCloneSyncService};
use warp::{Filter, Rejection, Reply, reply};

use super::{Serving, cut_off};

/// The application without a socket.
pub(super) struct Application(BoxCloneSyncService<Request<Full<Bytes>>, reply::Response, Infallible>);

impl Adapter for Application {
    async fn start(manager: SessionManager) -> Self {
        Self(BoxCloneSyncService::new(SessionLayer::new(manager).wrap(routes())))
    }

    async fn send(&self, request: Request<Bytes>) -> Response<Bytes> {
        let Ok(response) = self.0.clone().oneshot(request.map(Full::new)).await;
        let (parts, body) = response.into_parts();
        match body.collect().await {
            Ok(body) => Response::from_parts(parts, body.to_bytes()),
            Err(_) => cut_off(),
        }
    }
}

/// The application on a socket.
pub(super) async fn serve(Serving { manager, listener, ready, end }: Serving) -> Result<()> {
    ready();
    session_adapter_warp::serve(listener, SessionLayer::new(manager).wrap(routes()), end).await;
    Ok(())
}

fn routes() -> impl Filter<Extract = (impl Reply,), Error = Rejection> + Clone {
    let get = || warp::get().or(warp::head()).unify();
    let root = warp::path::end().and(get()).and(session());
    let untouched = warp::path!("untouched").and(get());
    let ops = warp::path!("ops").and(warp::post()).and(session()).and(warp::body::bytes());
    root.map(|session: Session| fixture::root(&session))
        .or(untouched.map(fixture::untouched))
        .or(ops.then(async |session: Session, body: Bytes| fixture::ops(&session, &body).await))
}

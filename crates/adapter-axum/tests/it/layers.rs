//! One layer over many services, several layers over one, and services that are not axum's.

use std::{
    convert::Infallible,
    task::{Context, Poll},
};

use axum::{
    Router,
    body::{Body, Bytes},
    http::{Request, Response, StatusCode, header},
    routing::get,
};
use http_body_util::Full;
use session_adapter_axum::{LazySession, Session, SessionLayer};
use session_core::persist::CookieOptions;
use tower::{Layer as _, Service, ServiceBuilder, ServiceExt as _, service_fn};

use crate::support::{Client, TestStore, ask, collect, count, layer, manager, manager_with, read, untouched};

#[tokio::test]
async fn nested_routers_share_the_session() {
    let store = TestStore::default();
    let inner = Router::new().route("/count", get(count)).route("/untouched", get(untouched));
    let app = Router::new()
        .route("/read", get(read))
        .nest("/deep", Router::new().nest("/deeper", inner))
        .merge(Router::new().route("/merged", get(count)))
        .fallback(get(read))
        .layer(layer(&store));
    let mut client = Client::new(app);
    let answer = client.get("/deep/deeper/count").await;
    assert_eq!(answer.session_fields(), [1, 1, 1]);
    assert_eq!(client.get("/read").await.body, "1");
    assert_eq!(client.get("/merged").await.body, "2");
    assert_eq!(client.get("/anything").await.body, "2");
    assert_eq!(client.get("/deep/deeper/untouched").await.session_fields(), [0; 3]);
}

#[tokio::test]
async fn one_layer_serves_several_applications() {
    let store = TestStore::default();
    let shop = Router::new().route("/shop", get(count));
    let blog = Router::new().route("/blog", get(read));
    let either = service_fn(move |request: Request<Body>| {
        let app = if request.uri().path().starts_with("/shop") { shop.clone() } else { blog.clone() };
        app.oneshot(request)
    });
    let service = layer(&store).layer(either);
    let answer = ask(service.clone(), Request::get("/shop").body(Body::empty()).unwrap()).await.unwrap();
    let cookie = answer.all(header::SET_COOKIE)[0].split(';').next().unwrap();
    let request = Request::get("/blog").header(header::COOKIE, cookie).body(Body::empty()).unwrap();
    assert_eq!(ask(service, request).await.unwrap().body, "1");
}

#[tokio::test]
async fn two_layers_of_one_manager_are_one() {
    let store = TestStore::default();
    let manager = manager(&store);
    let app = Router::new()
        .nest("/in", Router::new().route("/", get(count)).layer(SessionLayer::new(manager.clone())))
        .layer(SessionLayer::new(manager));
    let mut client = Client::new(app);
    for (visits, calls, fields) in [("1", 1, [1, 1, 1]), ("2", 2, [0, 1, 0])] {
        let answer = client.get("/in").await;
        assert_eq!((answer.body.as_str(), store.calls(), answer.session_fields()), (visits, calls, fields));
    }
}

#[tokio::test]
async fn layers_of_two_managers_work_side_by_side_and_handlers_find_the_inner_session() {
    let (outer_store, inner_store) = (TestStore::default(), TestStore::default());
    let named = |store, name: &str| {
        let cookie = CookieOptions::default().with_name(name);
        SessionLayer::new(manager_with(store, |builder| builder.cookie(cookie)))
    };
    let app = Router::new()
        .route("/in", get(count))
        .layer(named(&inner_store, "__Host-inner"))
        .route("/out", get(count))
        .layer(named(&outer_store, "__Host-outer"));
    let mut client = Client::new(app);
    client.get("/in").await;
    assert_eq!((outer_store.records(), inner_store.records()), (0, 1));
    assert_eq!(client.get("/out").await.body, "1");
    assert_eq!((outer_store.records(), inner_store.records()), (1, 1));
    assert_eq!(client.get("/in").await.body, "2");
    assert!(
        client.cookie_header().contains("__Host-inner=") && client.cookie_header().contains("__Host-outer=")
    );
}

#[tokio::test]
async fn a_session_of_the_outer_manager_can_be_handed_on_past_the_inner_layer() {
    #[derive(Clone)]
    struct Device(LazySession);

    let (outer_store, inner_store) = (TestStore::default(), TestStore::default());
    let named = |store, name: &str| {
        let cookie = CookieOptions::default().with_name(name);
        SessionLayer::new(manager_with(store, |builder| builder.cookie(cookie)))
    };
    let both = |user: Session, request: Request<Body>| async move {
        let device = request.extensions().get::<Device>().unwrap().0.load().await.unwrap();
        device.insert("seen", true).unwrap();
        user.insert("seen", true).unwrap();
    };
    let hand_on = axum::middleware::from_fn(
        |session: LazySession, mut request: Request<Body>, next: axum::middleware::Next| {
            request.extensions_mut().insert(Device(session));
            next.run(request)
        },
    );
    let app = Router::new()
        .route("/", get(both))
        .layer(named(&inner_store, "__Host-user"))
        .layer(hand_on)
        .layer(named(&outer_store, "__Host-device"));
    let answer = Client::new(app).get("/").await;
    assert_eq!((outer_store.records(), inner_store.records()), (1, 1));
    assert_eq!(answer.session_fields(), [2, 1, 1]);
}

#[tokio::test]
async fn services_with_other_bodies_work_too() {
    async fn visit<B>(request: Request<B>) -> Result<Response<Full<Bytes>>, Infallible> {
        let session = LazySession::from_extensions(request.extensions()).unwrap().load().await.unwrap();
        let visits = session.update("visits", |visits: &mut u32| *visits += 1).unwrap();
        Ok(Response::new(Full::from(visits.to_string())))
    }
    let store = TestStore::default();
    let service = ServiceBuilder::new().layer(layer(&store)).service_fn(visit::<Full<Bytes>>);
    let answer = collect(service.oneshot(Request::new(Full::default())).await.unwrap()).await;
    assert_eq!((answer.body.as_str(), answer.session_fields()), ("1", [1, 1, 1]));
}

#[tokio::test]
async fn a_service_that_fails_stores_nothing() {
    let store = TestStore::default();
    let failing = service_fn(|request: Request<Body>| async move {
        let session = LazySession::from_extensions(request.extensions()).unwrap().load().await.unwrap();
        session.insert("a", 1).unwrap();
        Err::<Response<Body>, _>("broken")
    });
    let service = layer(&store).layer(failing);
    assert_eq!(ask(service, Request::new(Body::empty())).await.unwrap_err(), "broken");
    assert_eq!((store.calls(), store.records()), (0, 0));
}

#[tokio::test]
async fn a_handler_that_panics_stores_nothing() {
    async fn panics(session: Session) -> StatusCode {
        session.insert("a", 1).unwrap();
        panic!("on purpose")
    }
    let store = TestStore::default();
    let client = Client::new(Router::new().route("/", get(panics)).layer(layer(&store)));
    let panicked = tokio::spawn(async move { client.open(Request::get("/"), "").await }).await.unwrap_err();
    assert!(panicked.is_panic());
    assert_eq!((store.calls(), store.records()), (0, 0));
}

/// A service that has to be ready before it is called, and whose clones are not.
struct Reserved {
    ready: bool,
}

impl Clone for Reserved {
    fn clone(&self) -> Self {
        Self { ready: false }
    }
}

impl Service<Request<Body>> for Reserved {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = std::future::Ready<Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<Body>) -> Self::Future {
        assert!(std::mem::take(&mut self.ready), "called before it was ready");
        std::future::ready(Ok(Response::new(Body::empty())))
    }
}

#[tokio::test]
async fn only_a_service_that_is_ready_is_called() {
    let query = session_core::persist::Query::default();
    for (manager, waits) in [
        (manager(&TestStore::default()), false),
        (manager_with(&TestStore::waiting(1), |builder| builder.persistence(query)), true),
    ] {
        let mut service = SessionLayer::new(manager).layer(Reserved { ready: false });
        let mut call = async |uri: &str| {
            let request = Request::get(uri).body(Body::empty()).unwrap();
            service.ready().await.unwrap().call(request).await.unwrap()
        };
        let mut uri = "/".to_owned();
        if waits {
            let redirect = call("/").await;
            uri += redirect.headers()[header::LOCATION].to_str().unwrap();
        }
        for _ in 0..3 {
            assert_eq!(call(&uri).await.status(), StatusCode::OK);
        }
    }
}

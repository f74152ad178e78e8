//! Requests that another site makes in the user's name are refused, and nobody else's.

use http::{Method, Request, StatusCode, header, request};
use serde::Deserialize;
use session_adapter_warp::{Session, SessionError, SessionLayer, csrf, csrf_form, session};
use session_core::{EventKind, StoreErrorKind};
use warp::{Filter, Rejection, Reply};

use crate::support::{Client, TestStore, app, layer, manager_with, routes};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    cake: String,
    slices: u32,
}

fn guarded() -> impl Filter<Extract = (impl Reply,), Error = Rejection> + Clone {
    let token = warp::path("token")
        .and(session())
        .map(|session: Session| session.csrf_token().map_err(SessionError::from).into_response());
    let script = warp::path("script").and(csrf()).map(|| "done".to_owned());
    let order = warp::path("order")
        .and(warp::body::content_length_limit(200))
        .and(csrf_form())
        .map(|order: Order| format!("{} x {}", order.slices, order.cake));
    let searched = warp::path("search")
        .and(csrf_form())
        .map(|order: Order| format!("{} of {}", order.slices, order.cake));
    token.or(script).or(order).or(searched).or(routes())
}

fn client(store: &TestStore) -> Client {
    Client::new(app(layer(store), guarded()))
}

async fn token(client: &mut Client) -> String {
    client.get("/token").await.body
}

fn form(body: &str) -> request::Builder {
    Request::post("/order")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::CONTENT_LENGTH, body.len())
}

#[tokio::test]
async fn scripts_need_the_token_in_a_header_field() {
    let store = TestStore::default();
    let mut client = client(&store);
    let token = token(&mut client).await;
    let mut stranger = Client::new(app(layer(&store), guarded()));
    let strangers = self::token(&mut stranger).await;
    for (token, status) in [(token.as_str(), 200), (&strangers, 403), ("", 403), ("nonsense", 403)] {
        let request = Request::post("/script").header("x-csrf-token", token);
        assert_eq!(client.send(request, "").await.status.as_u16(), status, "{token}");
    }
    let answer = client.post("/script").await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert_eq!(answer.body, "the request carries no CSRF token\n");
    assert_eq!(answer.all(header::VARY), ["cookie"]);
}

#[tokio::test]
async fn safe_methods_pass_and_touch_nothing() {
    let store = TestStore::default();
    let mut client = client(&store);
    for method in [Method::GET, Method::HEAD, Method::OPTIONS] {
        let answer = client.method(method, "/script").await;
        assert_eq!((answer.status, answer.session_fields()), (StatusCode::OK, [0; 3]));
    }
    assert_eq!(client.get("/search?cake=poppy&slices=2").await.body, "2 of poppy");
    assert_eq!(store.calls(), 0);
}

#[tokio::test]
async fn forms_carry_the_token_in_a_field() {
    let store = TestStore::default();
    let mut client = client(&store);
    let token = token(&mut client).await;
    for (body, status, answered) in [
        (format!("cake=poppy+seed&slices=2&csrf_token={token}"), 200, "2 x poppy seed"),
        (format!("csrf%5Ftoken={token}&cake=%26&slices=1"), 200, "1 x &"),
        ("cake=poppy&slices=2".into(), 403, "the request carries no CSRF token\n"),
        ("cake=poppy&slices=2&csrf_token=x".into(), 403, "the CSRF token is not one of this session\n"),
        (
            format!("cake=poppy&slices=many&csrf_token={token}"),
            422,
            "the form cannot be decoded: invalid digit found in string\n",
        ),
        (
            format!("cake=poppy&slices=1&spoon=1&csrf_token={token}"),
            422,
            "the form cannot be decoded: unknown field `spoon`, expected `cake` or `slices`\n",
        ),
    ] {
        let answer = client.send(form(&body), body.clone()).await;
        assert_eq!((answer.status.as_u16(), answer.body.as_str()), (status, answered), "{body}");
    }
}

#[tokio::test]
async fn what_is_no_form_is_refused_for_the_token_first() {
    let store = TestStore::default();
    let mut client = client(&store);
    let token = token(&mut client).await;
    let json = || {
        Request::post("/order").header(header::CONTENT_TYPE, "application/json").header("content-length", 2)
    };
    assert_eq!(client.send(json(), "{}").await.status, StatusCode::FORBIDDEN);
    let with_token = json().header("x-csrf-token", &token);
    assert_eq!(client.send(with_token, "{}").await.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let large = "x".repeat(201);
    assert_eq!(client.send(form(&large), large.clone()).await.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn another_site_is_refused_even_with_a_token() {
    let store = TestStore::default();
    let manager = manager_with(&store, |builder| builder);
    let layer = SessionLayer::new(manager.clone()).with_trusted_origins(["https://admin.example"]).unwrap();
    let mut client = Client::new(app(layer, guarded()));
    let token = token(&mut client).await;
    let from = |site: &str| {
        let request = Request::post("https://shop.example/script");
        request.header("x-csrf-token", &token).header("origin", site)
    };
    for (request, status) in [
        (from("https://shop.example"), 200), // as in HTTP/2: the host is in the target
        (from("https://admin.example"), 200),
        (from("https://evil.example"), 403),
        (from("https://shop.example").header("host", "other.example"), 403),
        (from("https://shop.example").header("sec-fetch-site", "cross-site"), 403),
    ] {
        assert_eq!(client.send(request, "").await.status.as_u16(), status);
    }
    assert_eq!(manager.stats().forgery_refused, 3);
    assert_eq!(EventKind::ForgeryRefused.as_str(), "forgery-refused");
    let spelling = SessionLayer::new(manager).with_trusted_origins(["https://admin.example/"]);
    assert_eq!(spelling.unwrap_err().field(), "trusted_origins");
}

#[tokio::test]
async fn a_guard_that_cannot_load_the_session_is_no_forgery() {
    let store = TestStore::default();
    let mut client = client(&store);
    let token = token(&mut client).await;
    store.fail(StoreErrorKind::Unavailable);
    let request = Request::post("/script").header("x-csrf-token", token);
    assert_eq!(client.send(request, "").await.status, StatusCode::SERVICE_UNAVAILABLE);
}

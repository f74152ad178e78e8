//! Requests that another site makes in the user's name are refused, and nobody else's.

use std::collections::BTreeMap;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::{Method, Request, StatusCode, header, request},
    middleware::from_extractor,
    routing::{delete, get, post},
};
use serde::Deserialize;
use session_adapter_axum::{Csrf, CsrfForm, Session};
use session_core::{EventKind, StoreErrorKind};

use crate::support::{Answer, Client, TestStore, layer, manager_with};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    cake: String,
    slices: u32,
}

async fn order(CsrfForm(order): CsrfForm<Order>) -> String {
    format!("{} x {}", order.slices, order.cake)
}

async fn every_field(CsrfForm(fields): CsrfForm<BTreeMap<String, String>>) -> String {
    format!("{fields:?}")
}

fn app() -> Router {
    Router::new()
        .route("/token", get(async |session: Session| session.csrf_token().unwrap()))
        .route("/order", post(order).get(order))
        .route("/fields", post(every_field))
        .route("/account", delete(async |_: Csrf| "deleted").get(async |_: Csrf| "account"))
}

struct Visitor {
    client: Client,
    token: String,
}

impl Visitor {
    async fn new(app: Router) -> Self {
        let mut client = Client::new(app);
        let token = client.get("/token").await.body;
        Self { client, token }
    }

    async fn delete(&mut self, token: &str) -> Answer {
        self.send(Request::delete("/account").header("x-csrf-token", token), "").await
    }

    async fn post(&mut self, path: &str, form: &str) -> Answer {
        self.send(form_request(path), form).await
    }

    async fn send(&mut self, request: request::Builder, body: &str) -> Answer {
        self.client.send(request, body.to_owned()).await
    }
}

fn form_request(path: &str) -> request::Builder {
    Request::post(path).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded; charset=UTF-8")
}

#[tokio::test]
async fn scripts_send_the_token_in_a_header() {
    let store = TestStore::default();
    let mut visitor = Visitor::new(app().layer(layer(&store))).await;
    let token = visitor.token.clone();
    assert_eq!(visitor.delete(&token).await.body, "deleted");
    assert_eq!(visitor.delete(&token).await.body, "deleted", "a token can be used again");
    for wrong in ["", "x", "é", &token[1..]] {
        let answer = visitor.delete(wrong).await;
        assert_eq!(
            (answer.status, answer.all(header::VARY)),
            (StatusCode::FORBIDDEN, vec!["cookie"]),
            "{wrong}"
        );
        assert_eq!(answer.body, "the CSRF token is not one of this session\n", "{wrong}");
    }
    let answer = visitor.send(Request::delete("/account"), "").await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert_eq!(answer.body, "the request carries no CSRF token\n");
}

#[tokio::test]
async fn tokens_of_others_and_from_before_a_login_are_worth_nothing() {
    // Shows: A49
    let store = TestStore::default();
    let login = get(async |session: Session| session.authenticate("ada").unwrap());
    let app = app().route("/login", login).layer(layer(&store));
    let mut visitor = Visitor::new(app.clone()).await;
    let other = Visitor::new(app).await;
    assert_eq!(visitor.delete(&other.token).await.status, StatusCode::FORBIDDEN);
    let before = visitor.token.clone();
    visitor.client.get("/login").await;
    assert_eq!(visitor.delete(&before).await.status, StatusCode::FORBIDDEN);
    let after = visitor.client.get("/token").await.body;
    assert_eq!(visitor.delete(&after).await.status, StatusCode::OK);
}

#[tokio::test]
async fn requests_that_change_nothing_pass_and_leave_the_session_alone() {
    let store = TestStore::default();
    let mut visitor = Visitor::new(app().layer(layer(&store))).await;
    store.calls();
    let answer = visitor.client.get("/account").await;
    assert_eq!((answer.body.as_str(), store.calls(), answer.session_fields()), ("account", 0, [0; 3]));
    let answer = visitor.client.method(Method::HEAD, "/account").await;
    assert_eq!((answer.status, store.calls()), (StatusCode::OK, 0));
    let answer = visitor.client.get("/order?cake=plum&slices=2").await;
    assert_eq!((answer.body.as_str(), store.calls()), ("2 x plum", 0));
}

#[tokio::test]
async fn forms_send_it_in_a_field_that_the_handler_does_not_see() {
    let store = TestStore::default();
    let mut visitor = Visitor::new(app().layer(layer(&store))).await;
    let token = visitor.token.clone();
    for form in [
        format!("csrf_token={token}&cake=plum&slices=2"),
        format!("cake=plum&csrf_token={token}&slices=2"),
        format!("cake=plum&slices=2&csrf%5Ftoken={token}"),
    ] {
        let answer = visitor.post("/order", &form).await;
        assert_eq!((answer.status, answer.body.as_str()), (StatusCode::OK, "2 x plum"), "{form}");
    }
    let answer =
        visitor.post("/fields", &format!("a=1&b=%26csrf_token%3D&csrf_token={token}&c=+%C3%A9")).await;
    assert_eq!(answer.body, r#"{"a": "1", "b": "&csrf_token=", "c": " é"}"#);
    let request = form_request("/order").header("x-csrf-token", &token);
    assert_eq!(visitor.send(request, "cake=plum&slices=2").await.body, "2 x plum");
}

#[tokio::test]
async fn forms_that_are_not_right_are_refused() {
    let store = TestStore::default();
    let mut visitor = Visitor::new(app().layer(layer(&store)).layer(DefaultBodyLimit::max(200))).await;
    let token = visitor.token.clone();
    for (form, status) in [
        ("cake=plum&slices=2".to_owned(), 403),
        ("cake=plum&slices=2&csrf_token=x".to_owned(), 403),
        (format!("cake=plum&slices=2&xcsrf_token={token}"), 403),
        (format!("cake=plum&slices=many&csrf_token={token}"), 422),
        (format!("cake=plum&csrf_token={token}"), 422),
        (format!("cake={}&slices=2&csrf_token={token}", "x".repeat(200)), 413),
    ] {
        assert_eq!(visitor.post("/order", &form).await.status, status, "{form}");
    }
    let body = format!("cake=plum&slices=2&csrf_token={token}");
    let plain = || Request::post("/order").header(header::CONTENT_TYPE, "text/plain");
    assert_eq!(visitor.send(plain(), &body).await.status, StatusCode::FORBIDDEN);
    let with_token = plain().header("x-csrf-token", &token);
    assert_eq!(visitor.send(with_token, &body).await.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
}

#[tokio::test]
async fn the_limit_of_the_application_holds_for_forms() {
    let store = TestStore::default();
    let app = app().layer(layer(&store)).layer(DefaultBodyLimit::max(8 << 20));
    let mut visitor = Visitor::new(app).await;
    let cake = "x".repeat(4 << 20);
    let form = format!("cake={cake}&slices=2&csrf_token={}", visitor.token);
    assert_eq!(visitor.post("/order", &form).await.status, StatusCode::OK);
}

#[tokio::test]
async fn requests_of_other_sites_are_refused_even_with_the_token() {
    let store = TestStore::default();
    let trusting = layer(&store).with_trusted_origins(["https://admin.example.com"]).unwrap();
    let mut visitor = Visitor::new(app().layer(trusting)).await;
    let token = visitor.token.clone();
    for (fields, status) in [
        (vec![], 200),
        (vec![("sec-fetch-site", "same-origin")], 200),
        (vec![("sec-fetch-site", "none")], 200),
        (vec![("sec-fetch-site", "cross-site")], 403),
        (vec![("sec-fetch-site", "same-site")], 403),
        (vec![("origin", "https://shop.example.com")], 200),
        (vec![("origin", "https://evil.example")], 403),
        (vec![("origin", "null")], 403),
        (vec![("origin", "https://admin.example.com"), ("sec-fetch-site", "cross-site")], 200),
        (vec![("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")], 403),
    ] {
        let mut request = Request::delete("/account")
            .header("x-csrf-token", &token)
            .header(header::HOST, "shop.example.com");
        for (name, value) in &fields {
            request = request.header(*name, *value);
        }
        let answer = visitor.send(request, "").await;
        assert_eq!(answer.status, status, "{fields:?}");
        if status == 403 {
            assert_eq!(answer.body, "the request comes from another site\n");
        }
    }
}

#[test]
fn origins_that_would_never_match_are_refused() {
    let layer = layer(&TestStore::default());
    for origin in ["admin.example.com", "https://admin.example.com/", "*"] {
        assert!(layer.clone().with_trusted_origins([origin]).is_err(), "{origin}");
    }
}

#[tokio::test]
async fn the_guard_can_stand_before_a_whole_router() {
    let refused = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counted = refused.clone();
    let store = TestStore::default();
    let manager = manager_with(&store, |builder| {
        builder.on_event(move |event| {
            if event.kind == EventKind::ForgeryRefused {
                counted.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            }
        })
    });
    let api = Router::new()
        .route("/api", post(async || "done").get(async || "shown"))
        .route_layer(from_extractor::<Csrf>());
    let app = api.merge(app()).layer(session_adapter_axum::SessionLayer::new(manager));
    let mut visitor = Visitor::new(app).await;
    assert_eq!(visitor.client.get("/api").await.body, "shown");
    assert_eq!(visitor.client.post("/api").await.status, StatusCode::FORBIDDEN);
    assert_eq!(refused.load(std::sync::atomic::Ordering::SeqCst), 1);
    let request = Request::post("/api").header("x-csrf-token", &visitor.token);
    assert_eq!(visitor.client.send(request, "").await.body, "done");
}

#[tokio::test]
async fn without_a_layer_or_a_store_nothing_passes() {
    let mut client = Client::new(app());
    assert_eq!(client.method(Method::DELETE, "/account").await.status, StatusCode::INTERNAL_SERVER_ERROR);
    let answer = client.send(form_request("/order"), "cake=plum&slices=2").await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);

    let store = TestStore::default();
    let mut visitor = Visitor::new(app().layer(layer(&store))).await;
    store.fail(StoreErrorKind::Unavailable);
    let token = visitor.token.clone();
    assert_eq!(visitor.delete(&token).await.status, StatusCode::SERVICE_UNAVAILABLE);
    let form = format!("cake=plum&slices=2&csrf_token={token}");
    assert_eq!(visitor.post("/order", &form).await.status, StatusCode::SERVICE_UNAVAILABLE);
}

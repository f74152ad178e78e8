//! What a request costs and what its response carries, from the untouched session to the destroyed one.

use axum::{
    Router,
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    routing::get,
};
use session_adapter_axum::Session;
use session_core::{Announced, CloseReport, Saved, persist::CookieOptions};

use crate::support::{Client, TestStore, count, layer, manager_with, read, untouched};

fn app() -> Router {
    Router::new()
        .route("/untouched", get(untouched))
        .route("/read", get(read))
        .route("/count", get(count).post(count))
        .route("/login", get(|session: Session| async move { session.authenticate("ada").unwrap() }))
        .route("/logout", get(|session: Session| async move { session.destroy().unwrap() }))
}

fn client(store: &TestStore) -> Client {
    Client::new(app().layer(layer(store)))
}

#[tokio::test]
async fn an_untouched_request_costs_no_store_call_and_gets_no_header() {
    let store = TestStore::default();
    let mut client = client(&store);
    for _ in 0..2 {
        let answer = client.get("/untouched").await;
        assert_eq!((answer.body.as_str(), store.calls()), ("untouched", 0));
        let fields: Vec<&HeaderName> = answer.headers.keys().collect();
        assert_eq!(fields, [header::CONTENT_TYPE, header::CONTENT_LENGTH]);
        // Once more with a live session.
        client.get("/count").await;
        assert!(client.has_cookie());
        store.calls();
    }
}

#[tokio::test]
async fn a_path_that_does_not_exist_is_as_untouched_as_any() {
    let store = TestStore::default();
    let answer = client(&store).get("/nowhere").await;
    assert_eq!((answer.status, store.calls(), answer.session_fields()), (StatusCode::NOT_FOUND, 0, [0; 3]));
}

#[tokio::test]
async fn the_first_write_sends_exactly_one_cookie() {
    let store = TestStore::default();
    let mut client = client(&store);
    let answer = client.get("/count").await;
    assert_eq!((answer.body.as_str(), store.calls(), store.records()), ("1", 1, 1));
    let [cookie] = answer.all(header::SET_COOKIE)[..] else { panic!("{:?}", answer.headers) };
    let id = cookie.strip_prefix("__Host-id=").unwrap();
    let (id, attributes) = id.split_at(32);
    assert!(id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)));
    assert_eq!(attributes, "; Path=/; HttpOnly; Secure; SameSite=Lax");
    assert_eq!(answer.all(header::VARY), ["cookie"]);
    assert_eq!(answer.all(header::CACHE_CONTROL), ["no-store"]);
}

#[tokio::test]
async fn later_writes_send_no_cookie() {
    let store = TestStore::default();
    let mut client = client(&store);
    client.get("/count").await;
    store.calls();
    let answer = client.get("/count").await;
    assert_eq!((answer.body.as_str(), store.calls()), ("2", 2));
    assert_eq!(answer.session_fields(), [0, 1, 0]);
}

#[tokio::test]
async fn reading_varies_and_stores_nothing() {
    let store = TestStore::default();
    let mut client = client(&store);
    let answer = client.get("/read").await;
    assert_eq!((answer.body.as_str(), store.calls(), store.records()), ("0", 0, 0));
    assert_eq!(answer.session_fields(), [0, 1, 0]);
    client.get("/count").await;
    store.calls();
    let answer = client.get("/read").await;
    assert_eq!((answer.body.as_str(), store.calls()), ("1", 1));
    assert_eq!(answer.session_fields(), [0, 1, 0]);
}

#[tokio::test]
async fn a_login_replaces_the_id_and_a_logout_withdraws_it() {
    let store = TestStore::default();
    let mut client = client(&store);
    client.get("/count").await;
    let anonymous = client.clone();
    let login = client.get("/login").await;
    assert_eq!(login.session_fields(), [1, 1, 1]);
    assert_ne!(client.cookie_header(), anonymous.cookie_header());
    assert_eq!(client.get("/read").await.body, "1");
    assert_eq!(anonymous.clone().get("/read").await.body, "0");
    let logout = client.get("/logout").await;
    assert_eq!(logout.session_fields(), [1, 1, 1]);
    assert_eq!(
        logout.all(header::SET_COOKIE),
        [
            "__Host-id=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/; HttpOnly; Secure; SameSite=Lax"
        ]
    );
    assert!(!client.has_cookie());
}

#[tokio::test]
async fn fields_of_the_handler_stay() {
    let store = TestStore::default();
    let app = Router::new().route(
        "/",
        get(|session: Session| async move {
            session.insert("a", 1).unwrap();
            let mut headers = HeaderMap::new();
            headers.insert(header::VARY, HeaderValue::from_static("accept"));
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private"));
            headers.insert(header::SET_COOKIE, HeaderValue::from_static("theme=dark"));
            headers
        }),
    );
    let answer = Client::new(app.layer(layer(&store))).get("/").await;
    assert_eq!(answer.all(header::VARY), ["accept", "cookie"]);
    assert_eq!(answer.all(header::CACHE_CONTROL), ["private", "no-store"]);
    assert_eq!(answer.all(header::SET_COOKIE)[0], "theme=dark");
    assert_eq!(answer.all(header::SET_COOKIE).len(), 2);
}

#[tokio::test]
async fn answers_without_a_body_carry_the_cookie_too() {
    let store = TestStore::default();
    let app = Router::new().route("/count", get(count)).route(
        "/not-modified",
        get(|session: Session| async move {
            session.insert("a", 1).unwrap();
            StatusCode::NOT_MODIFIED
        }),
    );
    let app = app.layer(layer(&store));
    let head = Client::new(app.clone()).method(Method::HEAD, "/count").await;
    assert_eq!((head.status, head.body.as_str()), (StatusCode::OK, ""));
    assert_eq!(head.session_fields(), [1, 1, 1]);
    let not_modified = Client::new(app).get("/not-modified").await;
    assert_eq!((not_modified.status, not_modified.body.as_str()), (StatusCode::NOT_MODIFIED, ""));
    assert_eq!(not_modified.session_fields(), [1, 1, 1]);
    assert_eq!(store.records(), 2);
}

#[tokio::test]
async fn what_a_handler_stored_survives_its_5xx_unless_configured_otherwise() {
    for save in [true, false] {
        let store = TestStore::default();
        let manager = manager_with(&store, |builder| builder.save_on_server_error(save));
        let app = Router::new().route(
            "/",
            get(|session: Session| async move {
                session.insert("failures", 1).unwrap();
                StatusCode::BAD_GATEWAY
            }),
        );
        let answer = Client::new(app.layer(session_adapter_axum::SessionLayer::new(manager))).get("/").await;
        assert_eq!(answer.status, StatusCode::BAD_GATEWAY);
        assert_eq!(store.records(), usize::from(save));
        assert_eq!(answer.session_fields()[0], usize::from(save));
    }
}

#[tokio::test]
async fn other_cookie_options_reach_the_client() {
    let store = TestStore::default();
    let manager = manager_with(&store, |builder| builder.cookie(CookieOptions::plain_http_for_development()));
    let answer =
        Client::new(app().layer(session_adapter_axum::SessionLayer::new(manager))).get("/count").await;
    let [cookie] = answer.all(header::SET_COOKIE)[..] else { panic!("{:?}", answer.headers) };
    assert!(cookie.starts_with("id=") && !cookie.contains("Secure"), "{cookie}");
}

#[tokio::test]
async fn reports_are_there_when_asked_for_and_the_session_was_used() {
    let store = TestStore::default();
    let mut client = Client::new(app().layer(layer(&store).with_close_reports()));
    assert!(client.get("/untouched").await.extensions.get::<CloseReport>().is_none());
    let answer = client.get("/count").await;
    let report = answer.extensions.get::<CloseReport>().unwrap();
    assert_eq!((report.announced, report.saved), (Announced::New, Saved::Created));
    let answer = client.get("/read").await;
    let report = answer.extensions.get::<CloseReport>().unwrap();
    assert_eq!((report.announced, report.saved), (Announced::NothingNew, Saved::NothingChanged));

    let mut client = Client::new(app().layer(layer(&store)));
    assert!(client.get("/count").await.extensions.get::<CloseReport>().is_none());
}

//! Requests that another site makes in the user's name are refused, and nobody else's.

use rocket::{FromForm, form::Strict, fs::TempFile, get, http::Method, options, post, routes};
use session_adapter_rocket::{Csrf, CsrfForm, Session, SessionError, SessionFairing};
use session_core::StoreErrorKind;

use crate::support::{Answer, Client, TestStore, app, client, manager};

#[derive(FromForm)]
struct Order {
    cake: String,
    slices: u32,
}

#[derive(FromForm)]
struct Upload<'r> {
    title: &'r str,
    picture: TempFile<'r>,
}

#[get("/token")]
fn token(session: Session) -> Result<String, SessionError> {
    Ok(session.csrf_token()?)
}

#[get("/script")]
fn look(_csrf: Csrf) -> &'static str {
    "looked"
}

#[options("/script")]
fn ask(_csrf: Csrf) {}

#[post("/script")]
fn script(_csrf: Csrf) -> &'static str {
    "done"
}

#[post("/order", data = "<order>")]
fn order(order: CsrfForm<Order>) -> String {
    format!("{} x {}", order.0.slices, order.0.cake)
}

#[post("/strict", data = "<order>")]
fn strict(order: CsrfForm<Strict<Order>>) -> String {
    order.0.cake.clone()
}

#[post("/upload", data = "<upload>")]
fn upload(upload: CsrfForm<Upload<'_>>) -> String {
    format!("{}: {} bytes", upload.0.title, upload.0.picture.len())
}

const ROUTES: fn() -> Vec<rocket::Route> = || routes![token, look, ask, script, order, strict, upload];
const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");

async fn visitor(store: &TestStore) -> (Client, String) {
    let mut client = client(store, ROUTES()).await;
    let token = client.get("/token").await.body;
    (client, token)
}

async fn post(client: &mut Client, path: &str, fields: &[(&'static str, &str)], body: &str) -> Answer {
    client.send(Method::Post, path, fields, body).await
}

#[rocket::async_test]
async fn scripts_need_the_token_in_a_header_field() {
    let store = TestStore::default();
    let (mut client, token) = visitor(&store).await;
    let strangers = client.stranger().get("/token").await.body;
    for (token, status) in [(token.as_str(), 200), (&strangers, 403), ("", 403), ("nonsense", 403)] {
        let answer = post(&mut client, "/script", &[("X-CSRF-Token", token)], "").await;
        assert_eq!((answer.status, answer.all("vary")), (status, vec!["cookie"]), "{token}");
    }
    assert_eq!(post(&mut client, "/script", &[], "").await.status, 403);
}

#[rocket::async_test]
async fn safe_methods_pass_and_touch_nothing() {
    let store = TestStore::default();
    let mut client = client(&store, ROUTES()).await;
    for method in [Method::Get, Method::Head, Method::Options] {
        let answer = client.send(method, "/script", &[], "").await;
        assert_eq!((answer.status, answer.session_fields(), store.calls()), (200, [0; 3], 0));
    }
}

#[rocket::async_test]
async fn forms_carry_the_token_in_a_field() {
    let store = TestStore::default();
    let (mut client, token) = visitor(&store).await;
    for (path, body, status, answered) in [
        ("/order", format!("cake=poppy+seed&slices=2&csrf_token={token}"), 200, "2 x poppy seed"),
        ("/order", format!("csrf%5Ftoken={token}&cake=%26&slices=1"), 200, "1 x &"),
        ("/strict", format!("cake=poppy&slices=1&csrf_token={token}"), 200, "poppy"),
        ("/strict", format!("cake=poppy&slices=1&spoon=1&csrf_token={token}"), 422, ""),
        ("/order", "cake=poppy&slices=2".into(), 403, ""),
        ("/order", "cake=poppy&slices=2&csrf_token=x".into(), 403, ""),
        ("/order", "slices=many&csrf_token=x".into(), 403, ""), // the token is looked at first
        ("/order", format!("cake=poppy&slices=many&csrf_token={token}"), 422, ""),
    ] {
        let answer = post(&mut client, path, &[FORM], &body).await;
        assert_eq!(answer.status, status, "{body}");
        assert!(status != 200 || answer.body == answered, "{}", answer.body);
    }
    let in_header = [FORM, ("X-CSRF-Token", token.as_str())];
    assert_eq!(post(&mut client, "/order", &in_header, "cake=a&slices=1").await.status, 200);
}

#[rocket::async_test]
async fn forms_with_files_do_as_well() {
    let store = TestStore::default();
    let (mut client, token) = visitor(&store).await;
    let multipart = ("Content-Type", "multipart/form-data; boundary=X");
    let body = |token: &str| {
        let field = |name: &str, value: &str| {
            format!("--X\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        };
        let file = "--X\r\nContent-Disposition: form-data; name=\"picture\"; filename=\"a.png\"\r\n\
                    Content-Type: image/png\r\n\r\n12345\r\n--X--\r\n";
        field("csrf_token", token) + &field("title", "cake") + file
    };
    let answer = post(&mut client, "/upload", &[multipart], &body(&token)).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "cake: 5 bytes"));
    assert_eq!(post(&mut client, "/upload", &[multipart], &body("x")).await.status, 403);
}

#[rocket::async_test]
async fn what_is_no_form_is_refused_for_the_token_first() {
    let store = TestStore::default();
    let (mut client, token) = visitor(&store).await;
    let json = ("Content-Type", "application/json");
    assert_eq!(post(&mut client, "/order", &[json], "{}").await.status, 403);
    let with_token = [json, ("X-CSRF-Token", token.as_str())];
    assert_eq!(post(&mut client, "/order", &with_token, "{}").await.status, 415);
    let large = format!("cake={}&slices=1&csrf_token={token}", "x".repeat(40_000));
    assert_eq!(post(&mut client, "/order", &[FORM, ("X-CSRF-Token", &token)], &large).await.status, 413);
}

#[rocket::async_test]
async fn another_site_is_refused_even_with_a_token() {
    let store = TestStore::default();
    let manager = manager(&store);
    let fairing =
        SessionFairing::new(manager.clone()).with_trusted_origins(["https://admin.example"]).unwrap();
    let mut client = Client::new(app(fairing, ROUTES())).await;
    let token = client.get("/token").await.body;
    let host = ("Host", "shop.example");
    for (fields, status) in [
        (vec![host, ("Origin", "https://shop.example")], 200),
        (vec![host, ("Origin", "https://admin.example")], 200),
        (vec![host, ("Origin", "https://evil.example")], 403),
        (vec![host, ("Origin", "https://shop.example"), ("Sec-Fetch-Site", "cross-site")], 403),
        (vec![host, ("Sec-Fetch-Site", "same-origin")], 200),
    ] {
        let fields = [fields, vec![("X-CSRF-Token", token.as_str())]].concat();
        assert_eq!(post(&mut client, "/script", &fields, "").await.status, status, "{fields:?}");
    }
    assert_eq!(manager.stats().forgery_refused, 2);
    let spelling = SessionFairing::new(manager).with_trusted_origins(["https://admin.example/"]);
    assert_eq!(spelling.unwrap_err().field(), "trusted_origins");
}

#[rocket::async_test]
async fn the_host_of_http_2_is_taken_from_the_target() {
    let store = TestStore::default();
    let (client, token) = visitor(&store).await;
    for (origin, status) in [("https://shop.example", 200), ("https://evil.example", 403)] {
        let mut request = client.rocket.post("/script");
        request.inner_mut().set_host(rocket::uri!("shop.example").into());
        for (name, value) in
            [("Cookie", client.cookie_header()), ("X-CSRF-Token", token.clone()), ("Origin", origin.into())]
        {
            request.add_header(rocket::http::Header::new(name, value));
        }
        assert_eq!(request.dispatch().await.status().code, status);
    }
}

#[rocket::async_test]
async fn a_guard_that_cannot_load_the_session_is_no_forgery() {
    let store = TestStore::default();
    let (mut client, token) = visitor(&store).await;
    store.fail(StoreErrorKind::Unavailable);
    let answer = post(&mut client, "/script", &[("X-CSRF-Token", &token)], "").await;
    assert_eq!((answer.status, answer.all("retry-after")), (503, vec!["1"]));
}

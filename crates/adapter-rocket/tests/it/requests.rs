//! What a request costs and what its response carries, from the untouched session to the destroyed one.

use rocket::{
    Response, get,
    http::{CookieJar, Method},
    response::{self, Responder},
    routes,
};
use session_adapter_rocket::{Session, SessionError, SessionFairing};
use session_core::persist::{Chain, Cookie, CookieOptions, External, ExternalId, Header};

use crate::support::{Client, TestStore, app, client, manager_with};

#[rocket::async_test]
async fn an_untouched_request_costs_no_store_call_and_gets_no_header() {
    let store = TestStore::default();
    let mut client = client(&store, vec![]).await;
    for path in ["/untouched", "/nowhere", "/untouched"] {
        let answer = client.get(path).await;
        assert_eq!((store.calls(), answer.session_fields()), (0, [0; 3]), "{path}");
        // Once more with a live session.
        client.get("/count").await;
        assert!(client.has_cookie());
        store.calls();
    }
}

#[rocket::async_test]
async fn the_first_write_sends_exactly_one_cookie() {
    let store = TestStore::default();
    let answer = client(&store, vec![]).await.get("/count").await;
    assert_eq!((answer.body.as_str(), store.calls(), store.records()), ("1", 1, 1));
    let [cookie] = answer.all("set-cookie")[..] else { panic!("{answer:?}") };
    let (id, attributes) = cookie.strip_prefix("__Host-id=").unwrap().split_at(32);
    assert!(id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)));
    assert_eq!(attributes, "; Path=/; HttpOnly; Secure; SameSite=Lax");
    assert_eq!(answer.all("vary"), ["cookie"]);
    assert_eq!(answer.all("cache-control"), ["no-store"]);
}

#[rocket::async_test]
async fn reading_varies_and_stores_nothing() {
    let store = TestStore::default();
    let mut client = client(&store, vec![]).await;
    let answer = client.get("/read").await;
    assert_eq!((answer.body.as_str(), store.calls(), store.records()), ("0", 0, 0));
    assert_eq!((answer.session_fields(), answer.all("vary")), ([0, 1, 0], vec!["cookie"]));
    client.get("/count").await;
    store.calls();
    let answer = client.get("/read").await;
    assert_eq!((answer.body.as_str(), store.calls()), ("1", 1));
    assert_eq!(answer.session_fields(), [0, 1, 0]);
}

#[rocket::async_test]
async fn a_destroyed_session_is_withdrawn() {
    let store = TestStore::default();
    let mut client = client(&store, vec![]).await;
    client.get("/count").await;
    let answer = client.get("/destroy").await;
    assert_eq!(
        answer.all("set-cookie"),
        [
            "__Host-id=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/; HttpOnly; Secure; SameSite=Lax"
        ]
    );
    assert_eq!((answer.session_fields(), store.records()), ([1, 1, 1], 0));
    assert_eq!(client.get("/read").await.body, "0");
}

/// Sets the same fields as the session layer.
struct Dressed;

impl<'r> Responder<'r, 'static> for Dressed {
    fn respond_to(self, _: &'r rocket::Request<'_>) -> response::Result<'static> {
        Response::build()
            .header(rocket::http::Header::new("Vary", "accept"))
            .header(rocket::http::Header::new("Cache-Control", "private"))
            .header(rocket::http::Header::new("X-First", "1"))
            .header_adjoin(rocket::http::Header::new("X-First", "2"))
            .header(rocket::http::Header::new("Set-Cookie", "theme=dark"))
            .ok()
    }
}

#[get("/dressed")]
fn dressed(session: Session, jar: &CookieJar<'_>) -> Result<Dressed, SessionError> {
    session.insert("a", 1)?;
    jar.add(("size", "a b"));
    Ok(Dressed)
}

#[rocket::async_test]
async fn fields_and_cookies_of_the_handler_stay_beside_ours() {
    let store = TestStore::default();
    let mut client = client(&store, routes![dressed]).await;
    let answer = client.get("/dressed").await;
    assert_eq!(answer.all("vary"), ["accept", "cookie"]);
    assert_eq!(answer.all("cache-control"), ["private", "no-store"]);
    assert_eq!(answer.all("x-first"), ["1", "2"]);
    let [theme, size, id] = answer.all("set-cookie")[..] else { panic!("{answer:?}") };
    assert_eq!((theme, size), ("theme=dark", "size=a%20b; SameSite=Strict; Path=/"));
    assert!(id.starts_with("__Host-id=") && id.ends_with("; Path=/; HttpOnly; Secure; SameSite=Lax"));
    let again = client.get("/dressed").await;
    assert_eq!(again.all("set-cookie"), [theme, size], "ours once is enough");
}

#[rocket::async_test]
async fn a_request_with_head_is_stored_too() {
    let store = TestStore::default();
    let mut client = client(&store, vec![]).await;
    let answer = client.send(Method::Head, "/count", &[], "").await;
    assert_eq!((answer.body.as_str(), answer.session_fields(), store.records()), ("", [1, 1, 1], 1));
}

#[rocket::async_test]
async fn the_names_of_other_cookies_and_their_bytes_do_not_matter() {
    let store = TestStore::default();
    let mut visitor = client(&store, vec![]).await;
    visitor.get("/count").await;
    let ours = visitor.cookie_header();
    let forged = ours.replace("__Host-id", "__Host%2Did");
    for (field, visits) in [
        (format!("a=%ff\u{e9}\"; {ours}; =; ;b"), "1"),
        (format!("{ours}; {ours}"), "1"),
        (forged, "0"),
        (ours.replace("__Host", "__HOST"), "0"),
        (ours.replace('=', "=\""), "0"),
    ] {
        let answer = visitor.stranger().send(Method::Get, "/read", &[("Cookie", &field)], "").await;
        assert_eq!(answer.body, visits, "{}", field.replace(&ours, "…"));
    }
    // Two fields, as HTTP/2 allows.
    let fields = [("Cookie", "a=1"), ("Cookie", ours.as_str())];
    assert_eq!(visitor.stranger().send(Method::Get, "/read", &fields, "").await.body, "1");
}

#[rocket::async_test]
async fn strategies_get_the_fields_they_look_at() {
    let by_device = External::new(|head| {
        let id = head.headers.get("x-device")?.to_str().ok()?;
        Some(ExternalId::Trusted(id.to_owned()))
    });
    let chain = Chain::new(Cookie::new(CookieOptions::default()).unwrap()).then(Header::default());
    let store = TestStore::default();
    for (manager, field) in [
        (manager_with(&store, |builder| builder.persistence(by_device)), "x-device"),
        (manager_with(&store, |builder| builder.persistence(Header::default())), "x-session-id"),
        (manager_with(&store, |builder| builder.persistence(chain)), "x-session-id"),
    ] {
        let mut client = Client::new(app(SessionFairing::new(manager), vec![])).await;
        let first =
            client.stranger().send(Method::Get, "/count", &[(field, "an id of the device")], "").await;
        let told = first.all("x-session-id").first().copied().unwrap_or("an id of the device");
        let id = first.all("set-cookie").first().map_or(told, |cookie| &cookie[10..42]).to_owned();
        let fields = [("accept", "*/*"), (field, id.as_str()), ("user-agent", "test")];
        assert_eq!(client.send(Method::Get, "/count", &fields, "").await.body, "2", "{field}");
    }
}

#[rocket::async_test]
async fn the_cookies_of_rockets_own_client_count() {
    let store = TestStore::default();
    let app = crate::support::app(
        session_adapter_rocket::SessionFairing::new(crate::support::manager(&store)),
        vec![],
    );
    let tracked = rocket::local::asynchronous::Client::tracked(app).await.unwrap();
    for visits in ["1", "2", "3"] {
        let response = tracked.get("/count").dispatch().await;
        assert_eq!(response.into_string().await.unwrap(), visits);
    }
    tracked.get("/destroy").dispatch().await;
    assert_eq!(tracked.get("/read").dispatch().await.into_string().await.unwrap(), "0");
    assert_eq!(tracked.cookies().iter().count(), 0);
}

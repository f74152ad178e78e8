//! What a request costs and what its response carries, from the untouched session to the destroyed one.

use http::{Method, Request, StatusCode, header};
use session_adapter_warp::{LazySession, Session, SessionLayer, lazy_session, session};
use session_core::{Announced, CloseReport, Saved, persist::Query};
use warp::{Filter, Reply};

use crate::support::{Client, TestStore, app, layer, manager_with, routes};

fn client(store: &TestStore) -> Client {
    Client::new(app(layer(store), routes()))
}

#[tokio::test]
async fn an_untouched_request_costs_no_store_call_and_gets_no_header() {
    let store = TestStore::default();
    let mut client = client(&store);
    for path in ["/untouched", "/nowhere", "/untouched"] {
        let answer = client.get(path).await;
        assert_eq!((store.calls(), answer.session_fields()), (0, [0; 3]), "{path}");
        // Once more with a live session.
        client.get("/count").await;
        assert!(client.has_cookie());
        store.calls();
    }
}

#[tokio::test]
async fn the_first_write_sends_exactly_one_cookie() {
    let store = TestStore::default();
    let answer = client(&store).get("/count").await;
    assert_eq!((answer.body.as_str(), store.calls(), store.records()), ("1", 1, 1));
    let [cookie] = answer.all(header::SET_COOKIE)[..] else { panic!("{:?}", answer.headers) };
    let (id, attributes) = cookie.strip_prefix("__Host-id=").unwrap().split_at(32);
    assert!(id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)));
    assert_eq!(attributes, "; Path=/; HttpOnly; Secure; SameSite=Lax");
    assert_eq!(answer.all(header::VARY), ["cookie"]);
    assert_eq!(answer.all(header::CACHE_CONTROL), ["no-store"]);
}

#[tokio::test]
async fn reading_varies_and_stores_nothing() {
    let store = TestStore::default();
    let mut client = client(&store);
    let answer = client.get("/read").await;
    assert_eq!((answer.body.as_str(), store.calls(), store.records()), ("0", 0, 0));
    assert_eq!((answer.session_fields(), answer.all(header::VARY)), ([0, 1, 0], vec!["cookie"]));
    client.get("/count").await;
    store.calls();
    let answer = client.get("/read").await;
    assert_eq!((answer.body.as_str(), store.calls()), ("1", 1));
    assert_eq!(answer.session_fields(), [0, 1, 0]);
}

#[tokio::test]
async fn a_destroyed_session_is_withdrawn() {
    let store = TestStore::default();
    let mut client = client(&store);
    client.get("/count").await;
    let answer = client.get("/destroy").await;
    assert_eq!(
        answer.all(header::SET_COOKIE),
        [
            "__Host-id=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/; HttpOnly; Secure; SameSite=Lax"
        ]
    );
    assert_eq!((answer.session_fields(), store.records()), ([1, 1, 1], 0));
    assert_eq!(client.get("/read").await.body, "0");
}

#[tokio::test]
async fn however_many_ask_the_session_is_loaded_once() {
    let store = TestStore::default();
    let together = warp::path("together").and(session()).and(lazy_session()).and(session()).then(
        |first: Session, lazy: LazySession, second: Session| async move {
            first.insert("n", 7).unwrap();
            assert_eq!(second.get::<i32>("n").unwrap(), Some(7));
            lazy.load().await.unwrap().get::<i32>("n").unwrap().unwrap().to_string()
        },
    );
    let mut client = Client::new(app(layer(&store), together.or(routes())));
    client.get("/count").await;
    store.calls();
    assert_eq!(client.get("/together").await.body, "7");
    assert_eq!(store.calls(), 2, "one load and one write");
}

#[tokio::test]
async fn fields_of_the_handler_stay() {
    let store = TestStore::default();
    let route = session().map(|session: Session| {
        session.insert("a", 1).unwrap();
        let mut response = "".into_response();
        for (name, value) in [("vary", "accept"), ("cache-control", "private"), ("set-cookie", "theme=dark")]
        {
            response.headers_mut().insert(name, value.parse().unwrap());
        }
        response
    });
    let answer = Client::new(app(layer(&store), route)).get("/").await;
    assert_eq!(answer.all(header::VARY), ["accept", "cookie"]);
    assert_eq!(answer.all(header::CACHE_CONTROL), ["private", "no-store"]);
    let [theme, id] = answer.all(header::SET_COOKIE)[..] else { panic!("{:?}", answer.headers) };
    assert!(theme == "theme=dark" && id.starts_with("__Host-id="));
}

#[tokio::test]
async fn a_request_with_head_is_stored_too() {
    let store = TestStore::default();
    let mut client = client(&store);
    let answer = client.method(Method::HEAD, "/count").await;
    assert_eq!((answer.session_fields(), store.records()), ([1, 1, 1], 1));
}

#[tokio::test]
async fn the_core_may_answer_before_the_routes_do() {
    let store = TestStore::default();
    let manager = manager_with(&store, |builder| builder.persistence(Query::default()));
    let mut client = Client::new(app(SessionLayer::new(manager), routes()));
    let answer = client.get("/count?x=1").await;
    assert_eq!((answer.status, answer.body.as_str()), (StatusCode::FOUND, ""));
    assert_eq!(answer.all(header::REFERRER_POLICY), ["no-referrer"]);
    let location = answer.all(header::LOCATION)[0].to_owned();
    assert!(location.starts_with("?x=1&sid="), "{location}");
    for visits in ["1", "2"] {
        let answer = client.get(&format!("/count{location}")).await;
        assert_eq!((answer.status, answer.body.as_str()), (StatusCode::OK, visits));
    }
}

#[tokio::test]
async fn reports_are_there_when_asked_for_and_the_session_was_used() {
    let store = TestStore::default();
    let mut client = Client::new(app(layer(&store).with_close_reports(), routes()));
    assert!(client.get("/untouched").await.extensions.get::<CloseReport>().is_none());
    let answer = client.get("/count").await;
    let report = answer.extensions.get::<CloseReport>().unwrap();
    assert_eq!((report.announced, report.saved), (Announced::New, Saved::Created));
    let mut client = Client::new(app(layer(&store), routes()));
    assert!(client.get("/count").await.extensions.get::<CloseReport>().is_none());
}

#[tokio::test]
async fn bytes_of_other_cookies_do_not_matter() {
    // Shows: A10
    let store = TestStore::default();
    let mut visitor = client(&store);
    visitor.get("/count").await;
    let mut hostile = b"a=\xff\xfe\x80; ".to_vec();
    hostile.extend(visitor.cookie_header().bytes());
    let request = Request::get("/read").header(header::COOKIE, &hostile[..]);
    assert_eq!(client(&store).send(request, "").await.body, "1");
}

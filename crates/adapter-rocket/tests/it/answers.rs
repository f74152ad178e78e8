//! Answers that the core gives before a handler runs.

use rocket::{get, http::Method, post, routes};
use session_adapter_rocket::{Session, SessionFairing};
use session_core::{StoreErrorKind, persist::Query};

use crate::support::{Client, TestStore, app, manager_with};

#[get("/hello/<name>?<greeting>")]
fn hello(session: Session, name: &str, greeting: Option<&str>) -> String {
    let visits = session.update("visits", |visits: &mut u32| *visits += 1).unwrap();
    format!("{} {name}, visit {visits}", greeting.unwrap_or("Hello"))
}

#[post("/order")]
fn order(session: Session) -> &'static str {
    session.status().as_str()
}

#[get("/<_..>", rank = 20)]
fn everything() -> &'static str {
    "everything"
}

async fn client(store: &TestStore) -> Client {
    let manager = manager_with(store, |builder| builder.persistence(Query::default()));
    Client::new(app(SessionFairing::new(manager), routes![hello, order])).await
}

#[rocket::async_test]
async fn a_request_without_an_id_is_redirected_before_the_handler_runs() {
    let store = TestStore::default();
    let mut client = client(&store).await;
    for path in ["/hello/ada?greeting=Hi%20there", "/nowhere?greeting=Hi%20there"] {
        let answer = client.get(path).await;
        assert_eq!((answer.status, answer.body.as_str()), (302, ""));
        assert_eq!(answer.all("referrer-policy"), ["no-referrer"]);
        assert_eq!(answer.all("cache-control"), ["no-store"]);
        let [location] = answer.all("location")[..] else { panic!("{answer:?}") };
        let id = location.strip_prefix("?greeting=Hi%20there&sid=").unwrap();
        assert_eq!(id.len(), 32);
    }
    assert_eq!(store.records(), 2);
    let location = client.get("/hello/ada?greeting=Hi").await.all("location")[0].to_owned();
    for visits in 1..3 {
        let answer = client.get(&format!("/hello/ada{location}")).await;
        assert_eq!((answer.status, answer.body), (200, format!("Hi ada, visit {visits}")));
    }
}

#[rocket::async_test]
async fn other_methods_are_handed_on() {
    let store = TestStore::default();
    let mut client = client(&store).await;
    let answer = client.send(Method::Post, "/order", &[], "").await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "new"));
    let answer = client.send(Method::Head, "/hello/ada", &[], "").await;
    assert_eq!((answer.status, answer.body.as_str()), (200, ""));
}

#[rocket::async_test]
async fn a_store_that_cannot_tell_is_a_503_here_too() {
    let store = TestStore::default();
    let mut client = client(&store).await;
    store.fail(StoreErrorKind::Unavailable);
    let answer = client.get("/hello/ada").await;
    assert_eq!((answer.status, answer.all("retry-after")), (503, vec!["1"]));
}

#[rocket::async_test]
async fn nobody_reaches_the_route_of_these_answers() {
    let store = TestStore::default();
    let mut cookies = crate::support::client(&store, vec![]).await;
    let answer = cookies.get("/.session-answer").await;
    assert_eq!((answer.status, answer.session_fields(), store.calls()), (404, [0; 3], 0));

    let mut catch_all = crate::support::client(&store, routes![everything]).await;
    assert_eq!(catch_all.get("/.session-answer").await.body, "everything");
    // Nor does the session of a request that asks for it by its path get lost.
    let location = client(&store).await.get("/.session-answer").await.all("location")[0].to_owned();
    assert!(location.starts_with("?sid="));
}

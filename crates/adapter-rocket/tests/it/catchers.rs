//! Responses of catchers: stored and marked like all others.

use rocket::{Request, catch, catchers, get, http::Status, routes};
use session_adapter_rocket::{Session, SessionFairing};
use session_core::StoreErrorKind;

use crate::support::{Client, TestStore, app, client, manager, manager_with};

/// Writes to the session, and then fails.
#[get("/fails")]
fn fails(session: Session) -> Status {
    session.insert("attempts", 1).unwrap();
    Status::BadGateway
}

#[get("/panics")]
fn panics(session: Session) {
    session.insert("attempts", 1).unwrap();
    panic!("as it should");
}

#[catch(default)]
async fn caught(status: Status, request: &Request<'_>) -> String {
    match request.guard::<Session>().await.succeeded() {
        Some(session) => {
            session.update("caught", |caught: &mut u32| *caught += 1).unwrap();
            format!("caught {status}")
        }
        None => format!("caught {status} without a session"),
    }
}

#[rocket::async_test]
async fn what_rocket_answers_for_a_failed_handler_is_stored() {
    for path in ["/fails", "/panics"] {
        let store = TestStore::default();
        let answer = client(&store, routes![fails, panics]).await.get(path).await;
        assert_eq!(answer.status, if path == "/fails" { 502 } else { 500 });
        assert_eq!((answer.session_fields(), store.records()), ([1, 1, 1], 1));
    }
}

#[rocket::async_test]
async fn not_saving_on_server_errors_holds_for_catchers_too() {
    let store = TestStore::default();
    let manager = manager_with(&store, |builder| builder.save_on_server_error(false));
    let answer = Client::new(app(SessionFairing::new(manager), routes![fails])).await.get("/fails").await;
    assert_eq!((answer.session_fields(), store.records()), ([0, 1, 0], 0));
}

#[rocket::async_test]
async fn catchers_have_the_session() {
    let store = TestStore::default();
    let app = app(SessionFairing::new(manager(&store)), routes![fails]).register("/", catchers![caught]);
    let mut client = Client::new(app).await;
    for (path, status) in [("/nowhere", 404), ("/fails", 502)] {
        let answer = client.get(path).await;
        assert_eq!((answer.status, answer.body.starts_with("caught ")), (status, true), "{}", answer.body);
        assert_eq!(answer.all("vary"), ["cookie"]);
    }
    assert!(client.has_cookie());
    assert_eq!(store.records(), 1);
}

#[rocket::async_test]
async fn a_store_that_cannot_tell_is_a_503() {
    let store = TestStore::default();
    let mut client = client(&store, vec![]).await;
    client.get("/count").await;
    store.fail(StoreErrorKind::Unavailable);
    for path in ["/read", "/count", "/destroy"] {
        let answer = client.get(path).await;
        assert_eq!((answer.status, answer.all("retry-after")), (503, vec!["1"]), "{path}");
        assert_eq!(answer.all("cache-control"), ["no-store"]);
        assert_eq!(answer.all("content-type"), ["text/plain; charset=utf-8"]);
        assert_eq!(answer.body, "The session store is not available. Please try again.\n");
        assert!(answer.all("set-cookie").is_empty());
        assert_eq!(answer.all("x-content-type-options"), ["nosniff"], "the shield holds");
    }
    store.fail(None);
    assert_eq!(client.get("/read").await.body, "1", "an outage is not a logout");
}

#[rocket::async_test]
async fn a_catcher_of_the_application_answers_for_a_session_that_cannot_be_loaded() {
    #[catch(503)]
    fn unavailable() -> &'static str {
        "own page"
    }
    let store = TestStore::default();
    for catchers in [catchers![unavailable], catchers![caught]] {
        let app = app(SessionFairing::new(manager(&store)), vec![]).register("/", catchers);
        let mut client = Client::new(app).await;
        client.get("/count").await;
        store.fail(StoreErrorKind::Unavailable);
        let answer = client.get("/read").await;
        assert_eq!(answer.status, 503);
        assert!(["own page", "caught 503 Service Unavailable without a session"].contains(&&*answer.body));
        store.fail(None);
    }
}

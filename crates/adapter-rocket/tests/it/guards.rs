//! The session as an argument of handlers, and what happens without a fairing.

use rocket::{
    Data, Request, Response,
    error::ErrorKind,
    fairing::{Fairing, Info, Kind},
    get, routes,
};
use session_adapter_rocket::{LazySession, Session, SessionError, SessionFairing, SessionRejection};
use session_core::{SessionManager, StoreErrorKind};

use crate::support::{Client, TestStore, app, client, manager};

#[get("/together")]
async fn together(first: Session, lazy: LazySession, second: Session) -> Result<String, SessionError> {
    first.insert("n", 7)?;
    assert_eq!(second.get::<i32>("n")?, Some(7));
    Ok(lazy.load().await?.get::<i32>("n")?.unwrap().to_string())
}

#[rocket::async_test]
async fn however_many_ask_the_session_is_loaded_once() {
    let store = TestStore::default();
    let mut client = client(&store, routes![together]).await;
    client.get("/count").await;
    store.calls();
    assert_eq!(client.get("/together").await.body, "7");
    assert_eq!(store.calls(), 2, "one load and one write");
}

#[get("/lenient")]
fn lenient(session: Result<Session, SessionRejection>) -> (rocket::http::Status, String) {
    match session {
        Ok(_) => (rocket::http::Status::Ok, "found".into()),
        Err(rejection) => (rocket::http::Status::ServiceUnavailable, format!("own page: {rejection}")),
    }
}

#[get("/passing-on")]
fn passing_on(session: Result<Session, SessionRejection>) -> Result<&'static str, SessionRejection> {
    session.map(|_| "found")
}

#[rocket::async_test]
async fn a_handler_may_deal_with_a_session_that_cannot_be_loaded() {
    let store = TestStore::default();
    let mut client = client(&store, routes![lenient, passing_on]).await;
    client.get("/count").await;
    assert_eq!(client.get("/lenient").await.body, "found");
    store.fail(StoreErrorKind::Unavailable);
    let answer = client.get("/lenient").await;
    assert_eq!((answer.status, answer.all("retry-after").len()), (503, 0));
    assert!(answer.body.starts_with("own page: "), "{}", answer.body);
    let answer = client.get("/passing-on").await;
    assert_eq!((answer.status, answer.all("retry-after")), (503, vec!["1"]));
}

#[get("/sessions")]
fn sessions(manager: &rocket::State<SessionManager>) -> String {
    manager.stats().created.to_string()
}

#[rocket::async_test]
async fn handlers_reach_the_manager() {
    let store = TestStore::default();
    let mut client = client(&store, routes![sessions]).await;
    client.get("/count").await;
    assert_eq!(client.get("/sessions").await.body, "1");
    // An application that manages it by itself is not in the way.
    let manager = manager(&store);
    let own = app(SessionFairing::new(manager.clone()), routes![sessions]).manage(manager);
    assert_eq!(Client::new(own).await.get("/sessions").await.body, "0");
}

#[get("/")]
fn maybe(_session: Option<LazySession>) {}

#[get("/")]
fn guarded(_csrf: session_adapter_rocket::Csrf) {}

#[rocket::async_test]
async fn an_application_without_the_fairing_does_not_launch() {
    for routes in [routes![together], routes![maybe], routes![guarded]] {
        let error = rocket::custom(rocket::Config {
            log_level: rocket::config::LogLevel::Off,
            ..rocket::Config::debug_default()
        })
        .mount("/", routes)
        .ignite()
        .await
        .unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::SentinelAborts(_)), "{error:?}");
    }
}

/// Asks for the session where there cannot be one, or where it is closed.
struct Nosy;

#[rocket::async_trait]
impl Fairing for Nosy {
    fn info(&self) -> Info {
        Info { name: "Nosy", kind: Kind::Request | Kind::Response }
    }

    async fn on_request(&self, request: &mut Request<'_>, _: &mut Data<'_>) {
        let session = request.guard::<Session>().await.succeeded().unwrap();
        session.insert("seen", true).unwrap();
    }

    async fn on_response<'r>(&self, request: &'r Request<'_>, response: &mut Response<'r>) {
        let session = request.guard::<Session>().await.succeeded().unwrap();
        let error = session.insert("late", true).unwrap_err();
        response.set_raw_header("X-Late", error.kind());
    }
}

#[rocket::async_test]
async fn later_fairings_share_the_session_and_cannot_lose_changes() {
    let store = TestStore::default();
    let app = app(SessionFairing::new(manager(&store)), vec![]).attach(Nosy);
    let answer = Client::new(app).await.get("/untouched").await;
    assert_eq!((answer.session_fields(), answer.all("x-late")), ([1, 1, 1], vec!["response-sent"]));
    assert_eq!(store.records(), 1);
}

/// Is there before the session, and after the handler.
struct Early;

#[rocket::async_trait]
impl Fairing for Early {
    fn info(&self) -> Info {
        Info { name: "Early", kind: Kind::Request | Kind::Response }
    }

    async fn on_request(&self, request: &mut Request<'_>, _: &mut Data<'_>) {
        let missing = request.guard::<LazySession>().await;
        assert!(matches!(missing.failed(), Some((_, SessionRejection::MissingFairing))));
    }

    async fn on_response<'r>(&self, request: &'r Request<'_>, _: &mut Response<'r>) {
        let session = request.guard::<Session>().await.succeeded().unwrap();
        session.insert("answered", true).unwrap();
    }
}

#[rocket::async_test]
async fn earlier_fairings_can_change_the_session_of_the_response() {
    let store = TestStore::default();
    let late = app(SessionFairing::new(manager(&store)), vec![]);
    let config = late.figment().clone();
    let early = rocket::custom(config).attach(Early).attach(SessionFairing::new(manager(&store)));
    let answer = Client::new(early.mount("/", late.routes().cloned().collect::<Vec<_>>()))
        .await
        .get("/untouched")
        .await;
    assert_eq!((answer.session_fields(), store.records()), ([1, 1, 1], 1));
}

#[rocket::async_test]
async fn of_several_fairings_the_last_one_counts() {
    let (first, last) = (TestStore::default(), TestStore::default());
    let app = app(SessionFairing::new(manager(&first)), vec![]).attach(SessionFairing::new(manager(&last)));
    Client::new(app).await.get("/count").await;
    assert_eq!((first.records(), last.records()), (0, 1));
}
